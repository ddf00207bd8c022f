"""What may be wrong with a meter event: each objection once, as v1, v2 and the error reports each tell it.

Whether an objection refuses the call or comes later in an error report is the account's to say, so a check raises
nothing. Texts are Stripe's where its users quoted them (35 days, digits, customer key); the rest is in its manner, so
a caller should not build on their wording. Where v2 documents no code, it is the one of the error reports.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from sandbox.calls.call import Call
from sandbox.errors import ApiError
from sandbox.resources.customers import Customer
from sandbox.resources.meters import Meter
from sandbox.settings import Settings

DIGITS_MAX = 15
VALUE_LENGTH_MAX = 35
"""What a value of 15 digits needs, and room: so that no sum of values needs more digits than are kept."""
PAST_MAX_S = 35 * 86_400
AHEAD_MAX_S = 5 * 60
PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
EXPONENT = re.compile(r"[eE][+-]?[0-9]{1,2}$")
NO_ACTIVE_METER = "Invalid event_name: {event_name}. No active meter found with this event name."
SHOWN_MAX = 60
NUMBERS_KEPT_MAX = 4_096
DEFAULT_KEYS = ("stripe_customer_id", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEvent:
    event_name: str
    identifier: str
    timestamp: int
    payload: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    subject: str
    """Which of the account's `*_validation` switches it is under."""
    code_v2: str
    text: str
    param: str | None = "payload"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    code: str
    """As the error reports have it."""
    message: str
    param: str | None

    @property
    def reason(self) -> Reason:
        return reason_of(self.code)

    def is_told_at_once(self, settings: Settings) -> bool:
        """Whether this account hears of it by a refusal, and not by an error report."""
        when = {
            "meter": settings.meter_validation,
            "customer": settings.customer_validation,
            "value": settings.value_validation,
            "time": settings.time_validation,
        }
        return when[self.reason.subject] == "at_once"

    def refusal(self) -> ApiError:
        """As v1 tells it: without a code."""
        return ApiError(400, self.message, param=self.param, headers=self.reason.headers)

    def refusal_v2(self) -> ApiError:
        code = self.reason.code_v2
        return ApiError(400, self.message, param=self.param, code=code, headers=self.reason.headers)


REASONS = {
    "no_meter": Reason(subject="meter", code_v2="no_meter", text=NO_ACTIVE_METER, param="event_name"),
    "archived_meter": Reason(subject="meter", code_v2="archived_meter", text=NO_ACTIVE_METER, param="event_name"),
    "meter_event_no_customer_defined": Reason(
        subject="customer",
        code_v2="payload_no_customer_defined",
        text="Customer mapping key {customer_key} not found in payload.",
    ),
    "meter_event_customer_not_found": Reason(
        subject="customer",
        code_v2="meter_event_customer_not_found",
        text="No such customer: '{customer}'",
        param="payload[{customer_key}]",
    ),
    "meter_event_value_not_found": Reason(
        subject="value",
        code_v2="payload_no_value_defined",
        text="Value key {value_key} not found in payload.",
    ),
    "meter_event_invalid_value": Reason(
        subject="value",
        code_v2="payload_invalid_value",
        text="The value in the event payload must be a number. Received `{value}`.",
        param="payload[{value_key}]",
    ),
    "meter_event_value_too_many_digits": Reason(
        subject="value",
        code_v2="payload_invalid_value",
        text=f"The value in the event payload can have at most {DIGITS_MAX} digits. Received `{{value}}`.",
        param="payload[{value_key}]",
    ),
    "timestamp_too_far_in_past": Reason(
        subject="time",
        code_v2="timestamp_too_far_in_past",
        text="The event timestamp cannot be more than 35 days in past. "
        "Expected a timestamp greater than or equal to {oldest}.",
        param="timestamp",
    ),
    "timestamp_in_future": Reason(
        subject="time",
        code_v2="timestamp_in_future",
        text="The event timestamp cannot be more than 5 minutes in the future. "
        "Expected a timestamp less than or equal to {newest}.",
        param="timestamp",
    ),
    "duplicate_meter_event": Reason(
        subject="identifier",
        code_v2="duplicate_meter_event",
        text="An event already exists with identifier {identifier}.",
        param=None,
        headers={"Stripe-Should-Retry": "false"},
    ),
    "meter_event_dimension_count_too_high": Reason(
        subject="dimensions",
        code_v2="meter_event_dimension_count_too_high",
        text="The meter {event_name} has too many unique combinations of dimensions.",
    ),
    "missing_dimension_payload_keys": Reason(
        subject="dimensions",
        code_v2="missing_dimension_payload_keys",
        text="The payload lacks keys that the meter {event_name} tells dimensions by.",
    ),
}
"""By the code of the error reports; a duplicate is always refused at once, so no report has one."""


