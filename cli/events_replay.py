"""`meterpost events replay`: put events back to received; the normal path applies them, and can bill nothing twice."""

from dataclasses import asdict

import click

from cli.events_shown import EventParameter, type_option
from cli.exits import OK
from cli.ledger import committing, writing
from cli.letters import line_of, print_answer
from cli.ordering import order_of, order_options
from cli.output import json_option, print_json, print_words
from service.ledger.actions import Order
from service.ledger.answers import Acted, Answer, Ordered
from service.ledger.connection import Transaction
from service.ledger.event_replays import replay_event
from service.ledger.event_story import WantedEvents, told_events
from service.letters import Kind, LetterId

EVENTS_MAX = 10_000  # at once; the rest by the same command again
EPILOG = """\b
Examples:
  meterpost events replay evt_1NG8Du2eZvKYlo2CUI79vXWy --reason "the mirror was repaired, INC-42"
  meterpost events replay --failed --type 'customer.subscription.*' --reason "Stripe answers again"
"""


@click.command(epilog=EPILOG)
@click.argument("event", metavar="[EVENT]", type=EventParameter(), required=False)
@click.option("--failed", "is_failed", is_flag=True, help="All that could not be applied.")
@type_option("With --failed: only these, such as 'invoice.*'.")
@order_options
@json_option
def replay(
    *, event: str | None, is_failed: bool, of_type: str | None, reason: str, actor: str | None, as_json: bool
) -> int:
    """Have EVENT, or all failed ones, applied again from the start.

    Nothing is done by hand: the event is due again, and the worker applies it as if it had just come. Of an event that
    was applied, nothing changes: an effect happens at most once, and the newest word holds.
    """
    if (event is None) == (not is_failed):
        raise click.UsageError("give the id of one EVENT, or --failed for all that failed")
    if of_type is not None and not is_failed:
        raise click.UsageError("--type goes with --failed; one EVENT has one type")
    order = order_of(actor, reason)
    with writing() as tx:
        if event is not None:
            print_answer(_replay(tx, event, order=order), as_json=as_json)
            return OK
        failed = told_events(tx, WantedEvents(type=of_type, state="failed"), events_max=EVENTS_MAX)
        _tell([_replay(tx, one.event_id, order=order) for one in failed], as_json=as_json)
    return OK


def _replay(tx: Transaction, event_id: str, *, order: Order) -> Answer:
    """One a transaction: what is replayed stays replayed when the next one cannot be."""
    with committing(tx):
        return replay_event(Ordered(tx=tx, letter=LetterId(kind=Kind.EVENT, key=event_id), order=order))


def _tell(answers: list[Answer], *, as_json: bool) -> None:
    done = sum(isinstance(answer, Acted) for answer in answers)
    if as_json:
        told = [asdict(answer) | {"done": isinstance(answer, Acted)} for answer in answers]
        print_json({"replayed": done, "answers": told})
        return
    for answer in answers:
        click.echo(line_of(answer))
    print_words(f"{done:,} of {len(answers):,} failed events are applied again")
