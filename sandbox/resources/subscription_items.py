"""Subscription items: one price of a subscription, with the billing period that API 2026 keeps here.

An item knows until when it has been billed; everything else about invoices follows from that instant and the periods.
"""

from dataclasses import dataclass, replace

from sandbox.billing.periods import Interval, Period, period_from
from sandbox.resources.prices import Price, Recurring
from sandbox.wire import JsonObject, decimal_text, whole_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionItem:
    id: str
    created: int
    subscription: str
    price: Price
    recurring: Recurring
    quantity: int | None
    metadata: dict[str, str]
    current: Period
    """The billing period it is in, or was in when its subscription ended."""
    billed_until: int
    """Usage before this instant is on an invoice, or lost; a licensed item is paid until then."""
    day: int | None = None
    """The day of the month its periods end on, where its subscription's anchor is described by one."""

    @property
    def interval(self) -> Interval:
        return replace(self.recurring.interval, day=self.day)

    @property
    def is_metered(self) -> bool:
        return self.recurring.meter is not None

    def following(self, anchor: int) -> Period:
        """The period after the current one."""
        return period_from(self.current.end, anchor=anchor, interval=self.interval)

    def render(self) -> JsonObject:
        body: JsonObject = {
            "id": self.id,
            "object": "subscription_item",
            "billed_until": self.billed_until,
            "billing_thresholds": None,
            "created": self.created,
            "current_period_end": self.current.end,
            "current_period_start": self.current.start,
            "discounts": [],
            "metadata": self.metadata,
            "plan": _plan(self.price, self.recurring),
            "price": self.price.render(),
            "subscription": self.subscription,
            "tax_rates": [],
        }
        return body if self.quantity is None else body | {"quantity": self.quantity}


def _plan(price: Price, recurring: Recurring) -> JsonObject:
    """The legacy twin of the price, which Stripe still sends with every item."""
    return {
        "id": price.id,
        "object": "plan",
        "active": price.active,
        "amount": whole_or_none(price.unit_amount),
        "amount_decimal": None if price.unit_amount is None else decimal_text(price.unit_amount),
        "billing_scheme": "tiered" if price.tiers else "per_unit",
        "created": price.created,
        "currency": price.currency,
        "interval": recurring.interval.unit,
        "interval_count": recurring.interval.count,
        "livemode": price.livemode,
        "metadata": price.metadata,
        "meter": recurring.meter,
        "nickname": price.nickname,
        "product": price.product,
        "tiers_mode": price.tiers_mode,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": recurring.usage_type,
    }
