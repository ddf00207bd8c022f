"""`meterpost events tail`: new events as they are recorded, until Ctrl-C."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import click

from cli.events_shown import how, type_option
from cli.exits import OK
from cli.ledger import reading
from cli.output import instant, json_option, plain, print_words, shown
from service.ledger import LedgerUnavailable, Transaction
from service.ledger.event_story import EventPlace, ToldEvent, WantedEvents, told_events
from service.ledger.overview import ledger_time

# A transaction that commits late carries an earlier time: so long back is looked again, and what was shown is known.
LOOK_BACK = timedelta(seconds=30)
PAGE = 1_000
PAGES_MAX = 100  # of one look
EPILOG = """\b
Examples:
  meterpost events tail
  meterpost events tail --type 'invoice.*'
  meterpost events tail --json | jq -r .type
"""


@click.command(epilog=EPILOG)
@type_option("Only these, such as 'invoice.*'.")
@click.option(
    "--interval", "interval_s", type=click.FloatRange(0.1, 3_600), default=1, show_default=True, help="Seconds between."
)
@json_option
def tail(*, of_type: str | None, interval_s: float, as_json: bool) -> int:
    """Follow new events live until Ctrl-C, one a line; with --json one object a line."""
    with reading() as tx:
        news = News(of_type, since=ledger_time(tx))
    print_words("following what is recorded from now on; Ctrl-C ends this")
    pause = threading.Event()
    with suppress(KeyboardInterrupt):
        while not pause.is_set():
            for event in news.look():
                click.echo(json.dumps(event, default=plain) if as_json else _line(event))
            pause.wait(interval_s)
    return OK


class News:
    """What was recorded since the last look."""

    def __init__(self, of_type: str | None, *, since: datetime) -> None:
        self._of_type = of_type
        self._begun_at = self._looked_at = since
        self._known = set[str]()

    def look(self) -> list[ToldEvent]:
        """What was not shown yet, the oldest first. A ledger that is away is asked again at the next look."""
        look_from = max(self._begun_at, self._looked_at - LOOK_BACK)
        try:
            with reading() as tx:
                now = ledger_time(tx)
                found = list(_found(tx, WantedEvents(type=self._of_type, since=look_from)))
        except LedgerUnavailable as away:
            print_words(f"away: {away}")
            return []
        new = [event for event in found if event.event_id not in self._known]
        self._known = {event.event_id for event in found}
        self._looked_at = now
        return new[::-1]


def _found(tx: Transaction, wanted: WantedEvents) -> Iterator[ToldEvent]:
    """The newest first."""
    after = None
    for _ in range(PAGES_MAX):
        page = told_events(tx, wanted, after=after, events_max=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = EventPlace(received_at=page[-1].received_at, event_id=page[-1].event_id)


def _line(event: ToldEvent) -> str:
    about = shown(event.object_id) or "no object"
    return f"{instant(event.received_at)}  {event.event_id}  {shown(event.type)}  {about}  {how(event)}"
