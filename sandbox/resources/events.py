"""Snapshot events: what happened, with the object as it was then. Kept for 30 days.

Other resources call `emit`; the courier (`courier.py`) takes them to the webhook endpoints and counts here what is
still pending.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.books import Books
from sandbox.call import Call
from sandbox.errors import invalid, no_such
from sandbox.pages import is_within, newest_first, page
from sandbox.wire import API_VERSION, JsonObject

RETENTION_S = 30 * 86_400
TYPES_MAX = 20


@dataclass(slots=True, kw_only=True)
class Event:
    id: str
    type: str
    created: int
    livemode: bool
    subject: JsonObject
    request_id: str | None
    idempotency_key: str | None
    pending: int = 0
    """Endpoints that have not yet answered 2xx."""
    acknowledged_at: int | None = None
    """When the last of them did; at its creation where none wanted it."""

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "event",
            "api_version": API_VERSION,
            "created": self.created,
            "data": {"object": self.subject},
            "livemode": self.livemode,
            "pending_webhooks": self.pending,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": self.type,
        }


def emit(call: Call, kind: str, subject: JsonObject) -> Event:
    """Records what this call made happen, and announces it."""
    return record(call.books, kind, subject, request_id=call.request_id, idempotency_key=call.idempotency_key)


def record(
    books: Books,
    kind: str,
    subject: JsonObject,
    *,
    request_id: str | None = None,
    idempotency_key: str | None = None,
) -> Event:
    event = Event(
        id=books.ids.new("evt"),
        type=kind,
        created=books.clock.now(),
        livemode=books.livemode,
        subject=subject,
        request_id=request_id,
        idempotency_key=idempotency_key,
    )
    books.shelf(Event)[event.id] = event
    books.announce(books, event.id)
    event.acknowledged_at = None if event.pending else event.created
    return event


def retrieve(call: Call) -> JsonObject:
    event = call.books.shelf(Event).get(call.id)
    if event is None or _is_forgotten(call, event):
        raise no_such("event", call.id)
    return event.render()


def list_page(call: Call) -> JsonObject:
    return page(call, _wanted(call), Event.render)


def _wanted(call: Call) -> Iterable[Event]:
    patterns = _patterns(call)
    delivery = call.params.choice("delivery_success", ("true", "false"))
    for event in newest_first(call, Event):
        if _is_forgotten(call, event) or not is_within(call.params, "created", event.created):
            continue
        if patterns and not any(fnmatchcase(event.type, pattern) for pattern in patterns):
            continue
        if delivery is None or (delivery == "true") == (event.pending == 0):
            yield event


def _patterns(call: Call) -> list[str]:
    one, several = call.params.text("type"), call.params.listed("types")
    if one is not None and several:
        raise invalid("You may only specify one of these parameters: type, types.", param="types")
    if len(several) > TYPES_MAX:
        raise invalid(f"You may list at most {TYPES_MAX} types.", param="types")
    return [one] if one is not None else several


def _is_forgotten(call: Call, event: Event) -> bool:
    return call.now - event.created > RETENTION_S
