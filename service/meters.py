"""Stripe's meters as we need them: how rows become meter events, and under which payload keys."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Source: docs.stripe.com/api/billing/meter/object."""

    stripe_id: str  # mtr_…
    event_name: str
    formula: str  # sum, count or last
    customer_key: str
    value_key: str
    event_time_window: str | None  # such a meter overwrites within the window instead of adding
    is_active: bool


def read_meter(found: Any) -> Meter:
    """Stripe's object, as its library gives it. Raises AttributeError where it is of another shape."""
    return Meter(
        stripe_id=found.id,
        event_name=found.event_name,
        formula=found.default_aggregation.formula,
        customer_key=found.customer_mapping.event_payload_key,
        value_key=found.value_settings.event_payload_key,
        event_time_window=found.event_time_window,
        is_active=found.status == "active",
    )


def choose(meters: list[Meter]) -> list[Meter]:
    """One meter an event name: the active one, where an old one was deactivated."""
    chosen: dict[str, Meter] = {}
    for meter in meters:
        if meter.is_active or meter.event_name not in chosen:
            chosen[meter.event_name] = meter
    return list(chosen.values())


def differences(meter: Meter, *, formula: str) -> list[str]:
    """Why rows that are to be added up by `formula` cannot be billed by this meter, each with what to do."""
    wrong = list[str]()
    if meter.formula != formula:
        wrong.append(f"its formula is {meter.formula}, which never changes; take another event name for {formula}")
    if not meter.is_active:
        wrong.append("it is inactive; reactivate it at Stripe, or take another event name")
    if meter.event_time_window is not None:
        wrong.append(f"it has event_time_window {meter.event_time_window}, and overwrites where usage must add up")
    return wrong
