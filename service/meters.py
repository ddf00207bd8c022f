"""Stripe's meters as we need them: how rows become meter events, and under which payload keys."""

from dataclasses import dataclass


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


def choose(meters: list[Meter]) -> list[Meter]:
    """One meter an event name: the active one, where an old one was deactivated."""
    chosen: dict[str, Meter] = {}
    for meter in meters:
        if meter.is_active or meter.event_name not in chosen:
            chosen[meter.event_name] = meter
    return list(chosen.values())
