"""Subscription items: one price of a subscription, with the billing period that API 2026 keeps here."""

from dataclasses import dataclass

from sandbox.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.params import Params
from sandbox.periods import Interval, Period, period_at
from sandbox.resources.prices import Price, Recurring
from sandbox.resources.prices import existing as existing_price
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

    @property
    def interval(self) -> Interval:
        return self.recurring.interval

    def period(self, instant: int, *, anchor: int, start: int) -> Period:
        """The billing period at an instant; one that an anchor cuts short begins with the subscription."""
        period = period_at(max(instant, start), anchor=anchor, interval=self.interval)
        return Period(start=max(start, period.start), end=period.end)

    def render(self, period: Period) -> JsonObject:
        body: JsonObject = {
            "id": self.id,
            "object": "subscription_item",
            "billed_until": None,
            "billing_thresholds": None,
            "created": self.created,
            "current_period_end": period.end,
            "current_period_start": period.start,
            "discounts": [],
            "metadata": self.metadata,
            "plan": _plan(self.price, self.recurring),
            "price": self.price.render(),
            "subscription": self.subscription,
            "tax_rates": [],
        }
        return body if self.quantity is None else body | {"quantity": self.quantity}


def items_from(call: Call, subscription: str) -> tuple[SubscriptionItem, ...]:
    items = tuple(_item(call, group, subscription) for group in call.params.groups("items"))
    if not items:
        raise ApiError(400, "Missing required param: items.", param="items", code="parameter_missing", began=False)
    if len({item.price.currency for item in items}) > 1:
        raise invalid("All prices on a subscription must have the same currency.", param="items")
    return items


def _item(call: Call, params: Params, subscription: str) -> SubscriptionItem:
    price = existing_price(call, params.required("price"), param=params.named("price"))
    if price.recurring is None:
        raise invalid(
            f"The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`: "
            f"{price.id}.",
            param=params.named("price"),
        )
    return SubscriptionItem(
        id=call.books.ids.new("si"),
        created=call.now,
        subscription=subscription,
        price=price,
        recurring=price.recurring,
        quantity=_quantity(params, price),
        metadata=params.texts("metadata"),
    )


def _quantity(params: Params, price: Price) -> int | None:
    quantity = params.integer("quantity")
    if not price.is_metered:
        return 1 if quantity is None else quantity
    if quantity is not None:
        raise invalid(
            f"Quantity should not be specified where usage_type is `metered`. Remove `{params.named('quantity')}`.",
            param=params.named("quantity"),
        )
    return None


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
