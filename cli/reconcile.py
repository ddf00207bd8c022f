"""`meterpost reconcile --epoch`: what a restored ledger has forgotten, and a person's word that it may go on."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import click

from cli.exits import FINDINGS, OK, Failed
from cli.interrupts import noted
from cli.ledger import committing, writing
from cli.ordering import REASON_CHARS_MAX, Sentence, actor_option, order_of
from cli.output import instant, json_option, print_json, print_table, print_words, shown, watched
from cli.restores import looking
from service import settings, wakeups
from service.epoch_gap import DAY, DAYS, Comparison, forgotten_lanes
from service.gateway import Gateway
from service.ledger import sealing
from service.ledger.comparing import LaneToCompare, lanes_to_compare, note_external, put_lane
from service.ledger.connection import Transaction
from service.ledger.epochs import (
    EXTERNALS_MAX,
    External,
    Restore,
    confirm_epoch,
    externals_of,
    newest_restore,
    note_compared,
)
from service.ledger.overview import ledger_time
from service.limiter import Limiter
from service.settings import Settings
from service.timing import Timing

EPILOG = """\b
Examples:
  meterpost reconcile --epoch
  meterpost reconcile --epoch --json | jq '.externals[] | select(.meter_event_id == null)'
  meterpost reconcile --epoch --confirm --reason "restored from the backup of 03:00, INC-42"
"""
WAITING = "waits for its rows"
NOTHING_RESTORED = "this ledger was never restored, as far as anybody can tell; there is nothing to compare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The shape of the answer in JSON."""

    restore: Restore | None
    lanes: int | None  # compared now; None: nothing was compared
    lanes_lagging: int  # of these: Stripe's summaries do not show what it accepted, so the comparison does not count
    externals: list[External]
    again_at: datetime | None = None  # not yet: Stripe's summaries may not show the last forgotten calls before it


@click.command(epilog=EPILOG)
@click.option("--epoch", "is_epoch", is_flag=True, help="After a restore of the ledger.")
@click.option("--confirm", "is_confirmed", is_flag=True, help="Let the ledger seal and send again; after a comparison.")
@click.option("--reason", type=Sentence(chars_max=REASON_CHARS_MAX), help="Why it may; kept for ever.")
@actor_option
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@json_option
def command(
    *, is_epoch: bool, is_confirmed: bool, reason: str | None, actor: str | None, is_sure: bool, as_json: bool
) -> int:
    """Compare a restored ledger with Stripe's books, and confirm that it may go on.

    Otherwise reconciling goes on by itself, in the process `reconcile`. A PostgreSQL that was put back to an
    earlier time has forgotten calls that Stripe remembers. It records rows, and seals and sends nothing, until this
    command has compared every lane's last 35 days with Stripe's summaries, and a person has confirmed. What Stripe
    counts and the ledger does not know is kept as external: its hour is sealed once producers have sent those rows
    again, and those are not sent to Stripe again. Stripe's summaries lag, so only a comparison of an hour after the
    restore was noticed can be confirmed; each adds what is new, also after confirming.

    Exit codes: 0 confirmed or never restored, 3 a restore waits to be confirmed.
    """
    _refuse_misuse(is_epoch=is_epoch, is_confirmed=is_confirmed, reason=reason)
    chosen = settings.load()
    chosen.require("STRIPE_SECRET_KEY", "REDIS_URL")
    with writing() as tx:
        with looking(tx, chosen) as look, committing(tx):
            look()
        restore = newest_restore(tx)
        if restore is None:
            _tell(Told(restore=None, lanes=None, lanes_lagging=0, externals=[]), as_json=as_json)
            return OK
        lanes, lagging = None, 0
        if is_confirmed:
            _confirm(tx, restore, reason=reason, actor=actor, is_sure=is_sure, timing=chosen.timing)
        else:
            lanes, lagging = _compare(tx, restore, chosen)
        present = newest_restore(tx)
        assert present is not None, "an epoch is never deleted"
        externals, again_at = externals_of(tx, present.epoch_id), _again_at(present, timing=chosen.timing)
        told = Told(restore=present, lanes=lanes, lanes_lagging=lagging, externals=externals, again_at=again_at)
        _tell(told, as_json=as_json)
    return FINDINGS if present.confirmed_at is None else OK


def _refuse_misuse(*, is_epoch: bool, is_confirmed: bool, reason: str | None) -> None:
    if not is_epoch:
        raise click.UsageError(
            "reconciling goes on by itself; after a restore of the ledger it is --epoch that you want"
        )
    if is_confirmed and reason is None:
        raise click.UsageError("--confirm wants a --reason, which is kept for ever")
    if reason is not None and not is_confirmed:
        raise click.UsageError("a --reason goes with --confirm; without it the ledger is only compared")


