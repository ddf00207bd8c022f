"""Thin events, `/v2/core/events`: what happened to which object, without the object. Kept for 30 days.

Two kinds: those that exist only thin (a meter's error report), and the twins of snapshot events. Their `data` is told
to who fetches them and never delivered.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.announcement import Announcement, announce, cause
from sandbox.books import Books
from sandbox.call import Call
from sandbox.errors import no_such
from sandbox.event_types import reference, thin_twin
from sandbox.pages import newest_first, page
from sandbox.rfc3339 import text_of
from sandbox.wire import JsonObject

PING = "v2.core.event_destination.ping"


@dataclass(slots=True, kw_only=True)
class CoreEvent(Announcement):
    related_object: JsonObject | None
    details: JsonObject | None
    """Its `data`."""
    snapshot_event: str | None = None
    only_for: str | None = None
    """The one destination that it goes to; None for all that want its type."""

    def render_delivered(self) -> JsonObject:
        body: JsonObject = {
            "id": self.id,
            "object": "v2.core.event",
            "type": self.type,
            "livemode": self.livemode,
            "created": text_of(self.created),
            "context": None,
            "reason": {"type": "request", "request": cause(self)} if self.request_id else None,
            "related_object": self.related_object,
        }
        return body if self.snapshot_event is None else body | {"snapshot_event": self.snapshot_event}

    def render_fetched(self) -> JsonObject:
        body = self.render_delivered()
        return body if self.details is None else body | {"data": self.details}


def record_thin(books: Books, kind: str, *, related_object: JsonObject | None, details: JsonObject) -> CoreEvent:
    """Records what happened by itself and has no snapshot, and announces it."""
    return announce(
        books,
        CoreEvent(
            id=books.ids.new("evt"),
            type=kind,
            created=books.now,
            livemode=books.livemode,
            related_object=related_object or _nothing(books),
            details=details,
        ),
    )


def record_twin(books: Books, snapshot: Announcement, subject: JsonObject) -> CoreEvent | None:
    """Records the thin event of the same occurrence; None where Stripe has no such type or the object no address."""
    kind, related_object = thin_twin(snapshot.type), reference(subject)
    if kind is None or related_object is None:
        return None
    twin = CoreEvent(
        id=books.ids.new("evt"),
        type=kind,
        created=snapshot.created,
        livemode=snapshot.livemode,
        request_id=snapshot.request_id,
        idempotency_key=snapshot.idempotency_key,
        related_object=related_object,
        details=None,
        snapshot_event=snapshot.id,
    )
    return announce(books, twin)


def record_ping(call: Call, destination_id: str) -> CoreEvent:
    """Records the event that says to one destination: you are heard."""
    address = f"/v2/core/event_destinations/{destination_id}"
    ping = CoreEvent(
        id=call.books.ids.new("evt"),
        type=PING,
        created=call.now,
        livemode=call.books.livemode,
        request_id=call.request_id,
        idempotency_key=call.idempotency_key,
        related_object={"id": destination_id, "type": "v2.core.event_destination", "url": address},
        details=None,
        only_for=destination_id,
    )
    return announce(call.books, ping)


def _nothing(books: Books) -> JsonObject | None:
    return {} if books.settings.absent_related_object == "empty" else None


def retrieve(call: Call) -> JsonObject:
    event = call.books.shelf(CoreEvent).get(call.id)
    call.params.nothing_else()
    if event is None or event.is_forgotten(call.now):
        raise no_such("event", call.id)
    return event.render_fetched()


def list_page(call: Call) -> JsonObject:
    return page(call, _wanted(call), CoreEvent.render_fetched)


def _wanted(call: Call) -> Iterable[CoreEvent]:
    return (event for event in newest_first(call, CoreEvent) if not event.is_forgotten(call.now))
