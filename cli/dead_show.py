"""`meterpost dead show`: the whole history of a dead letter, and what can be done about it."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import click

from cli.exits import OK, Failed
from cli.ledger import reading
from cli.letters import LetterParameter, told_letter
from cli.output import instant, json_option, print_json, shown
from cli.row import meter_event_lines
from cli.subscription_show import signup_lines, tell_signup
from service.ledger.actions import OperatorAction
from service.ledger.desk import CLASSES
from service.ledger.event_story import EventFailure, ToldEvent
from service.ledger.letter_story import LetterStory, ToldExternal, ToldOtherwise, tell_letter
from service.ledger.story import QuarantinedRow, Story
from service.letters import LetterId

EPILOG = """\b
Examples:
  meterpost dead show me-123
  meterpost dead show q-5 --json
"""
REMEDIES = {
    "refused": "dead retry sends it under a new identifier, or asks for it anew; dead discard leaves it unbilled",
    "blocked": (
        "dead retry looks again, after the other one was ended; dead retry --set allow_duplicate=true makes it all the"
        " same; dead discard leaves it"
    ),
    "too late": (
        "dead discard leaves it, once what its reason names is as it should be; dead retry --set allow_duplicate=true"
        " makes it beside that"
    ),
    "held": (
        "it is read back by itself, and dead retry asks for that now; where the reason leaves it to a person, look at"
        " Stripe's books, publish a row for what is missing, then dead discard"
    ),
    "conflict": "set it right at Stripe, then dead discard with what you did",
    "quarantined": "dead retry --set field=value records it; dead discard leaves it out",
    "row_conflict": "publish the difference as a row with an id of its own, then dead discard",
    "failed": "dead retry applies it again; dead discard leaves it",
    "external": (
        "let producers send the rows of its time again, and it is matched by itself; where it is nobody's usage, set it"
        " right at Stripe and dead discard it: the rows of its hour are then sent as usual"
    ),
}


@click.command(epilog=EPILOG)
@click.argument("letter", metavar="ID", type=LetterParameter())
@json_option
def show(*, letter: LetterId, as_json: bool) -> int:
    """Tell all that is known of ID: its rows, every call with its request id, readings of Stripe's books, actions."""
    with reading() as tx:
        story = tell_letter(tx, letter)
        signup = tell_signup(tx, story.signup) if story.signup else None
    if story.is_empty:
        raise Failed(f"the ledger has nothing of the id {letter}; see meterpost dead list")
    if as_json:
        standing = told_letter(story.standing) if story.standing else None
        print_json(asdict(story) | {"standing": standing, "signup": signup and asdict(signup)})
    else:
        click.echo("\n".join(_lines(letter, story)))
        click.echo("\n".join(signup_lines(signup)) if signup else "", nl=bool(signup))
    return OK


def _lines(letter: LetterId, story: LetterStory) -> Iterator[str]:
    if story.standing:
        standing = story.standing
        yield f"{letter}  {standing.class_} since {instant(standing.since)}: {CLASSES[standing.class_]}."
        yield f"    Reason: {shown(standing.reason)}"
        is_too_late = story.signup is not None and story.signup.is_too_late
        yield f"    Remedy: {REMEDIES['too late' if is_too_late else standing.class_]}."
    else:
        yield f"{letter}  does not need a person (any more)."
    if story.meter_event:
        yield from _of_meter_event(story.meter_event)
    if story.quarantined:
        yield from _of_quarantined(story.quarantined)
    for replayed in story.replayed:
        yield f"  recorded as row {shown(replayed.row_id)} of {shown(replayed.source)}, read as {_text(replayed.said)}"
    if story.conflict:
        yield from _of_conflict(story.conflict)
    if story.event:
        yield from _of_event(story.event)
        yield from map(failure_line, story.failures)
    if story.external:
        yield from _of_external(story.external)
    if not story.signup:
        yield from map(action_line, reversed(story.actions))


def _of_meter_event(story: Story) -> Iterator[str]:
    (meter_event,) = story.meter_events
    for row in story.rows:
        told = f"{shown(row.value)} {row.meter} of {row.customer} at {instant(row.occurred_at)}"
        yield f"  {instant(row.recorded_at)}  row {shown(row.row_id)} of {shown(row.source)}: {told}"
    if meter_event.entries > len(story.rows):
        yield f"  and {meter_event.entries - len(story.rows):,} rows more"
    yield from meter_event_lines(meter_event, story)


def _of_quarantined(row: QuarantinedRow) -> Iterator[str]:
    yield f"  {instant(row.recorded_at)}  quarantined: {shown(row.field)}: {shown(row.reason)}"
    yield f"    Its bytes: {_text(row.raw)}"


def _of_conflict(told: ToldOtherwise) -> Iterator[str]:
    yield f"  row {shown(told.row_id)} of {shown(told.source)}"
    if told.first_said is not None:
        yield f"    told first, and counts: {shown(json.dumps(told.first_said))} (su-{told.entry_id})"
    elif told.first_value is not None and told.first_occurred_at is not None:
        first = f"{shown(told.first_value)} {told.first_meter} of {told.first_customer}"
        yield f"    told first, and counts: {first} at {instant(told.first_occurred_at)} (entry {told.entry_id})"
    then = shown(json.dumps(told.said))
    if told.said is None and told.occurred_at is not None:
        then = f"{shown(told.value)} {told.meter} of {told.customer} at {instant(told.occurred_at)}"
    yield f"    told at {instant(told.recorded_at)}: {then}"
    if told.is_alike:
        yield "    What is kept of both is the same: they told different units, or only one told a unit or its time."


def _of_event(event: ToldEvent) -> Iterator[str]:
    told = f"{shown(event.type)} of {shown(event.object_id)}, told {event.deliveries} times"
    yield f"  {instant(event.received_at)}  {told}"
    yield f"    {event.state.capitalize()} after {event.failures} failures: {shown(event.reason)}"


def failure_line(failure: EventFailure) -> str:
    return f"  {instant(failure.failed_at)}  failed: {shown(failure.reason)}"


def _of_external(external: ToldExternal) -> Iterator[str]:
    told = (
        f"{shown(external.value)} {external.meter} of {external.customer} in the minute of {instant(external.minute)}"
    )
    yield f"  {instant(external.found_at)}  Stripe counts {told}, found after restore {external.epoch_id}"
    if external.meter_event_id is not None:
        yield f"    Its rows came again: me-{external.meter_event_id}"


def action_line(one: OperatorAction) -> str:
    step = f"{one.state_before} → {one.state_after}"
    return f"  {instant(one.acted_at)}  {one.verb} by {shown(one.actor)} ({step}): {shown(one.reason)}"


def _text(raw: bytes) -> str:
    return shown(raw.decode("utf-8", "backslashreplace"))
