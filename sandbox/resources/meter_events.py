"""Meter events, v1 and v2: checked, counted once an identifier, and never to be read back.

What is wrong with an event is refused at once, or accepted and reported later (`validation`): the account's switches
say which. A duplicate is always refused at once.
"""

from collections.abc import Callable, Iterator

from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, missing
from sandbox.metering.usage import Reading, Receipt
from sandbox.metering.validation import Rejection, reject
from sandbox.parameters.params import INSTANT_MAX
from sandbox.parameters.shapes import TEXT_MAX
from sandbox.resources.customers import Customer
from sandbox.resources.meter_event_checks import MeterEvent, Objection, objection, objections, value_of
from sandbox.resources.meters import EVENT_NAME_MAX, Meter, active_named, named
from sandbox.rfc3339 import instant_of, text_of
from sandbox.wire import JsonObject

IDENTIFIER_MAX = 100
DEFAULT_CUSTOMER_KEY = "stripe_customer_id"
Refusal = Callable[[Objection], ApiError]


def create(call: Call) -> JsonObject:
    event = _from_params(call, timestamp=call.params.integer("timestamp"))
    _admit(call, event, refusal=Objection.refusal)
    return {
        "object": "billing.meter_event",
        "created": call.now,
        "event_name": event.event_name,
        "identifier": event.identifier,
        "livemode": call.books.livemode,
        "payload": event.payload,
        "timestamp": event.timestamp,
    }


def create_v2(call: Call) -> JsonObject:
    event = _from_params(call, timestamp=_instant(call))
    _admit(call, event, refusal=Objection.refusal_v2)
    return {
        "object": "v2.billing.meter_event",
        "created": text_of(call.now),
        "event_name": event.event_name,
        "identifier": event.identifier,
        "livemode": call.books.livemode,
        "payload": event.payload,
        "timestamp": text_of(event.timestamp),
    }


def lane(call: Call) -> tuple[str, str] | None:
    """The event name and customer that only one call at a time may be about."""
    meter = active_named(call, call.params.text("event_name") or "")
    customer = call.params.texts("payload").get(meter.customer_key) if meter else None
    return (meter.event_name, customer) if meter and customer else None


def _from_params(call: Call, *, timestamp: int | None) -> MeterEvent:
    params = call.params
    event_name = params.required("event_name", length_max=EVENT_NAME_MAX)
    payload = _payload(call)
    identifier = params.text("identifier", length_max=IDENTIFIER_MAX)
    params.nothing_else()
    return MeterEvent(
        event_name=event_name,
        identifier=identifier or call.books.ids.new("mtr_event_ident"),
        timestamp=call.now if timestamp is None else timestamp,
        payload=payload,
    )


def _payload(call: Call) -> dict[str, str]:
    if not (payload := call.params.texts("payload")):
        raise missing("payload")
    keys_max = call.books.settings.payload_keys_max
    if keys_max and len(payload) > keys_max:
        raise invalid(f"The payload can have at most {keys_max} keys.", param="payload")
    for key, text in payload.items():
        if len(key) > TEXT_MAX or len(text) > TEXT_MAX:
            message = f"Invalid string: {text[:20]}...; must be at most {TEXT_MAX} characters"
            raise invalid(message, param=f"payload[{key[:20]}]")
    return payload


def _instant(call: Call) -> int | None:
    """Of v2; one that no calendar of ours holds is none."""
    text = call.params.text("timestamp")
    if text is None:
        return None
    try:
        instant = int(instant_of(text))
    except ValueError:
        instant = -1
    if not 0 <= instant <= INSTANT_MAX:
        raise invalid(f"Invalid timestamp: {text[:40]}; must be an RFC 3339 date-time", param="timestamp")
    return instant


