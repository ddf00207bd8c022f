"""What we read in Stripe's subscriptions. Pure.

Bodies of old API versions are understood: periods stood on the subscription then, and meters on the item's plan.
Source: docs.stripe.com/api/subscriptions/object, /api/subscription_items/object.
"""

from dataclasses import dataclass
from datetime import datetime

from service.mirrors.values import Json, id_of, inner, instant, members, required, truth, whole, word

ROW = "meterpost_row"  # the metadata by which the row is known that a subscription was made of


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """One price of a subscription, with its current billing period. `meter_stripe_id` None: a licensed price."""

    item: str
    price: str
    meter_stripe_id: str | None
    quantity: int | None
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFacts:
    """`is_whole` False: Stripe lists more items than it told. `row`: the identifier of the row that asked for it."""

    customer: str
    status: str
    billing_mode: str | None
    start_date: datetime | None
    trial_start: datetime | None
    trial_end: datetime | None
    cancel_at: datetime | None
    cancel_at_period_end: bool | None
    canceled_at: datetime | None
    ended_at: datetime | None
    row: str | None
    items: tuple[ItemFacts, ...]
    is_whole: bool


def subscription_facts(told: Json) -> SubscriptionFacts:
    """Raises Unfit."""
    items = inner(told, "items")
    return SubscriptionFacts(
        customer=required(id_of(inner(told, "customer")), "customer"),
        status=required(word(inner(told, "status")), "status"),
        billing_mode=word(inner(told, "billing_mode", "type")),
        start_date=instant(inner(told, "start_date")),
        trial_start=instant(inner(told, "trial_start")),
        trial_end=instant(inner(told, "trial_end")),
        cancel_at=instant(inner(told, "cancel_at")),
        cancel_at_period_end=truth(inner(told, "cancel_at_period_end")),
        canceled_at=instant(inner(told, "canceled_at")),
        ended_at=instant(inner(told, "ended_at")),
        row=word(inner(told, "metadata", ROW)),
        items=tuple(_item(item, told) for item in required(members(items), "items")),
        is_whole=inner(items, "has_more") is not True,
    )


def _item(told: Json, subscription: Json) -> ItemFacts:
    """An item; before March 2025 its period stood on the subscription, and its meter may stand on its plan alone."""
    price, plan = inner(told, "price"), inner(told, "plan")
    return ItemFacts(
        item=required(word(inner(told, "id")), "items' id"),
        price=required(id_of(price) or id_of(plan), "items' price"),
        meter_stripe_id=word(inner(price, "recurring", "meter")) or word(inner(plan, "meter")),
        quantity=whole(inner(told, "quantity")),
        period_start=required(_period(told, subscription, "current_period_start"), "period"),
        period_end=required(_period(told, subscription, "current_period_end"), "period"),
    )


def _period(item: Json, subscription: Json, edge: str) -> datetime | None:
    return instant(inner(item, edge)) or instant(inner(subscription, edge))
