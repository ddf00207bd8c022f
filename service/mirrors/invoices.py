"""What we read in Stripe's invoices and their lines. Pure.

Before March 2025 an invoice and a line named their subscription themselves, and a line carried its whole price.
Source: docs.stripe.com/api/invoices/object, /api/invoice-line-item/object.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.mirrors.values import (
    Json,
    exact,
    id_of,
    inner,
    instant,
    members,
    readable,
    required,
    truth,
    whole,
    word,
)

PARENTS = ("subscription_item_details", "invoice_item_details")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """`amount` in the currency's minor unit. `meter_stripe_id`: as the line itself tells it, in old API versions."""

    line: str
    amount: int | None
    currency: str | None
    quantity: Decimal | None
    unit_amount: Decimal | None
    price: str | None
    meter_stripe_id: str | None
    subscription: str | None
    subscription_item: str | None
    is_proration: bool | None
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """`status` None: deleted. `total` in the currency's minor unit. `is_whole` False: not all of its lines are told."""

    customer: str | None
    subscription: str | None
    status: str | None
    billing_reason: str | None
    period_start: datetime | None
    period_end: datetime | None
    total: int | None
    currency: str | None
    automatically_finalizes_at: datetime | None
    finalized_at: datetime | None
    lines: tuple[LineFacts, ...]
    is_whole: bool


def invoice_facts(told: Json) -> InvoiceFacts:
    """Indispensable is only the status, unless it is deleted. Raises Unfit."""
    listed = members(inner(told, "lines"))
    lines = readable(listed or [], _line)
    return InvoiceFacts(
        customer=id_of(inner(told, "customer")),
        subscription=_subscription(told, "subscription_details"),
        status=None if inner(told, "deleted") is True else required(word(inner(told, "status")), "status"),
        billing_reason=word(inner(told, "billing_reason")),
        period_start=instant(inner(told, "period_start")),
        period_end=instant(inner(told, "period_end")),
        total=whole(inner(told, "total")),
        currency=word(inner(told, "currency")),
        automatically_finalizes_at=instant(inner(told, "automatically_finalizes_at")),
        finalized_at=instant(inner(told, "status_transitions", "finalized_at")),
        lines=lines,
        is_whole=listed is not None and len(lines) == len(listed) and inner(told, "lines", "has_more") is not True,
    )


def _line(told: Json) -> LineFacts:
    price, plan = inner(told, "price"), inner(told, "plan")
    quantity = exact(inner(told, "quantity_decimal"))
    return LineFacts(
        line=required(word(inner(told, "id")), "lines' id"),
        amount=whole(inner(told, "amount")),
        currency=word(inner(told, "currency")),
        quantity=exact(inner(told, "quantity")) if quantity is None else quantity,
        unit_amount=_unit_amount(told),
        price=id_of(inner(told, "pricing", "price_details", "price")) or id_of(price) or id_of(plan),
        meter_stripe_id=word(inner(price, "recurring", "meter")) or word(inner(plan, "meter")),
        subscription=_subscription(told, *PARENTS),
        subscription_item=id_of(inner(told, "parent", PARENTS[0], "subscription_item"))
        or id_of(inner(told, "subscription_item")),
        is_proration=_proration(told),
        period_start=instant(inner(told, "period", "start")),
        period_end=instant(inner(told, "period", "end")),
    )


def _subscription(told: Json, *parents: str) -> str | None:
    named = (inner(told, "parent", parent, "subscription") for parent in parents)
    return next((found for name in named if (found := id_of(name))), None) or id_of(inner(told, "subscription"))


def _proration(told: Json) -> bool | None:
    named = (truth(inner(told, "parent", parent, "proration")) for parent in PARENTS)
    return next((found for found in named if found is not None), truth(inner(told, "proration")))


def _unit_amount(told: Json) -> Decimal | None:
    named = (inner(told, "pricing", "unit_amount_decimal"), inner(told, "unit_amount_excluding_tax"))
    return next((found for one in named if (found := exact(one)) is not None), None)
