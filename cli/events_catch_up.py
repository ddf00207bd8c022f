"""`meterpost events catch-up`: read a range of Stripe's own lists of events, and record what is not known yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import click

from cli.events_shown import instant_of
from cli.exits import OK, Failed
from cli.ledger import committing, writing
from cli.letters import SinceParameter
from cli.output import instant, json_option, print_json, print_table, print_words, watched
from service import settings, wakeups
from service.catching_up import KEPT, OVERLAP, Question, questions
from service.event_bodies import parse
from service.gateway import PAGES_MAX, Gateway
from service.ledger.accounts import pin_account
from service.ledger.catching_up import cursors, record_found_events
from service.ledger.connection import Transaction
from service.ledger.overview import ledger_time
from service.limiter import Limiter
from service.settings import Settings
from service.stripe_events import Stream

EPILOG = """\b
Examples:
  meterpost events catch-up
  meterpost events catch-up --since 3d
  meterpost events catch-up --since 2026-03-01T00:00:00Z --until 2026-03-02T00:00:00Z --json
"""
Instant = datetime | timedelta | None


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one list showed, and how much of it nobody had told us. `foreign`: of the other mode, or no event."""

    stream: Stream
    listed: int = 0
    found: int = 0
    foreign: int = 0


@click.command("catch-up", epilog=EPILOG)
@click.option("--since", type=SinceParameter(), help="Created since: 3d, an instant. Left out: what is not read yet.")
@click.option("--until", type=SinceParameter(), help="Created before: 2h, an instant. Left out: now.")
@json_option
def catch_up(*, since: Instant, until: Instant, as_json: bool) -> int:
    """Read Stripe's lists of events, and record what was never pushed.

    The process `reconcile` does so by itself every ten minutes; this reads a range at once, and as often as you like:
    what is known already stays as it is. Stripe lists the last 30 days.
    """
    chosen = settings.load()
    chosen.require("STRIPE_SECRET_KEY", "REDIS_URL")
    with writing() as tx, wakeups.connect(chosen.redis_url) as redis:
        gateway = Gateway(chosen, limiter=Limiter(redis, chosen.account, rates={"calls": chosen.calls_per_s}))
        is_live = _pin(tx, gateway, chosen)
        start, end, is_cut = _range(tx, chosen.account, since=since, until=until)
        tallies = {stream: Tally(stream=stream) for stream in Stream}
        with watched() as progress:
            for question in progress.track(questions(start, end), description="reading Stripe's lists"):
                _read(tx, gateway, question, account=chosen.account, is_live=is_live, tally=tallies[question.stream])
    _tell([*tallies.values()], start=start, end=end, is_cut=is_cut, as_json=as_json)
    return OK


def _pin(tx: Transaction, gateway: Gateway, chosen: Settings) -> bool:
    """The ledger's mode. Raises OtherAccount where the key is another's."""
    key = gateway.account()
    with committing(tx):
        pin_account(tx, chosen.account, stripe_account=key.stripe_account, is_live=key.is_live)
    return key.is_live


def _range(tx: Transaction, account: str, *, since: Instant, until: Instant) -> tuple[datetime, datetime, bool]:
    """From when to when, and whether Stripe lists less than was asked for."""
    now = ledger_time(tx)
    unread_from = min((cursor.read_to - OVERLAP for cursor in cursors(tx, account)), default=now - KEPT)
    start, end = instant_of(since, now=now) or unread_from, instant_of(until, now=now) or now
    is_cut, start = start < now - KEPT, max(start, now - KEPT)
    if start >= end:
        raise click.UsageError(f"--until, {instant(end)}, is not after {instant(start)}, from which on Stripe is asked")
    return start, end, is_cut


def _read(tx: Transaction, gateway: Gateway, question: Question, *, account: str, is_live: bool, tally: Tally) -> None:
    """Every page on its own, so that Ctrl-C loses nothing that was read."""
    following = None
    for _ in range(PAGES_MAX):
        page = gateway.events.list_events(
            question.stream, question.types, since=question.since, until=question.until, page=following
        )
        told = [parse(body) for body in page.bodies]
        ours = [event for event in told if event is not None and event.is_live == is_live]
        with committing(tx):
            found = record_found_events(tx, account, ours, found_by="command")
        tally.listed += len(told)
        tally.found += len(found)
        tally.foreign += len(told) - len(ours)
        following = page.following
        if following is None:
            return
    raise Failed(f"Stripe lists more than {PAGES_MAX * 100:,} events of one day: give a shorter --since and --until")


def _tell(tallies: list[Tally], *, start: datetime, end: datetime, is_cut: bool, as_json: bool) -> None:
    if as_json:
        print_json({"since": start, "until": end, "is_cut": is_cut, "streams": tallies})
        return
    print_table(
        ["list", "#listed", "#found", "#foreign"], [(one.stream, one.listed, one.found, one.foreign) for one in tallies]
    )
    found = sum(one.found for one in tallies)
    print_words(f"{found:,} events that nobody had told us, created from {instant(start)} to {instant(end)}")
    if is_cut:
        print_words("Stripe lists the last 30 days; of what is older nobody can say anything")