def reason_of(code: str) -> Reason:
    """Stripe's list is open: a code that is asked for by a fault and is in no list is told as it stands."""
    return REASONS.get(code) or Reason(subject="fault", code_v2=code, text=f"The meter event was rejected: {code}.")


def objections(call: Call, event: MeterEvent, meter: Meter | None) -> Iterator[Objection]:
    """All that is wrong, in the order in which Stripe would say so; without a meter only the time can be judged."""
    found = (
        _wrong_with_meter(meter),
        meter and _wrong_with_customer(call, event, meter),
        meter and _wrong_with_value(call, event, meter),
        _wrong_with_time(call, event),
    )
    return (objection(call, code, event=event, meter=meter) for code in found if code)


def objection(call: Call, code: str, *, event: MeterEvent, meter: Meter | None) -> Objection:
    """What the reason of this code says of this event."""
    customer_key, value_key = (meter.customer_key, meter.value_key) if meter else DEFAULT_KEYS
    reason = reason_of(code)
    message = reason.text.format(
        event_name=event.event_name,
        identifier=event.identifier,
        customer_key=customer_key,
        customer=_shown(event.payload.get(customer_key, "")),
        value_key=value_key,
        value=_shown(event.payload.get(value_key, "")),
        oldest=call.now - PAST_MAX_S,
        newest=call.now + AHEAD_MAX_S,
    )
    param = reason.param and reason.param.format(customer_key=customer_key, value_key=value_key)
    return Objection(code=code, message=message, param=param)


def value_of(event: MeterEvent, meter: Meter) -> Decimal:
    """The value to count; a `count` meter counts events, so there the value may be absent."""
    return _decimal(event.payload.get(meter.value_key) or "0")


@lru_cache(NUMBERS_KEPT_MAX)
def _decimal(text: str) -> Decimal:
    """One object for all events of a value: they are kept for long, and a decimal is the largest part of them."""
    return Decimal(text)


def _wrong_with_meter(meter: Meter | None) -> str | None:
    if meter is None:
        return "no_meter"
    return None if meter.is_active else "archived_meter"


def _wrong_with_customer(call: Call, event: MeterEvent, meter: Meter) -> str | None:
    customer = event.payload.get(meter.customer_key)
    if not customer:
        return "meter_event_no_customer_defined"
    return None if customer in call.books.shelf(Customer) else "meter_event_customer_not_found"


def _wrong_with_value(call: Call, event: MeterEvent, meter: Meter) -> str | None:
    text = event.payload.get(meter.value_key)
    if text is None:
        return None if meter.formula == "count" else "meter_event_value_not_found"
    mantissa = EXPONENT.sub("", text)
    if not PLAIN.fullmatch(mantissa) or (mantissa != text and call.books.settings.exponents_are_refused):
        return "meter_event_invalid_value"
    plain = text if mantissa == text else format(Decimal(text), "f")
    if len(plain.replace(".", "").lstrip("+-0")) > DIGITS_MAX:
        return "meter_event_value_too_many_digits"
    return "meter_event_invalid_value" if len(plain) > VALUE_LENGTH_MAX else None


def _wrong_with_time(call: Call, event: MeterEvent) -> str | None:
    now = call.now
    if event.timestamp < now - PAST_MAX_S:
        return "timestamp_too_far_in_past"
    return "timestamp_in_future" if event.timestamp > now + AHEAD_MAX_S else None


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."
