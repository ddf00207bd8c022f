"""`meterpost subscriptions retry-failed`: what Stripe refused is tried again after a repair, as the desk does it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import assert_never

import click

from cli.exits import FINDINGS, INTERRUPTED, OK
from cli.interrupts import Interrupts, noted
from cli.ledger import committing, reading, writing
from cli.letters import line_of
from cli.ordering import REASON_CHARS_MAX, Sentence, actor_option, order_of
from cli.output import json_option, print_json, print_table, print_words, watched
from cli.restores import looking
from cli.subscription_calls import calls_of, duration_of
from meterpost.subscription import from_said
from service import settings
from service.ledger.actions import Order
from service.ledger.answers import Acted, Answer, Declined, Ordered, Unneeded
from service.ledger.connection import Transaction
from service.ledger.remedies import retry
from service.ledger.signups_shown import RejectedSignup, every_rejected, steps_counted
from service.letters import read_letter_id
from service.settings import Settings

SIGNUPS_A_STEP = 500
REASONS_MAX = 20  # told; the count is of all
REASONS_KEPT = 1_000  # while they are counted: Stripe's words may differ from row to row
DECLINED_MAX = 100
EPILOG = """\b
Examples:
  meterpost subscriptions retry-failed --import spring --dry-run
  meterpost subscriptions retry-failed --import spring --reason "the cards are attached now"
"""


@dataclass(slots=True, kw_only=True)
class Retried:
    """What became of the refused ones, and the shape of the answer in JSON. `calls` are those that are still needed."""

    refused: int = 0
    retried: int = 0
    unneeded: int = 0
    declined: int = 0
    calls: int = 0
    calls_s: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)  # of those that could not be, the first DECLINED_MAX


@click.command("retry-failed", epilog=EPILOG, short_help="Try again what Stripe refused, after a repair.")
@click.option("--import", "import_name", help="Of this import alone.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Change nothing; say how many, why, and how many calls.")
@click.option("--reason", type=Sentence(chars_max=REASON_CHARS_MAX), help="Why; kept with each action for ever.")
@actor_option
@json_option
def retry_failed(*, import_name: str | None, is_dry: bool, reason: str | None, actor: str | None, as_json: bool) -> int:
    """Try again what Stripe refused, once what it complained of is repaired there.

    Each is retried as `dead retry` would: it goes on behind the steps that are done, so only the calls that are still
    needed are made. Blocked ones are left to `dead retry`, one by one. Ctrl-C stops between two (exit code 130); exit
    code 3 where some could not be retried.
    """
    if reason is None and not is_dry:
        raise click.UsageError("say why, with --reason: it is kept with each action for ever")
    chosen, retried = settings.load(), Retried()
    with reading() as tx:
        _count(tx, chosen, import_name, retried=retried)
    is_stopped = False
    if reason is not None and not is_dry and retried.refused:
        with noted() as interrupts:
            order = order_of(actor, reason)
            is_stopped = _retry_all(chosen, import_name, order=order, retried=retried, interrupts=interrupts)
    _answer(retried, calls_per_s=chosen.calls_per_s, is_dry=is_dry, as_json=as_json)
    if is_stopped:
        return INTERRUPTED
    return FINDINGS if retried.declined else OK


def _count(tx: Transaction, chosen: Settings, import_name: str | None, *, retried: Retried) -> None:
    reasons: Counter[str] = Counter()
    for some in _chunks(every_rejected(tx, chosen.account, import_name, states=("refused",))):
        done: dict[int, dict[str, int]] = {one.signup_id: {} for one in some}
        for step in steps_counted(tx, list(done)):
            done[step.signup_id][step.step] = step.steps
        retried.refused += len(some)
        retried.calls += sum(_calls(one, chosen.account, done[one.signup_id]) for one in some)
        reasons.update(": ".join(filter(None, (one.step, one.code or one.reason))) for one in some)
        reasons = Counter(dict(reasons.most_common(REASONS_KEPT)))
    retried.reasons = dict(reasons.most_common(REASONS_MAX))
    retried.calls_s = -(-retried.calls // chosen.calls_per_s)


def _chunks(signups: Iterator[RejectedSignup]) -> Iterator[list[RejectedSignup]]:
    while some := list(islice(signups, SIGNUPS_A_STEP)):
        yield some


def _calls(signup: RejectedSignup, account: str, done: Mapping[str, int]) -> int:
    row = from_said(signup.said, account=account, source=signup.source, row_id=signup.row_id)
    return calls_of(row, done)


def _retry_all(
    chosen: Settings, import_name: str | None, *, order: Order, retried: Retried, interrupts: Interrupts
) -> bool:
    """Whether Ctrl-C ended it, between two."""
    with writing() as tx, looking(tx, chosen) as look, watched() as progress:
        task = progress.add_task("retrying", total=retried.refused)
        for signup in every_rejected(tx, chosen.account, import_name, states=("refused",)):
            if interrupts.wait(0):
                return True
            letter = read_letter_id(f"su-{signup.signup_id}")
            with committing(tx):
                look()
                answer = retry(Ordered(tx=tx, letter=letter, order=order), timing=chosen.timing)
            _add(retried, answer)
            progress.advance(task)
    return False


def _add(retried: Retried, answer: Answer) -> None:
    match answer:
        case Acted():
            retried.retried += 1
        case Unneeded():
            retried.unneeded += 1
        case Declined():
            retried.declined += 1
            if len(retried.said) < DECLINED_MAX:
                retried.said.append(line_of(answer))
        case _ as never:
            assert_never(never)


def _answer(retried: Retried, *, calls_per_s: int, is_dry: bool, as_json: bool) -> None:
    if as_json:
        print_json(retried)
        return
    if not retried.refused:
        print_words("nothing is refused")
        return
    print_table(["#rows", "step: why"], [(rows, reason) for reason, rows in retried.reasons.items()])
    for said in retried.said:
        print_words(said)
    lasts = duration_of(retried.calls, calls_per_s=calls_per_s)
    needed = f"at most {retried.calls:,} calls are still needed, about {lasts} at {calls_per_s:,} calls a second"
    done = "nothing was changed" if is_dry else f"{retried.retried:,} are tried again, {retried.declined:,} cannot be"
    print_words(f"{retried.refused:,} refused; {done}; {needed}")
