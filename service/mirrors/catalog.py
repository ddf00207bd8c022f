"""What we read in Stripe's meters, prices and customers. Pure.

Source: docs.stripe.com/api/billing/meter/object, /api/prices/object, /api/customers/object.
"""

from dataclasses import dataclass
from decimal import Decimal

from service.mirrors.values import Json, exact, id_of, inner, members, required, truth, whole, word

TIERED = "tiered"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFacts:
    event_name: str
    formula: str
    customer_key: str
    value_key: str
    event_time_window: str | None
    is_active: bool
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TierFacts:
    """Amounts in the currency's minor unit. `up_to` None: without end."""

    up_to: int | None
    unit_amount: Decimal | None
    flat_amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFacts:
    """`is_whole` False: it has tiers, and Stripe tells them only when asked."""

    product: str | None
    currency: str | None
    is_active: bool | None
    usage_type: str | None
    interval: str | None
    interval_count: int | None
    meter_stripe_id: str | None
    unit_amount: Decimal | None
    tiers_mode: str | None
    tiers: tuple[TierFacts, ...]
    divide_by: int | None
    round: str | None
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFacts:
    """Only that there is such a customer: who it is stands in the object."""

    customer: str
    is_whole: bool = True


def meter_facts(told: Json) -> MeterFacts:
    """Raises Unfit."""
    return MeterFacts(
        event_name=required(word(inner(told, "event_name")), "event_name"),
        formula=required(word(inner(told, "default_aggregation", "formula")), "formula"),
        customer_key=required(word(inner(told, "customer_mapping", "event_payload_key")), "customer_mapping"),
        value_key=required(word(inner(told, "value_settings", "event_payload_key")), "value_settings"),
        event_time_window=word(inner(told, "event_time_window")),
        is_active=required(word(inner(told, "status")), "status") == "active",
    )


def price_facts(told: Json) -> PriceFacts:
    tiers, unit_amount = inner(told, "tiers"), exact(inner(told, "unit_amount_decimal"))
    return PriceFacts(
        product=id_of(inner(told, "product")),
        currency=word(inner(told, "currency")),
        is_active=truth(inner(told, "active")),
        usage_type=word(inner(told, "recurring", "usage_type")),
        interval=word(inner(told, "recurring", "interval")),
        interval_count=whole(inner(told, "recurring", "interval_count")),
        meter_stripe_id=word(inner(told, "recurring", "meter")),
        unit_amount=exact(inner(told, "unit_amount")) if unit_amount is None else unit_amount,
        tiers_mode=word(inner(told, "tiers_mode")),
        tiers=tuple(_tier(tier) for tier in members({"data": tiers}) or []),
        divide_by=whole(inner(told, "transform_quantity", "divide_by")),
        round=word(inner(told, "transform_quantity", "round")),
        is_whole=isinstance(tiers, list) or inner(told, "billing_scheme") != TIERED,
    )


def customer_facts(told: Json) -> CustomerFacts:
    """Raises Unfit."""
    return CustomerFacts(customer=required(id_of(told), "id"))


def _tier(told: Json) -> TierFacts:
    unit, flat = exact(inner(told, "unit_amount_decimal")), exact(inner(told, "flat_amount_decimal"))
    return TierFacts(
        up_to=whole(inner(told, "up_to")),
        unit_amount=exact(inner(told, "unit_amount")) if unit is None else unit,
        flat_amount=exact(inner(told, "flat_amount")) if flat is None else flat,
    )
