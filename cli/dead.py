"""`meterpost dead`: the desk of everything that needs a person, and what a person may do about it."""

from datetime import datetime, timedelta

import click

from cli.dead_drain import drain
from cli.dead_show import show
from cli.exits import FINDINGS, OK
from cli.ledger import committing, reading, writing
from cli.letters import (
    FieldParameter,
    LetterParameter,
    correction_of,
    filter_options,
    print_answer,
    told_letter,
    wanted_of,
)
from cli.ordering import order_of, order_options
from cli.output import age, json_option, print_json, print_table, print_words, shown
from cli.restores import looking
from service import settings
from service.ledger.actions import actions_on, broken_actions
from service.ledger.answers import Ordered
from service.ledger.desk import CLASSES, DeadLetter, Place, Total, dead_letters, dead_totals
from service.ledger.overview import ledger_time
from service.ledger.remedies import discard, retry
from service.letters import LetterId
from service.ratecard.chosen import units_of

LETTERS_MAX = 1_000  # a page; more is for --json and a loop
REASON_SHOWN_MAX = 60  # of a reason in the list; dead show has all of it
LIST_EPILOG = """\b
Examples:
  meterpost dead list
  meterpost dead list --class refused --meter api_requests --since 2d
  meterpost dead list --reason-like "no such customer" --json | jq -r '.letters[].letter'
"""
RETRY_EPILOG = """\b
Examples:
  meterpost dead retry me-123 --reason "the customer exists now"
  meterpost dead retry q-5 --set value=1.5 --drop valeu --reason "a typing error, INC-42"
"""
DISCARD_EPILOG = """\b
Examples:
  meterpost dead discard q-5 --reason "a probe of ours, no usage"
  meterpost dead discard me-123 --reason "credited by hand, INC-42"
"""
AUDIT_EPILOG = """\b
Examples:
  meterpost dead audit
  meterpost dead audit --json | jq .broken
"""


@click.group()
def command() -> None:
    """List, show, retry, discard and drain what needs a person."""


command.add_command(show)
command.add_command(drain)


@command.command("list", epilog=LIST_EPILOG)
@filter_options(is_class_required=False)
@click.option("--limit", type=click.IntRange(1, LETTERS_MAX), default=50, show_default=True, help="How many a page.")
@click.option("--after", help="Where the last page ended, as it said.")
@json_option
def list_letters(  # one parameter an option of the command
    *,
    of_class: str | None,
    customer: str | None,
    meter: str | None,
    like: str | None,
    since: datetime | timedelta | None,
    limit: int,
    after: str | None,
    as_json: bool,
) -> int:
    """List what needs a person, the longest waiting first, with the totals of each class at the end.

    Classes: refused, held and conflict are meter events; quarantined and row_conflict are rows; failed are Stripe's
    events; external is what Stripe counts and a restored ledger does not know.
    """
    place = _place(after)
    with reading() as tx:
        now = ledger_time(tx)
        wanted = wanted_of(of_class=of_class, customer=customer, meter=meter, like=like, since=since, now=now)
        found = dead_letters(tx, wanted, after=place, letters_max=limit + 1)
        totals = dead_totals(tx, wanted)
    letters = found[:limit]
    following = _following(letters[-1]) if len(found) > limit else None
    if as_json:
        told = {"letters": [told_letter(one) for one in letters], "totals": [told_letter(one) for one in totals]}
        print_json(told | {"after": following})
    else:
        _print(letters, totals, now=now, following=following)
    return OK


