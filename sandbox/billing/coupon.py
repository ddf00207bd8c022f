"""A coupon, and a discount: the coupon as it was when somebody redeemed it.

A coupon that is changed or deleted later is the same to those who have it already.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sandbox.billing.periods import Interval, boundary
from sandbox.wire import JsonObject

MONTH = Interval(unit="month", count=1)
HUNDRED = Fraction(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    id: str
    created: int
    livemode: bool
    name: str | None
    percent_off: Decimal | None
    amount_off: int | None
    currency: str | None
    duration: str
    months: int | None
    """How long one that repeats takes something off."""
    max_redemptions: int | None
    redeem_by: int | None
    products: tuple[str, ...]
    """What it takes something off of; all where none is named."""
    metadata: dict[str, str]
    times_redeemed: int = 0

    @property
    def is_used_up(self) -> bool:
        return self.max_redemptions is not None and self.times_redeemed >= self.max_redemptions

    def is_expired(self, now: int) -> bool:
        return self.redeem_by is not None and now > self.redeem_by

    def is_for(self, product: str | None) -> bool:
        return not self.products or product in self.products

    def taken_off(self, worth: int) -> Fraction:
        """What it takes off of an amount, in minor units, before rounding: never more than all."""
        if self.percent_off is not None:
            return worth * Fraction(self.percent_off) / HUNDRED
        return Fraction(min(worth, self.amount_off or 0))

    def ends(self, start: int) -> int | None:
        """When one that is redeemed at an instant takes nothing off any more."""
        return None if self.months is None else boundary(start, self.months, interval=MONTH)

    def render(self, now: int) -> JsonObject:
        return {
            "id": self.id,
            "object": "coupon",
            "amount_off": self.amount_off,
            "created": self.created,
            "currency": self.currency,
            "duration": self.duration,
            "duration_in_months": self.months,
            "livemode": self.livemode,
            "max_redemptions": self.max_redemptions,
            "metadata": self.metadata,
            "name": self.name,
            "percent_off": None if self.percent_off is None else float(self.percent_off),
            "redeem_by": self.redeem_by,
            "times_redeemed": self.times_redeemed,
            "valid": not self.is_expired(now) and not self.is_used_up,
        } | ({"applies_to": {"products": list(self.products)}} if self.products else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    id: str
    coupon: Coupon
    start: int
    end: int | None
    """Excluded; None of what is taken off once, or for ever."""
    customer: str
    subscription: str

    @property
    def is_once(self) -> bool:
        return self.coupon.duration == "once"

    def is_running(self, instant: int) -> bool:
        return self.end is None or instant < self.end

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "discount",
            "checkout_session": None,
            "customer": self.customer,
            "customer_account": None,
            "end": self.end,
            "invoice": None,
            "invoice_item": None,
            "promotion_code": None,
            "source": {"coupon": self.coupon.id, "type": "coupon"},
            "start": self.start,
            "subscription": self.subscription,
            "subscription_item": None,
        }
