"""Snapshot events: what happened, with the object as it was then. Kept for 30 days.

Other resources call `record`; the courier (`webhooks/courier.py`) takes them to their
destinations and counts what is still pending. Each has its thin twin where Stripe has one (`core_events.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import invalid, no_such
from sandbox.pages import newest_first, page
from sandbox.parameters.params import Bounds
from sandbox.resources.core_events import record_twin
from sandbox.webhooks.announcement import Announcement, announce, cause
from sandbox.webhooks.changes import previous_attributes
from sandbox.wire import API_VERSION, JsonObject

TYPES_MAX = 20


@dataclass(slots=True, kw_only=True)
class Event(Announcement):
    subject: JsonObject
    previous_attributes: JsonObject | None = None

    def render(self, api_version: str = API_VERSION) -> JsonObject:
        """As an endpoint of that version gets it: the sandbox has one shape, and only the version's name changes."""
        previous = {} if self.previous_attributes is None else {"previous_attributes": self.previous_attributes}
        return {
            "id": self.id,
            "object": "event",
            "api_version": api_version,
            "created": self.created,
            "data": {"object": self.subject} | previous,
            "livemode": self.livemode,
            "pending_webhooks": self.pending,
            "request": cause(self),
            "type": self.type,
        }


def record(books: Books, kind: str, subject: JsonObject) -> Event:
    """Records what the call in execution made happen, or what happened by itself, and announces it."""
    event = Event(
        id=books.ids.new("evt"),
        type=kind,
        created=books.now,
        livemode=books.livemode,
        subject=subject,
        previous_attributes=previous_attributes(books, kind, subject),
        request_id=books.cause.request_id if books.cause else None,
        idempotency_key=books.cause.idempotency_key if books.cause else None,
    )
    announce(books, event)
    record_twin(books, event, event.subject)
    return event


def retrieve(call: Call) -> JsonObject:
    event = call.books.shelf(Event).get(call.id)
    call.params.nothing_else()
    if event is None or event.is_forgotten(call.now):
        raise no_such("event", call.id)
    return event.render()


def list_page(call: Call) -> JsonObject:
    patterns, delivery = _patterns(call), call.params.choice("delivery_success", ("true", "false"))
    wanted = _wanted(call, patterns, delivery=delivery, span=call.params.bounds("created"))
    found = page(call, wanted, Event.render)
    call.params.nothing_else()
    return found


def _wanted(call: Call, patterns: list[str], *, delivery: str | None, span: Bounds | None) -> Iterable[Event]:
    for event in newest_first(call, Event):
        if event.is_forgotten(call.now) or not (span is None or span.hold(event.created)):
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