@command.command("retry", epilog=RETRY_EPILOG)
@click.argument("letter", metavar="ID", type=LetterParameter())
@click.option("--set", "set_to", type=FieldParameter(), multiple=True, help="Correct a field of a row in quarantine.")
@click.option("--drop", "left_out", metavar="FIELD", multiple=True, help="Leave a field of such a row out.")
@order_options
@json_option
def retry_letter(
    *,
    letter: LetterId,
    set_to: tuple[tuple[str, str], ...],
    left_out: tuple[str, ...],
    reason: str,
    actor: str | None,
    as_json: bool,
) -> int:
    """Try ID again, in the way that can bill nothing twice.

    A refused meter event is sent under a new identifier: nothing of it can have counted. A held one is read back from
    Stripe's books first, which decide. A row in quarantine is read again, as it stands or corrected. A failed event is
    applied again. Asked twice, nothing more happens.
    """
    chosen = settings.load()
    with writing() as tx, looking(tx, chosen) as look, committing(tx):
        look()
        ordered = Ordered(tx=tx, letter=letter, order=order_of(actor, reason))
        correction = correction_of(set_to, left_out)
        answer = retry(ordered, correction=correction, timing=chosen.timing, units=units_of(chosen))
    print_answer(answer, as_json=as_json)
    return OK


@command.command("discard", epilog=DISCARD_EPILOG)
@click.argument("letter", metavar="ID", type=LetterParameter())
@order_options
@json_option
def discard_letter(*, letter: LetterId, reason: str, actor: str | None, as_json: bool) -> int:
    """Take ID off the desk for good. It stays on the books with the reason, and is never sent again.

    A held meter event may have been billed all the same: that is said, and for you to settle. Of what is external, the
    rows of its hour are then sent as usual, also those that Stripe counts already.
    """
    with writing() as tx, committing(tx):
        answer = discard(Ordered(tx=tx, letter=letter, order=order_of(actor, reason)))
    print_answer(answer, as_json=as_json)
    return OK


@command.command("audit", epilog=AUDIT_EPILOG)
@json_option
def audit(*, as_json: bool) -> int:
    """Show what persons did, the newest first, and check that nobody changed it since (exit code 3 if somebody did)."""
    with reading() as tx:
        actions, broken = actions_on(tx, None), broken_actions(tx)
    if as_json:
        print_json({"actions": actions, "broken": broken})
    else:
        rows = [
            (one.action_id, one.acted_at, one.actor, one.verb, one.subject, one.state_after, one.reason)
            for one in actions
        ]
        print_table(["#action", "when", "who", "did", "on", "after", "why"], rows)
        print_words(f"changed since: actions {broken}" if broken else "the chain of actions is whole")
    return FINDINGS if broken else OK


def _place(after: str | None) -> Place | None:
    if after is None:
        return None
    since, _, letter = after.partition("/")
    try:
        place = Place(since=datetime.fromisoformat(since), letter=letter)
    except ValueError:
        raise click.BadParameter("give what the last page said, such as 2026-03-01T12:00:00+00:00/me-7") from None
    if place.since.utcoffset() is None:
        raise click.BadParameter("its instant has no offset; give what the last page said")
    return place


def _following(last: DeadLetter) -> str:
    return f"{last.since.isoformat()}/{last.letter}"


def _print(letters: list[DeadLetter], totals: list[Total], *, now: datetime, following: str | None) -> None:
    rows = [
        (
            one.letter,
            one.class_,
            age(_seconds(one.since, now=now)),
            one.customer,
            one.meter,
            one.value,
            _short(one.reason),
        )
        for one in letters
    ]
    print_table(["id", "class", "#since", "customer", "meter", "#value", "reason"], rows)
    if following:
        print_words(f"more: add --after {following}")
    for total in totals:
        oldest = age(_seconds(total.since, now=now))
        print_words(f"{total.class_}: {shown(total.letters)}, the oldest since {oldest}: {CLASSES[total.class_]}")
    if not totals:
        print_words("nothing needs a person")


def _short(reason: str) -> str:
    return reason if len(reason) <= REASON_SHOWN_MAX else f"{reason[: REASON_SHOWN_MAX - 1]}…"


def _seconds(since: datetime, *, now: datetime) -> int:
    return max(0, int((now - since).total_seconds()))
