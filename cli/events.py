"""`meterpost events`: what Stripe told us, what it only lists, what became of it, and how to have it applied again."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta

import click

from cli.dead_show import action_line, failure_line
from cli.events_catch_up import catch_up
from cli.events_replay import replay
from cli.events_shown import EventParameter, dashboard_links, event_filter_options, how, row_of, wanted_events_of
from cli.events_tail import tail
from cli.exits import OK, Failed
from cli.ledger import reading
from cli.output import instant, json_option, print_json, print_table, print_words, shown
from service.ledger.accounts import PinnedAccount, pinned_account
from service.ledger.error_reports import ToldReport
from service.ledger.event_story import EventPlace, EventStory, ToldEvent, event_body, tell_event, told_events
from service.ledger.overview import ledger_time

EVENTS_MAX = 1_000  # a page; more is for --json and a loop
LIST_EPILOG = """\b
Examples:
  meterpost events list
  meterpost events list --type 'invoice.*' --since 2d
  meterpost events list --missed --json | jq -r '.events[].event_id'
"""
SHOW_EPILOG = """\b
Examples:
  meterpost events show evt_1NG8Du2eZvKYlo2CUI79vXWy
  meterpost events show evt_1NG8Du2eZvKYlo2CUI79vXWy --body
  meterpost events show evt_1NG8Du2eZvKYlo2CUI79vXWy --json | jq .meter_events
"""
COLUMNS = ("event", "type", "state", "object", "created", "received", "how", "reason")


@click.group()
def command() -> None:
    """Read what Stripe told us, have it applied again, and catch up with what it did not push."""


command.add_command(replay)
command.add_command(tail)
command.add_command(catch_up)


@command.command("list", epilog=LIST_EPILOG)
@event_filter_options
@click.option("--missed", "is_missed", is_flag=True, help="Only what Stripe lists and never pushed.")
@click.option("--limit", type=click.IntRange(1, EVENTS_MAX), default=50, show_default=True, help="How many a page.")
@click.option("--after", help="Where the last page ended, as it said.")
@json_option
def list_events(  # one parameter an option of the command
    *,
    of_type: str | None,
    state: str | None,
    object_id: str | None,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    is_missed: bool,
    limit: int,
    after: str | None,
    as_json: bool,
) -> int:
    """List Stripe's events, the newest received first.

    States: received waits to be applied, applied has had its effect, ignored changes nothing here, failed needs a
    person (meterpost dead list).
    """
    place = _place(after)
    with reading() as tx:
        wanted = wanted_events_of(
            of_type=of_type,
            state=state,
            object_id=object_id,
            since=since,
            until=until,
            is_missed=is_missed,
            now=ledger_time(tx),
        )
        found = told_events(tx, wanted, after=place, events_max=limit + 1)
    events = found[:limit]
    following = f"{events[-1].received_at.isoformat()}/{events[-1].event_id}" if len(found) > limit else None
    if as_json:
        print_json({"events": events, "after": following})
    else:
        _print(events, following=following)
    return OK


@command.command("show", epilog=SHOW_EPILOG)
@click.argument("event", metavar="EVENT", type=EventParameter())
@click.option("--body", "with_body", is_flag=True, help="Also what Stripe said, as it came.")
@json_option
def show(*, event: str, with_body: bool, as_json: bool) -> int:
    """Tell all that is known of EVENT: how it came, each failure, its effects, and what it concerns."""
    with reading() as tx:
        story = tell_event(tx, event)
        if story is None:
            raise Failed(
                f"the ledger has no event {event}: see meterpost events list; where Stripe has it, run meterpost events"
                " catch-up"
            )
        body = event_body(tx, event) if with_body else None
        account = pinned_account(tx, story.event.account)
    if as_json:
        told = asdict(story) | {"dashboard": dashboard_links(story.event, account)}
        print_json(told | ({} if body is None else {"body": body}))
    else:
        click.echo("\n".join(_lines(story, account)))
        if body is not None:
            click.echo(body.decode("utf-8", "backslashreplace"))
    return OK


def _place(after: str | None) -> EventPlace | None:
    if after is None:
        return None
    received_at, _, event_id = after.partition("/")
    try:
        place = EventPlace(received_at=datetime.fromisoformat(received_at), event_id=event_id)
    except ValueError:
        place = None
    if place is None or place.received_at.utcoffset() is None or not event_id:
        raise click.BadParameter("--after: give what the last page said, such as 2026-03-01T12:00:00+00:00/evt_1Abc")
    return place


def _print(events: list[ToldEvent], *, following: str | None) -> None:
    print_table(COLUMNS, [row_of(event) for event in events])
    if following:
        print_words(f"more: add --after {following}")
    if not events:
        print_words("no such events")


def _lines(story: EventStory, account: PinnedAccount | None) -> Iterator[str]:
    event = story.event
    mode = "live" if event.is_live else "test"
    yield f"{event.event_id}  {shown(event.type)} of {shown(event.object_id) or 'no object'}, {mode} mode"
    yield f"  {instant(event.created_at)}  created by Stripe (API version {shown(event.api_version) or 'none'})"
    yield from _receipt(event)
    yield from map(failure_line, story.failures)
    for effect in story.effects:
        yield f"  {instant(effect.applied_at)}  effect: {effect.kind}"
    yield from map(action_line, reversed(story.actions))
    yield f"  {event.state.capitalize()}{f': {shown(event.reason)}' if event.reason else ''}"
    for name, url in dashboard_links(event, account).items():
        yield f"  {name} at Stripe: {url}"
    if story.report:
        yield from _of_report(story.report)
    yield from _concerned(story)


def _of_report(report: ToldReport) -> Iterator[str]:
    window = f"{instant(report.validation_start)} to {instant(report.validation_end)}"
    yield f"  reports {report.error_count:,} errors ({shown(report.codes)}) from {window}: {shown(report.summary)}"
    yield f"    {report.named:,} of them named; of {report.suspects:,} others called for then Stripe's books are asked"
    for orphan in report.orphans:
        yield f"    not of this ledger: {shown(orphan)}"


def _receipt(event: ToldEvent) -> Iterator[str]:
    yield f"  {instant(event.received_at)}  {how(event)}"
    if event.verified_by:
        newest = f", the newest by {event.last_verified_by}" if event.last_verified_by != event.verified_by else ""
        yield f"    its first delivery was signed by the secret {event.verified_by}{newest}"
    if event.last_delivered_at and event.last_delivered_at != event.received_at:
        yield f"  {instant(event.last_delivered_at)}  delivered last"
    if event.missed_at:
        yield f"  {instant(event.missed_at)}  said to be missed: no delivery had come"


def _concerned(story: EventStory) -> Iterator[str]:
    for invoice in story.invoices:
        period = f"{shown(invoice.period_start)} … {shown(invoice.period_end)}"
        yield f"  concerns invoice {invoice.invoice} ({invoice.status or 'deleted'}), {period}"
    for one in story.meter_events:
        told = f"{shown(one.value)} {one.meter} of {one.customer} at {instant(one.stamped_at)}"
        yield f"  concerns {one.letter}: {told}, {one.state}, {one.rows} row(s); meterpost dead show {one.letter}"
    for row in story.rows:
        yield f"  concerns row {shown(row.row_id)} of {shown(row.source)} ({row.letter}): meterpost row show"
