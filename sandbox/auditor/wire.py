"""What the auditor reads on the wire: which calls are meter events, of whom, how much and when."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from sys import intern

from sandbox.http.answer import Answer
from sandbox.http.arrival import Arrival
from sandbox.http.form import Tree
from sandbox.wire import JsonObject

METER_EVENTS = ("/v1/billing/meter_events", "/v2/billing/meter_events")
ADJUSTMENTS = ("/v1/billing/meter_event_adjustments", "/v2/billing/meter_event_adjustments")
METERS = "/v1/billing/meters"
MINUTE_S = 60
REACTIVATED = "/reactivate"
NUMBERS_KEPT_MAX = 4_096
"""Values come again and again, and a decimal is the largest part of what is kept of an event."""
DEFAULT_KEYS = ("stripe_customer_id", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One meter event that was answered with success."""

    identifier: str
    customer: str
    event_name: str
    value: Decimal
    timestamp: int
    received_at: int

    @property
    def lane(self) -> tuple[str, str]:
        return self.customer, self.event_name

    @property
    def minute(self) -> tuple[str, str, int]:
        return self.customer, self.event_name, self.timestamp - self.timestamp % MINUTE_S


@dataclass(slots=True, kw_only=True)
class Wire:
    """Of one account and mode: event name → (customer key, value key), learnt from the answers that made the meters."""

    payload_keys: dict[str, tuple[str, str]] = field(default_factory=dict)

    def learn(self, meter: JsonObject) -> None:
        keys = meter["customer_mapping"]["event_payload_key"], meter["value_settings"]["event_payload_key"]
        self.payload_keys[meter["event_name"]] = keys

    def lane(self, arrival: Arrival) -> tuple[str, str]:
        """Event name and customer; empty where the call lacks them. One string each, however many calls name them."""
        event_name = _text(arrival.sent, "event_name")
        customer_key, _ = self.payload_keys.get(event_name, DEFAULT_KEYS)
        return intern(event_name), intern(_text(_payload(arrival), customer_key))

    def identifier(self, arrival: Arrival) -> str | None:
        return _text(arrival.sent, "identifier") or None

    def told(self, arrival: Arrival, answer: Answer, *, now: int) -> Told:
        """What the call left to Stripe, an identifier or the instant, is read from the answer."""
        event_name, customer = self.lane(arrival)
        _, value_key = self.payload_keys.get(event_name, DEFAULT_KEYS)
        identifier, instant = self.identifier(arrival), _text(arrival.sent, "timestamp")
        told = {} if identifier and instant else json.loads(answer.body)
        return Told(
            identifier=identifier or str(told["identifier"]),
            customer=customer,
            event_name=event_name,
            value=_number(_text(_payload(arrival), value_key)),
            timestamp=_instant(instant or str(told["timestamp"]), now=now),
            received_at=now,
        )

    def cancelled(self, arrival: Arrival) -> tuple[str, str]:
        """Event name and identifier."""
        cancel = arrival.sent.get("cancel", {})
        return _text(arrival.sent, "event_name"), _text(cancel, "identifier") if isinstance(cancel, dict) else ""


def is_meter_event(arrival: Arrival) -> bool:
    return arrival.path in METER_EVENTS and arrival.method == "POST"


def is_adjustment(arrival: Arrival) -> bool:
    return arrival.path in ADJUSTMENTS


def tells_a_meter(arrival: Arrival) -> bool:
    """Whether its answer is a meter that counts under its event name from now on."""
    return arrival.path == METERS or (arrival.path.startswith(METERS) and arrival.path.endswith(REACTIVATED))


def _payload(arrival: Arrival) -> Tree:
    payload = arrival.sent.get("payload", {})
    return payload if isinstance(payload, dict) else {}


def _text(tree: Tree, name: str) -> str:
    value = tree.get(name, "")
    return str(value) if isinstance(value, str) else ""


@lru_cache(NUMBERS_KEPT_MAX)
def _number(text: str) -> Decimal:
    """What is no number, and so can only be rejected later, counts as nothing."""
    try:
        value = Decimal(text or "0")
    except InvalidOperation:
        return Decimal(0)
    return value if value.is_finite() else Decimal(0)


def _instant(text: str, *, now: int) -> int:
    """v1 tells Unix seconds, v2 RFC 3339; what is neither can only be rejected later, and counts as now."""
    try:
        return int(text) if text.lstrip("-").isdecimal() else int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return now
