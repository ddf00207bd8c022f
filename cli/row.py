"""`meterpost row show`: a row's whole story, every state with one sentence."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from operator import itemgetter

import click

from cli.exits import OK, Failed
from cli.ledger import reading
from cli.output import instant, json_option, print_json, shown
from service.ledger.confirming import HOUR
from service.ledger.story import (
    ConcerningReport,
    ConflictingRow,
    MadeAttempt,
    MadeCancellation,
    MadeCorrection,
    QuarantinedRow,
    Reading,
    RecordedRow,
    ReportedMeterEvent,
    Story,
    tell_story,
)

Told = tuple[datetime, str]
EPILOG = """\b
Examples:
  meterpost row show export-17
  meterpost row show 01932f6e-7a11-7c02-9d5b-0d1f6a4c2e90 --json
"""
STATES = {
    "sealed": "It waits to be sent to Stripe.",
    "unknown": "A call may have counted; the same identifier is sent again, which cannot count twice.",
    "accepted": "Stripe took it; its summaries have not been read yet.",
    "confirmed": "Stripe's summaries agree: it counts, once.",
    "refused": "Stripe will not take it; a person has to look.",
    "held": "Whether it counts cannot be decided from here; it waits for Stripe's own books.",
    "conflict": "Stripe and the ledger disagree about it; a person has to look.",
    "cancelled": "A person took it back, and Stripe's summaries show nothing of it.",
}
DECIDED = {
    "carried": "It was late, and a person had it billed with a later period.",
    "waived": "It was late, and a person left it unbilled for good.",
}
OUTCOMES = {
    None: "still open, or its end was never heard",
    "accepted": "Stripe took it",
    "refused": "Stripe refused it for good",
    "unavailable": "it did not count, and is sent again",
    "unknown": "it may have counted",
}


VERDICTS = {
    "present": "it counts",
    "unseen": "not there yet, as a lag may explain",
    "absent": "not there; no proof yet",
    "proven_absent": "proven absent",
    "part": "neither the whole nor nothing",
    "contradicted": "no lag explains this",
}
VERDICTS_AGAIN = {
    "agreed": "they agree",
    "differs": "read again, because one answer may be old",
    "surplus": "one counts twice",
    "pending": "the cancellation does not show yet",
    "contradicted": "no lag explains this",
    "elsewhere": "the difference is in no minute of ours",
}
CANCELLATIONS = OUTCOMES | {"unknown": "it may have heeded it", "unavailable": "it did not, and is asked again"}


@click.group()
def command() -> None:
    """Look at rows."""


@command.command(epilog=EPILOG)
@click.argument("row_id")
@json_option
def show(*, row_id: str, as_json: bool) -> int:
    """Tell the whole story of the row ROW_ID.

    What was told, the meter event it became, every call to Stripe with its request id, and the confirmation; or why it
    stands in quarantine or in conflict. An id that several sources use shows all of their rows.
    """
    with reading() as tx:
        story = tell_story(tx, row_id)
    if story.is_empty:
        raise Failed(f"the ledger knows no row {row_id}: it may still be on the queue (see meterpost status)")
    if as_json:
        print_json(asdict(story))
    else:
        click.echo("\n".join(_lines(story)))
    return OK


def _lines(story: Story) -> Iterator[str]:
    for row in story.rows:
        yield from _of_row(row, story)
    for signup in story.signups:
        asked = f"a subscription of {signup.customer} to {signup.price}"
        yield f"Row {shown(signup.row_id)} of {shown(signup.source)}: {asked}"
        yield _at(
            signup.recorded_at, f"recorded, and {signup.state}: see meterpost subscriptions show su-{signup.signup_id}"
        )
    for conflict in story.conflicts:
        yield _at(conflict.recorded_at, f"told again by {shown(conflict.source)} with other content: {_told(conflict)}")
        yield "    In conflict: the first content counts, and this is kept for a person."
    for quarantined in story.quarantined:
        yield from _of_quarantined(quarantined, story)


def _of_row(row: RecordedRow, story: Story) -> Iterator[str]:
    yield f"Row {shown(row.row_id)} of {shown(row.source)}: {_told(row)}"
    yield _at(row.recorded_at, f"recorded as entry {row.entry_id}")
    for come in story.from_quarantine:
        if (come.account, come.source) == (row.account, row.source):
            yield _at(come.acted_at, f"taken out of quarantine (q-{come.quarantine_id}) by {shown(come.actor)}")
            yield f"    Reason: {shown(come.reason)}. Read as: {shown(come.said.decode('utf-8', 'backslashreplace'))}"
    for correction in story.corrections:
        if correction.entry_id == row.entry_id:
            yield _at(correction.acted_at, _of_making(correction))
    decided = [one for correction in story.corrections for one in _of_correction(row, correction)]
    meter_events = [one for one in story.meter_events if one.meter_event_id == row.meter_event_id]
    if not meter_events:
        yield from (_at(when, text) for when, text in decided)
        waits = "is sealed once that is over and its meter known; kept back where METERPOST_UNBILLED says so"
        yield f"    Recorded: it joins the bucket of {instant(row.bucket)} and {waits}."
    for meter_event in meter_events:
        yield from meter_event_lines(meter_event, story, decided=decided)


def _of_making(correction: MadeCorrection) -> str:
    """Of a row that a correction made."""
    of = f"me-{correction.meter_event_id}" if correction.meter_event_id else f"entry {correction.corrected_entry_id}"
    return f"made by a correction of {of}, {correction.kind} {_by(correction)}"


def _of_correction(row: RecordedRow, correction: MadeCorrection) -> Iterator[Told]:
    """Where it corrects this row or its meter event. What was waived has all of its units still."""
    if correction.entry_id == row.entry_id:
        return
    is_whole = correction.meter_event_id is not None and correction.meter_event_id == row.meter_event_id
    if is_whole or correction.corrected_entry_id == row.entry_id:
        what = f"me-{row.meter_event_id} was {correction.kind}" if is_whole else correction.kind
        units = f"; {shown(correction.units)} units" if correction.units else ""
        made = f", as row {shown(correction.row_id)} of {shown(correction.source)}" if correction.row_id else ""
        yield correction.acted_at, f"{what} {_by(correction)}{units}{made}"


def _by(correction: MadeCorrection) -> str:
    return f"by {shown(correction.actor)}: {shown(correction.reason)}"


def _told(row: RecordedRow | ConflictingRow) -> str:
    if isinstance(row, ConflictingRow) and row.said is not None:
        return f"a subscription, {shown(json.dumps(row.said, ensure_ascii=False))}"
    assert row.occurred_at is not None, "a row of usage tells when it was"
    return f"{shown(row.value)} {row.meter} of {row.customer} at {instant(row.occurred_at)}"


def meter_event_lines(meter_event: ReportedMeterEvent, story: Story, *, decided: Sequence[Told] = ()) -> Iterator[str]:
    """In the order in which it happened; `decided`: what persons did about the row that is told of."""
    yield from (_at(when, text) for when, text in decided if when < meter_event.sealed_at)
    others = f"together with {meter_event.entries - 1:,} more" if meter_event.entries > 1 else "alone"
    text = f"sealed {others} as meter event {meter_event.meter_event_id}: {shown(meter_event.value)}"
    yield _at(meter_event.sealed_at, f"{text} at {instant(meter_event.stamped_at)}")
    if meter_event.is_unbilled:
        yield "    Unbilled: no subscription on this meter was known when it was sealed."
    followed = [*_what_followed(meter_event, story), *(one for one in decided if one[0] >= meter_event.sealed_at)]
    lines = [*_calls(meter_event, story), *((when, _at(when, text)) for when, text in followed)]
    yield from (line for _, line in sorted(lines, key=itemgetter(0)))
    yield f"    {meter_event.state.capitalize()}: {_standing(meter_event, story)}{_why(meter_event)}"


def _standing(meter_event: ReportedMeterEvent, story: Story) -> str:
    """Of what is late, what a person decided of it: nobody has to look any more."""
    kinds = [one.kind for one in story.corrections if one.meter_event_id == meter_event.meter_event_id]
    return next((DECIDED[kind] for kind in kinds if kind in DECIDED), STATES[meter_event.state])


def _calls(meter_event: ReportedMeterEvent, story: Story) -> Iterator[Told]:
    """Lines of the identifiers, each with the calls under it; what was not called for yet stands behind what was."""
    when = meter_event.sealed_at
    for used in story.identifiers:
        of_it = (used.meter_event_id, used.generation)
        attempts = [one for one in story.attempts if (one.meter_event_id, one.generation) == of_it]
        if used.meter_event_id == meter_event.meter_event_id:
            when = attempts[0].started_at if attempts else when
            yield when, f"    generation {used.generation}, identifier {used.identifier}"
            for attempt in attempts:
                when = attempt.started_at
                yield when, _at(when, f"called Stripe: {_ended(attempt)}")


def _what_followed(meter_event: ReportedMeterEvent, story: Story) -> Iterator[Told]:
    """What became of it at Stripe, each with its time."""
    for when, text in ((meter_event.accepted_at, "accepted"), (meter_event.confirmed_at, "confirmed")):
        if when is not None:
            yield when, text
    for read in story.readings:
        if read.meter_event_id == meter_event.meter_event_id:
            yield read.read_at, _of_reading(read)
    for again in story.read_again:
        if again.meter_event_id == meter_event.meter_event_id and again.read_at >= meter_event.sealed_at:
            figures = f"counted {shown(again.counted)}, expected {shown(again.expected)}"
            span = "its hour was read again" if again.length >= HOUR else "its minute was read again"
            yield again.read_at, f"{span}: {figures}: {VERDICTS_AGAIN[again.verdict]}"
    yield from _what_was_told(meter_event, story)


def _what_was_told(meter_event: ReportedMeterEvent, story: Story) -> Iterator[Told]:
    """What Stripe reported of it by itself, and what it was asked to take back."""
    for report in story.reports:
        if report.meter_event_id == meter_event.meter_event_id:
            yield report.applied_at, _of_report(report)
    for made in story.cancellations:
        if made.meter_event_id == meter_event.meter_event_id:
            yield made.started_at, f"asked Stripe to cancel one copy of {made.identifier}: {_ended(made)}"


def _of_report(report: ConcerningReport) -> str:
    if report.told is not None:
        said = f"{shown(report.message)} ({shown(report.code)})"
        return f"error report {report.event_id} names it (generation {report.generation}, {shown(report.told)}): {said}"
    errors = f"{report.error_count:,} errors ({shown(report.codes)})"
    window = f"{instant(report.validation_start)} to {instant(report.validation_end)}"
    return f"error report {report.event_id}: {errors} from {window}, when it was called for, not named"


def _of_reading(read: Reading) -> str:
    figures = f"counted {shown(read.counted)}, settled {shown(read.settled)}, expected {shown(read.expected)}"
    canary = f", canary me-{read.canary_id}" if read.canary_id else ""
    return f"read back (generation {read.generation}): {figures}{canary}: {VERDICTS[read.verdict]}"


def _ended(attempt: MadeAttempt | MadeCancellation) -> str:
    outcomes = OUTCOMES if isinstance(attempt, MadeAttempt) else CANCELLATIONS
    said = [
        outcomes[attempt.outcome],
        f"status {attempt.status}" if attempt.status else "",
        shown(attempt.code),
        shown(attempt.detail),
        f"request {attempt.request_id}" if attempt.request_id else "",
        "replayed" if attempt.is_replayed else "",
    ]
    return ", ".join(filter(None, said))


def _why(meter_event: ReportedMeterEvent) -> str:
    reason = f" Reason: {shown(meter_event.reason)}." if meter_event.reason else ""
    return f"{reason} Next call at {instant(meter_event.due_at)}." if meter_event.due_at else reason


def _of_quarantined(row: QuarantinedRow, story: Story) -> Iterator[str]:
    yield _at(row.recorded_at, f"quarantined as number {row.quarantine_id}: {shown(row.field)}: {shown(row.reason)}")
    is_out = row.quarantine_id in {come.quarantine_id for come in story.from_quarantine}
    standing = "Taken out since" if is_out else "In quarantine: it was never counted"
    yield f"    {standing}. Its bytes: {shown(row.raw.decode('utf-8', 'backslashreplace'))}"


def _at(when: datetime, text: str) -> str:
    return f"  {instant(when)}  {text}"
