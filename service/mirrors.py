"""Stripe's subscriptions and invoices as we mirror them, read from whatever JSON came. Pure and total.

Bodies of old API versions are understood: periods stood on the subscription then, meters on the item's plan, and the
invoice named its subscription itself. What cannot be read is `Unreadable` with the reason, never an exception.
Source: docs.stripe.com/api/subscriptions/object, /api/subscription_items/object, /api/invoices/object.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

Json = object
Found = TypeVar("Found")

SECONDS_MAX = 253_402_300_799  # the last second of the year 9999: a datetime ends there
MINOR_UNITS_MAX = 2**63 - 1  # PostgreSQL's bigint
DEPTH_MAX = 32  # Stripe's deepest objects have eight levels; what is deeper is left out of what we keep
_WORD = re.compile(r"[\x21-\x7e]{1,255}")  # ids, types, versions: printable ASCII
_NOT_STORABLE = re.compile(r"[\x00\ud800-\udfff]")  # PostgreSQL's text and jsonb have no place for these


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Why an object cannot be mirrored."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemMirror:
    """One price of a subscription, with its current billing period. `meter_stripe_id` None: a licensed price."""

    item: str
    price: str
    meter_stripe_id: str | None
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionMirror:
    """`as_of` is Stripe's time of the word that this comes from; `read_at`, if we asked, when on the ledger's clock."""

    subscription: str
    customer: str
    status: str
    ended_at: datetime | None
    items: tuple[ItemMirror, ...]
    are_items_complete: bool  # False: Stripe lists more of them than it told
    object_json: str
    as_of: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceMirror:
    """`status` None: deleted. `total` in the currency's minor unit. `as_of`, `read_at`: as a subscription's."""

    invoice: str
    customer: str | None
    subscription: str | None
    status: str | None
    billing_reason: str | None
    period_start: datetime | None
    period_end: datetime | None
    total: int | None
    currency: str | None
    automatically_finalizes_at: datetime | None
    object_json: str
    as_of: datetime
    read_at: datetime | None


class _Unfit(Exception):
    """A field that a mirror cannot be without is missing or no such thing."""


def subscription_mirror(
    told: Json, *, as_of: datetime, read_at: datetime | None = None
) -> SubscriptionMirror | Unreadable:
    """Read Stripe's subscription; `read_at` where it is Stripe's answer to us and not an event's."""
    try:
        items = inner(told, "items")
        return SubscriptionMirror(
            subscription=_required(_id(told, kind="subscription"), "id"),
            customer=_required(id_of(inner(told, "customer")), "customer"),
            status=_required(word(inner(told, "status")), "status"),
            ended_at=instant(inner(told, "ended_at")),
            items=tuple(_item(item, told) for item in _required(_listed(items), "items")),
            are_items_complete=inner(items, "has_more") is not True,
            object_json=storable(told),
            as_of=as_of,
            read_at=read_at,
        )
    except _Unfit as unfit:
        return Unreadable(reason=f"the subscription has no readable {unfit}")


def listed_subscription(told: Json, *, read_at: datetime) -> SubscriptionMirror | Unreadable:
    """Read a subscription of a list of Stripe's. No event told it, so any event of it is newer: as of its creation."""
    created = instant(inner(told, "created"))
    if created is None:
        return Unreadable(reason="the subscription has no readable created")
    return subscription_mirror(told, as_of=created, read_at=read_at)


def invoice_mirror(told: Json, *, as_of: datetime, read_at: datetime | None = None) -> InvoiceMirror | Unreadable:
    """Read Stripe's invoice. Indispensable are only the id and, unless it is deleted, the status."""
    try:
        return InvoiceMirror(
            invoice=_required(_id(told, kind="invoice"), "id"),
            customer=id_of(inner(told, "customer")),
            subscription=_invoiced_subscription(told),
            status=None if inner(told, "deleted") is True else _required(word(inner(told, "status")), "status"),
            billing_reason=word(inner(told, "billing_reason")),
            period_start=instant(inner(told, "period_start")),
            period_end=instant(inner(told, "period_end")),
            total=_minor_units(inner(told, "total")),
            currency=word(inner(told, "currency")),
            automatically_finalizes_at=instant(inner(told, "automatically_finalizes_at")),
            object_json=storable(told),
            as_of=as_of,
            read_at=read_at,
        )
    except _Unfit as unfit:
        return Unreadable(reason=f"the invoice has no readable {unfit}")


def inner(value: Json, *names: str) -> Json:
    """What stands under these names, one within the other; None where anything on the way is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def word(value: Json) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def id_of(value: Json) -> str | None:
    """The id of an object that Stripe gives by id, or expanded."""
    return word(inner(value, "id")) if isinstance(value, dict) else word(value)


def instant(value: Json) -> datetime | None:
    """Seconds since 1970; True is an int to Python, and no time."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= SECONDS_MAX:
        return None
    return datetime.fromtimestamp(value, UTC)


def storable(value: Json) -> str:
    """`value` as JSON text that PostgreSQL takes: without NULs, lone surrogates, infinities and endless nesting."""
    return json.dumps(_clean(value, DEPTH_MAX), ensure_ascii=False, allow_nan=False)


def _required(found: Found | None, field: str) -> Found:
    if found is None:
        raise _Unfit(field)
    return found


def _id(told: Json, *, kind: str) -> str | None:
    return word(inner(told, "id")) if inner(told, "object") == kind else None


def _listed(value: Json) -> list[Json] | None:
    found = inner(value, "data")
    return found if isinstance(found, list) else None


def _item(told: Json, subscription: Json) -> ItemMirror:
    """An item; before March 2025 its period stood on the subscription, and its meter may stand on its plan alone."""
    price, plan = inner(told, "price"), inner(told, "plan")
    return ItemMirror(
        item=_required(word(inner(told, "id")), "items' id"),
        price=_required(id_of(price) or id_of(plan), "items' price"),
        meter_stripe_id=word(inner(price, "recurring", "meter")) or word(inner(plan, "meter")),
        period_start=_required(_period(told, subscription, "current_period_start"), "period"),
        period_end=_required(_period(told, subscription, "current_period_end"), "period"),
    )


def _period(item: Json, subscription: Json, edge: str) -> datetime | None:
    return instant(inner(item, edge)) or instant(inner(subscription, edge))


def _invoiced_subscription(told: Json) -> str | None:
    """Which subscription is invoiced; before March 2025 the invoice named it itself."""
    named = inner(told, "parent", "subscription_details", "subscription") or inner(told, "subscription")
    return id_of(named)


def _minor_units(value: Json) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MINOR_UNITS_MAX
    return value if isinstance(value, int) and is_whole else None


def _clean(value: Json, levels: int) -> Json:
    match value:
        case dict() if levels:
            return {_NOT_STORABLE.sub("", str(name)): _clean(inside, levels - 1) for name, inside in value.items()}
        case list() if levels:
            return [_clean(inside, levels - 1) for inside in value]
        case str():
            return _NOT_STORABLE.sub("", value)
        case float():
            return value if math.isfinite(value) else None
        case bool() | int():
            return value
        case _:
            return None
