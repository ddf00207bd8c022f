"""Thin events, `/v2/core/events`: what happened to which object, without the object. Kept for 30 days.

Two kinds: those that exist only thin (a meter's error report), and the twins of snapshot events. Their `data` is told
to who fetches them and never delivered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor

from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.pages import newest_first, page_v2
from sandbox.parameters.params import NO_BOUND, Bounds, Params
from sandbox.rfc3339 import instant_of, text_of
from sandbox.webhooks.announcement import Announcement, announce, cause
from sandbox.webhooks.event_types import reference, thin_twin
from sandbox.wire import JsonObject

TYPES_MAX = 20
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
        raise not_found("event", call.id)
    return event.render_fetched()


def not_found(noun: str, identity: str) -> ApiError:
    """What v2 says of an id in the path."""
    return ApiError(404, f"No such {noun}: '{identity}'", code="not_found")


def list_page(call: Call) -> JsonObject:
    wanted = _wanted(call, types=_types(call), object_id=call.params.text("object_id"), span=_span(call))
    found = page_v2(call, wanted, CoreEvent.render_fetched)
    call.params.nothing_else()
    return found


def _wanted(call: Call, *, types: list[str], object_id: str | None, span: Bounds) -> Iterable[CoreEvent]:
    for event in newest_first(call, CoreEvent):
        if event.is_forgotten(call.now) or not span.hold(event.created) or (types and event.type not in types):
            continue
        if object_id is None or (event.related_object or {}).get("id") == object_id:
            yield event


def _types(call: Call) -> list[str]:
    types = call.params.listed("types")
    if len(types) > TYPES_MAX:
        raise invalid(f"You may list at most {TYPES_MAX} types.", param="types")
    return types


def _span(call: Call) -> Bounds:
    """Events are stamped with whole seconds; a bound between two of them is moved to the nearer one within."""
    asked = call.params.group("created")
    above, least = _instant(asked, "gt", otherwise=-NO_BOUND), _instant(asked, "gte", otherwise=-NO_BOUND)
    below, most = _instant(asked, "lt", otherwise=NO_BOUND), _instant(asked, "lte", otherwise=NO_BOUND)
    return Bounds(lowest=max(floor(above) + 1, ceil(least)), highest=min(ceil(below) - 1, floor(most)))


def _instant(asked: Params, name: str, *, otherwise: float) -> float:
    text = asked.text(name)
    try:
        return otherwise if text is None else instant_of(text)
    except (ValueError, OverflowError) as wrong:
        message = f"Invalid timestamp: {text:.40}; must be an RFC 3339 timestamp"
        raise invalid(message, param=asked.named(name)) from wrong
