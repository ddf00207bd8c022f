"""Meter events, v1: validated at once, counted once an identifier, and never to be read back.

The order of the refusals is the order of the checks in `create`. Texts are Stripe's where its users quoted them
(duplicate, 35 days); the rest is in its manner, so a caller should not build on their wording.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from sandbox.call import Call
from sandbox.errors import ApiError, invalid, missing
from sandbox.resources.customers import Customer
from sandbox.resources.meters import EVENT_NAME_MAX, Meter, active_named
from sandbox.usage import Reading
from sandbox.wire import JsonObject

IDENTIFIER_MAX = 100
DIGITS_MAX = 15
PAST_MAX_S = 35 * 86_400
AHEAD_MAX_S = 5 * 60
PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
EXPONENT = re.compile(r"[eE][+-]?[0-9]{1,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEvent:
    event_name: str
    identifier: str
    timestamp: int
    payload: dict[str, str]

    def render(self, call: Call) -> JsonObject:
        return {
            "object": "billing.meter_event",
            "created": call.now,
            "event_name": self.event_name,
            "identifier": self.identifier,
            "livemode": call.books.livemode,
            "payload": self.payload,
            "timestamp": self.timestamp,
        }


def create(call: Call) -> JsonObject:
    event = _from_params(call)
    meter = _meter(call, event)
    customer = _customer(call, event, meter)
    value = _value(call, event, meter)
    _check_time(call, event.timestamp)
    _take_identifier(call, event.identifier)
    _count(call, event, meter=meter, customer=customer, value=value)
    return event.render(call)


def lane(call: Call) -> tuple[str, str] | None:
    """The event name and customer that only one call at a time may be about."""
    meter = active_named(call, call.params.text("event_name") or "")
    customer = call.params.texts("payload").get(meter.customer_key) if meter else None
    return (meter.event_name, customer) if meter and customer else None


def _from_params(call: Call) -> MeterEvent:
    params = call.params
    event_name = params.required("event_name", length_max=EVENT_NAME_MAX)
    if not (payload := params.texts("payload")):
        raise missing("payload")
    identifier = params.text("identifier", length_max=IDENTIFIER_MAX)
    timestamp = params.integer("timestamp")
    return MeterEvent(
        event_name=event_name,
        identifier=identifier or call.books.ids.new("mtr_event_ident"),
        timestamp=call.now if timestamp is None else timestamp,
        payload=payload,
    )


def _meter(call: Call, event: MeterEvent) -> Meter:
    meter = active_named(call, event.event_name)
    if meter is None:
        raise ApiError(
            400,
            f"Invalid event_name: {event.event_name}. No active meter found with this event name.",
            param="event_name",
        )
    return meter


def _customer(call: Call, event: MeterEvent, meter: Meter) -> str:
    customer = event.payload.get(meter.customer_key)
    if not customer:
        raise ApiError(400, f"Customer mapping key {meter.customer_key} not found in payload.", param="payload")
    if customer not in call.books.shelf(Customer):
        raise ApiError(400, f"No such customer: '{customer}'", param=f"payload[{meter.customer_key}]")
    return customer


def _value(call: Call, event: MeterEvent, meter: Meter) -> Decimal:
    """The value to count; a `count` meter counts events, so there the value may be absent."""
    text = event.payload.get(meter.value_key)
    if text is None and meter.formula == "count":
        return Decimal(0)
    if text is None:
        raise ApiError(400, f"Value key {meter.value_key} not found in payload.", param="payload")
    plain = EXPONENT.sub("", text, count=1)
    if not PLAIN.fullmatch(plain) or (plain != text and call.books.settings.exponents_are_refused):
        raise _wrong_value(meter, f"The value in the event payload must be a number. Received `{text}`.")
    if len(re.sub(r"[^0-9]", "", plain).lstrip("0")) > DIGITS_MAX:
        message = f"The value in the event payload can have at most {DIGITS_MAX} digits. Received `{text}`."
        raise _wrong_value(meter, message)
    return Decimal(text)


def _wrong_value(meter: Meter, message: str) -> ApiError:
    return ApiError(400, message, param=f"payload[{meter.value_key}]")


def _check_time(call: Call, timestamp: int) -> None:
    oldest, newest = call.now - PAST_MAX_S, call.now + AHEAD_MAX_S
    if timestamp < oldest:
        raise invalid(
            "The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or equal to "
            f"{oldest}.",
            param="timestamp",
        )
    if timestamp > newest:
        raise invalid(
            "The event timestamp cannot be more than 5 minutes in the future. Expected a timestamp less than or equal "
            f"to {newest}.",
            param="timestamp",
        )


def _take_identifier(call: Call, identifier: str) -> None:
    books, window_s = call.books, call.books.settings.identifier_window_s
    if books.identifiers.recall(identifier, now=call.now, window_s=window_s):
        raise ApiError(
            400,
            f"An event already exists with identifier {identifier}.",
            headers={"Stripe-Should-Retry": "false"},
        )
    books.identifiers.keep(identifier, True, now=call.now, window_s=window_s)


def _count(call: Call, event: MeterEvent, *, meter: Meter, customer: str, value: Decimal) -> None:
    reading = Reading(
        timestamp=event.timestamp,
        received_at=call.now,
        order=call.books.usage.next_order(),
        identifier=event.identifier,
        value=value,
    )
    call.books.usage.add(reading, meter=meter.id, customer=customer)