def _admit(call: Call, event: MeterEvent, *, refusal: Refusal) -> None:
    """Counts the event, or has it rejected later; ApiError where it is refused."""
    meter = named(call, event.event_name)
    taken_as = _taken_as(call, event, meter)
    postponed = _postponed(call, event, meter=meter, taken_as=taken_as, refusal=refusal)
    if _is_taken(call, taken_as):
        raise refusal(objection(call, "duplicate_meter_event", event=event, meter=meter))
    order = _take(call, taken_as)
    postponed = postponed or next(_found_later(call, event, meter), None)
    if postponed or meter is None:
        assert postponed, "where there is no meter there is an objection to that"
        _reject(call, event, postponed, meter=meter, taken_as=taken_as, order=order)
    else:
        _count(call, event, meter=meter, taken_as=taken_as, order=order)


def _postponed(
    call: Call, event: MeterEvent, *, meter: Meter | None, taken_as: str, refusal: Refusal
) -> Objection | None:
    """The first objection that this account hears of later; ApiError for one it hears of at once."""
    first = None
    for found in objections(call, event, meter):
        if found.is_told_at_once(call.books.settings):
            if call.books.settings.refused_identifier_is_taken and not _is_taken(call, taken_as):
                _take(call, taken_as)
            raise refusal(found)
        first = first or found
    return first


def _found_later(call: Call, event: MeterEvent, meter: Meter | None) -> Iterator[Objection]:
    """What only a whole event can be rejected for: by a fault that was asked for, or for its dimensions."""
    if call.rejected_later:
        yield objection(call, call.rejected_later, event=event, meter=meter)
    if meter is not None and call.books.settings.dimensions_are_limited and not _dimensions_fit(call, event, meter):
        yield objection(call, "meter_event_dimension_count_too_high", event=event, meter=meter)


def _dimensions_fit(call: Call, event: MeterEvent, meter: Meter) -> bool:
    mapped = (meter.customer_key, meter.value_key)
    combination = frozenset((key, text) for key, text in event.payload.items() if key not in mapped)
    return not combination or call.books.usage.dimensions.admit(
        combination,
        meter=meter.id,
        customer=event.payload[meter.customer_key],
        now=call.now,
        settings=call.books.settings,
    )


def _taken_as(call: Call, event: MeterEvent, meter: Meter | None) -> str:
    """The name under which the identifier is taken; undocumented whether it is taken for all of the account."""
    match call.books.settings.identifier_scope:
        case "event_name":
            return f"{event.event_name}\0{event.identifier}"
        case "customer":
            return f"{_customer(event, meter)}\0{event.identifier}"
        case _:
            return event.identifier


def _is_taken(call: Call, taken_as: str) -> bool:
    books = call.books
    return books.identifiers.recall(taken_as, now=call.now, window_s=books.settings.identifier_window_s) is not None


def _take(call: Call, taken_as: str) -> int:
    books, order = call.books, call.books.usage.next_order()
    books.identifiers.keep(taken_as, order, now=call.now, window_s=books.settings.identifier_window_s)
    return order


def _reject(
    call: Call, event: MeterEvent, postponed: Objection, *, meter: Meter | None, taken_as: str, order: int
) -> None:
    rejection = Rejection(
        meter=meter.id if meter and postponed.code != "no_meter" else None,
        code=postponed.code,
        message=postponed.message,
        event_name=event.event_name,
        customer=_customer(event, meter),
        identifier=event.identifier,
        idempotency_key=call.idempotency_key,
        taken_as=taken_as,
        order=order,
    )
    reject(call.books, rejection)


def _count(call: Call, event: MeterEvent, *, meter: Meter, taken_as: str, order: int) -> None:
    reading = Reading(
        timestamp=event.timestamp,
        received_at=call.now,
        order=order,
        identifier=event.identifier,
        value=value_of(event, meter),
    )
    customer = call.books.shelf(Customer)[event.payload[meter.customer_key]].id  # one string for all its receipts
    receipt = Receipt(meter=meter.id, customer=customer, reading=reading, taken_as=taken_as)
    call.books.usage.add(receipt, event_name=event.event_name)


def _customer(event: MeterEvent, meter: Meter | None) -> str:
    return event.payload.get(meter.customer_key if meter else DEFAULT_CUSTOMER_KEY, "")
