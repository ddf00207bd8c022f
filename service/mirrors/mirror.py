"""A mirror: one object of Stripe's as of one word about it, an event's or an answer's. Pure and total.

What cannot be read is `Unreadable` with the reason, never an exception. Which of two words holds the ledger says, in
`put_mirrors.sql`, for every kind alike.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from service.mirrors.catalog import CustomerFacts, MeterFacts, PriceFacts, customer_facts, meter_facts, price_facts
from service.mirrors.invoices import InvoiceFacts, invoice_facts
from service.mirrors.subscriptions import SubscriptionFacts, subscription_facts
from service.mirrors.values import Json, Unfit, inner, instant, required, storable, word

Facts = SubscriptionFacts | InvoiceFacts | MeterFacts | PriceFacts | CustomerFacts
Key = tuple[str, str]

KINDS: Mapping[str, Callable[[Json], Facts]] = MappingProxyType(
    {
        "subscription": subscription_facts,
        "invoice": invoice_facts,
        "billing.meter": meter_facts,
        "price": price_facts,
        "customer": customer_facts,
    }
)
"""How the objects of each kind are read; the kinds are Stripe's words, as the `object` field has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Why an object cannot be mirrored."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """`as_of` is Stripe's time of the word that this comes from; `read_at`, if we asked, when on the ledger's clock."""

    kind: str
    object_id: str
    is_deleted: bool
    facts: Facts
    object_json: str
    as_of: datetime
    read_at: datetime | None

    @property
    def key(self) -> Key:
        return self.kind, self.object_id

    @property
    def customer(self) -> str | None:
        return getattr(self.facts, "customer", None)

    @property
    def facts_json(self) -> str:
        return json.dumps(asdict(self.facts), default=_text)

    @property
    def is_wanting(self) -> bool:
        """Whether an event told only a part of the object, and Stripe has to be asked for the rest."""
        return self.read_at is None and not self.is_deleted and not self.facts.is_whole

    @property
    def is_end_of_usage(self) -> bool:
        """Whether Stripe takes no usage of it from here on: a deleted customer, an inactive meter."""
        if isinstance(self.facts, MeterFacts):
            return not self.facts.is_active
        return self.kind == "customer" and self.is_deleted


def mirror(told: Json, *, kind: str, as_of: datetime, read_at: datetime | None = None) -> Mirror | Unreadable:
    """Read Stripe's object; `read_at` where it is Stripe's answer to us and not an event's."""
    try:
        return Mirror(
            kind=kind,
            object_id=required(word(inner(told, "id")) if inner(told, "object") == kind else None, "id"),
            is_deleted=inner(told, "deleted") is True,
            facts=KINDS[kind](told),
            object_json=storable(told),
            as_of=as_of,
            read_at=read_at,
        )
    except Unfit as unfit:
        return Unreadable(reason=f"the {kind.rpartition('.')[2]} has no readable {unfit}")


def listed(told: Json, *, kind: str, read_at: datetime) -> Mirror | Unreadable:
    """Read an object of a list of Stripe's. No event told it, so any event of it is newer: as of its creation."""
    created = instant(inner(told, "created"))
    if created is None:
        return Unreadable(reason=f"the {kind} has no readable created")
    return mirror(told, kind=kind, as_of=created, read_at=read_at)


def _text(value: object) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case _:
            raise TypeError(f"no fact is a {type(value).__name__}")
