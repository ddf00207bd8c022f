"""Which part of Stripe's lists of events is read next, and where the cursor stands after a page. Pure.

A backlog is read day by day, the oldest first: it is what Stripe forgets first. Within a day each chunk of types has a
list of its own, newest first, and the cursor moves to the day's end only after the last page of the last of them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.event_types import SNAPSHOT_TYPES, THIN_TYPES
from service.stripe_events import Stream

TYPES_MAX = 20  # that Stripe takes in one question
KEPT = timedelta(days=30)  # by Stripe, which lists nothing older
# An event is stamped when its object changed, and Stripe promises nowhere how soon it is listed. What is listed more
# than an hour late is missed here, unless it is pushed; what is read twice is recorded once.
OVERLAP = timedelta(hours=1)
SPAN_MAX = timedelta(days=1)
PRESENT = timedelta(minutes=1)  # a span that ended since then was read to its present, though that took some passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a list is read. `read_until` None: no span is begun. `is_live`, `now`: the ledger's mode and time."""

    account: str
    is_live: bool
    stream: Stream
    read_to: datetime
    read_until: datetime | None
    chunk: int
    page: str | None
    now: datetime

    @property
    def horizon(self) -> datetime:
        """What Stripe created before this, it does not list any more."""
        return self.now - KEPT

    @property
    def is_behind_horizon(self) -> bool:
        return self.read_to < self.horizon

    @property
    def since(self) -> datetime:
        return self.read_to - OVERLAP

    @property
    def until(self) -> datetime:
        """Never before `read_to`, whatever was done to the clocks."""
        return self.read_until or max(self.read_to, min(self.read_to + SPAN_MAX, self.now))

    @property
    def types(self) -> tuple[str, ...]:
        return chunks_of(self.stream)[self.chunk]

    def after(self, following: str | None) -> "Cursor":
        """Where it stands once a page is recorded, the list going on at `following`."""
        if following is not None:
            return replace(self, read_until=self.until, page=following)
        if self.chunk + 1 < len(chunks_of(self.stream)):
            return replace(self, read_until=self.until, chunk=self.chunk + 1, page=None)
        return replace(self, read_to=self.until, read_until=None, chunk=0, page=None)

    def at_the_beginning(self) -> "Cursor":
        """Its span anew: a release may have cut the chunks differently, and Stripe may forget a page."""
        return replace(self, read_until=None, chunk=0, page=None)

    def at_the_horizon(self) -> "Cursor":
        return replace(self.at_the_beginning(), read_to=self.horizon)

    def is_at_present(self) -> bool:
        return self.read_until is None and self.now - self.read_to < PRESENT


def chunks_of(stream: Stream) -> list[tuple[str, ...]]:
    """The types that have an effect here, as many at once as Stripe may be asked for."""
    types = SNAPSHOT_TYPES if stream is Stream.SNAPSHOT else THIN_TYPES
    return [types[start : start + TYPES_MAX] for start in range(0, len(types), TYPES_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One list of one day, to be read to its end."""

    stream: Stream
    types: tuple[str, ...]
    since: datetime
    until: datetime


def questions(since: datetime, until: datetime) -> list[Question]:
    """All that is to be asked of a range, the oldest day first."""
    days = -((since - until) // SPAN_MAX)  # rounded up
    starts = [since + day * SPAN_MAX for day in range(days)]
    return [
        Question(stream=stream, types=types, since=start, until=min(start + SPAN_MAX, until))
        for start in starts
        for stream in Stream
        for types in chunks_of(stream)
    ]
