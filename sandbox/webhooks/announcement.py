"""What snapshot and thin events have in common: who has not heard of them yet, and for how long they are kept.

Stripe keeps events for 30 days; older ones leave the shelf when new ones come, so that memory is bounded by what
happens in a month.
"""

from dataclasses import dataclass
from typing import TypeVar

from sandbox.books import Books
from sandbox.wire import JsonObject

RETENTION_S = 30 * 86_400


@dataclass(slots=True, kw_only=True)
class Announcement:
    id: str
    type: str
    created: int
    livemode: bool
    request_id: str | None = None
    """Of the call that made it happen; None where time did."""
    idempotency_key: str | None = None
    pending: int = 0
    """Destinations that have not yet answered 2xx."""
    acknowledged_at: int | None = None
    """When the last of them did; at its creation where none wanted it."""

    def is_forgotten(self, now: int) -> bool:
        return now - self.created > RETENTION_S

    def delivered(self, now: int) -> None:
        """One more destination has answered 2xx."""
        self.pending -= 1
        if not self.pending:
            self.acknowledged_at = now


A = TypeVar("A", bound=Announcement)


def announce(books: Books, event: A) -> A:
    """Shelves a new event and has it delivered."""
    keep(books, event)
    books.announce(books, event.id)
    return settled(event)


def keep(books: Books, event: Announcement) -> None:
    """Shelves it, and lets go of those at the far end that are past their time."""
    shelf: dict[str, Announcement] = books.shelf(type(event))
    shelf[event.id] = event
    while (oldest := next(iter(shelf.values()))).is_forgotten(books.now):
        del shelf[oldest.id]


def settled(event: A) -> A:
    """Acknowledged from the start where no destination wanted it."""
    if not event.pending and event.acknowledged_at is None:
        event.acknowledged_at = event.created
    return event


def cause(event: Announcement) -> JsonObject:
    """The `request` of a snapshot event, and of a thin event's `reason`."""
    return {"id": event.request_id, "idempotency_key": event.idempotency_key}