def _compare(tx: Transaction, restore: Restore, chosen: Settings) -> tuple[int, int]:
    """Every lane once: how many, and of how many Stripe's summaries lag; while one does, the comparison does not count.

    What is found is kept lane by lane, so that Ctrl-C loses nothing that was found.
    """
    read_at = ledger_time(tx)
    with wakeups.connect(chosen.redis_url) as redis:
        limiter = Limiter(redis, chosen.account, rates={"calls": chosen.calls_per_s})
        gateway = Gateway(chosen, limiter=limiter)
        meters = gateway.list_meters()
        with tx.transaction():
            sealing.put_meters(tx, chosen.account, meters)
        lanes = lanes_to_compare(tx, chosen.account, since=read_at - DAYS * DAY)
        lanes += forgotten_lanes(gateway.list_active_subscriptions(), meters, lanes, read_at=read_at)
        lagging = 0
        with noted() as interrupts, watched() as progress:
            for lane in progress.track(lanes, description="comparing"):
                interrupts.stop_here()
                lagging += _keep(tx, chosen.account, lane, epoch_id=restore.epoch_id, gateway=gateway)
    if not lagging:
        with tx.transaction():
            note_compared(tx, restore.epoch_id, read_at=read_at)
    return len(lanes), lagging


def _keep(tx: Transaction, account: str, lane: LaneToCompare, *, epoch_id: int, gateway: Gateway) -> bool:
    """Whether Stripe's summaries of the lane lag."""
    read_at = ledger_time(tx)
    comparison = Comparison(tx, gateway, lane)
    found = comparison.find(now=read_at)
    if found:
        with committing(tx):
            lane_id = put_lane(tx, account, lane) if lane.lane_id is None else lane.lane_id
            for one in found:
                note_external(tx, lane_id, lane.meter_stripe_id, found=one, epoch_id=epoch_id, read_at=read_at)
    return comparison.lags


def _confirm(
    tx: Transaction, restore: Restore, *, reason: str | None, actor: str | None, is_sure: bool, timing: Timing
) -> None:
    if restore.confirmed_at is not None:
        return
    assert reason is not None, "refused above"
    _refuse_too_soon(restore, timing=timing)
    if not is_sure:
        open_ones = [one for one in externals_of(tx, restore.epoch_id) if _fate(one) == WAITING]
        print_words(f"the ledger was restored: {shown(restore.cause)}; noticed at {instant(restore.began_at)}")
        question = f"{_amounts(len(open_ones))} that the ledger did not know: {WAITING}. Seal and send again?"
        click.confirm(question, abort=True, err=True)
    with committing(tx):
        confirm_epoch(tx, restore.epoch_id, order=order_of(actor, reason))


def _refuse_too_soon(restore: Restore, *, timing: Timing) -> None:
    """A call of the last moment shows in Stripe's summaries a little later: compared before, it would be missed."""
    if restore.compared_at is None:
        raise Failed("no comparison with Stripe's books counts yet: run meterpost reconcile --epoch first")
    if again_at := _again_at(restore, timing=timing):
        raise Failed(_not_yet(restore, again_at))


def _again_at(restore: Restore, *, timing: Timing) -> datetime | None:
    """From when on a comparison is worth a confirmation; None: this one is."""
    settled_at = restore.began_at + timedelta(seconds=timing.restore_settle_s)
    is_settled = restore.compared_at is not None and restore.compared_at >= settled_at
    return None if is_settled or restore.confirmed_at is not None else settled_at


def _not_yet(restore: Restore, again_at: datetime) -> str:
    return (
        f"not yet: Stripe's summaries may not show the last calls before {instant(restore.began_at)}; compare again,"
        f" with meterpost reconcile --epoch, at {instant(again_at)}"
    )


def _tell(told: Told, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    if told.restore is None:
        print_words(NOTHING_RESTORED)
        return
    if told.externals:
        rows = [
            (one.letter, one.customer, one.meter, one.minute, one.value, _what_became(one)) for one in told.externals
        ]
        print_table(["id", "customer", "meter", "minute", "#value", "what of it"], rows)
    for text in _words(told, told.restore):
        print_words(text)


def _words(told: Told, restore: Restore) -> Iterator[str]:
    yield f"restored: {shown(restore.cause)}; noticed at {instant(restore.began_at)}"
    if told.lanes is not None:
        yield f"compared {told.lanes:,} lanes' last {DAYS} days with Stripe's books"
    for fate, amounts in Counter(_fate(one) for one in told.externals).items():
        yield f"{_amounts(amounts)} that the ledger did not know: {fate}"
    if len(told.externals) == EXTERNALS_MAX:
        yield f"there may be more: these are the first {EXTERNALS_MAX:,}, and meterpost dead list has all that wait"
    if restore.confirmed_at is not None:
        yield f"confirmed at {instant(restore.confirmed_at)}: sealing and sending go on"
        return
    if told.lanes_lagging:
        yield (
            f"not yet: of {told.lanes_lagging:,} lanes Stripe's summaries do not show what it accepted, nor, perhaps,"
            " what was forgotten; compare again later (the process reconcile holds what stays missing for a day,"
            " which then hinders no more)"
        )
    elif told.again_at:
        yield _not_yet(restore, told.again_at)
    yield "nothing is sealed or sent until: meterpost reconcile --epoch --confirm --reason …"
    yield f"let producers send again what they sent since {instant(restore.gap_from)}; told twice, a row counts once"


def _what_became(external: External) -> str:
    """With the id, where it is one meter event that it became."""
    return _fate(external) + ("" if external.meter_event_id is None else f", as me-{external.meter_event_id}")


def _fate(external: External) -> str:
    if external.meter_event_id is not None:
        return "its rows came again"
    return "discarded" if external.is_discarded else WAITING


def _amounts(count: int) -> str:
    return f"{count:,} amount{'' if count == 1 else 's'}"
