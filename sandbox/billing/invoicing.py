"""Invoices of charges: a draft that finalizes later, one that finalizes at once, and charges kept for the next one.

It knows nothing of why a charge falls due: that is `cycle`. A draft takes the invoice items that wait for its
subscription, and those of its customer that wait for none in particular.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sandbox.billing.charges import Charge
from sandbox.billing.coupon import Discount
from sandbox.billing.invoice import Invoice, Parent
from sandbox.billing.invoice_deadline import HOUR_S
from sandbox.billing.invoice_item import InvoiceItem
from sandbox.billing.invoice_life import finalized, opened
from sandbox.billing.invoice_lines import charged, product_name, rated_charge
from sandbox.billing.invoice_pending import keep, pending
from sandbox.billing.invoice_recipient import recipient
from sandbox.billing.invoice_terms import InvoiceTerms
from sandbox.billing.invoice_words import described
from sandbox.billing.periods import Period, period_at
from sandbox.billing.rating import RatedLine
from sandbox.books import Books


class Subscribed(Protocol):
    """What an invoice says of its subscription."""

    @property
    def id(self) -> str: ...
    @property
    def customer(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def metadata(self) -> dict[str, str]: ...
    @property
    def billing_mode(self) -> str: ...
    @property
    def collection_method(self) -> str: ...
    @property
    def days_until_due(self) -> int | None: ...
    @property
    def anchor(self) -> int: ...
    @property
    def start_date(self) -> int: ...
    @property
    def discounts(self) -> tuple[Discount, ...]: ...
    @property
    def invoice_terms(self) -> InvoiceTerms: ...


def draft(books: Books, subscription: Subscribed, charges: Sequence[Charge], *, reason: str) -> Invoice:
    """A draft of these charges, which finalizes by itself after its grace."""
    invoice = drawn(books, subscription, charges, reason=reason, identity=books.ids.new("in"))
    return opened(books, replace(invoice, finalizes_at=books.now + _grace_s(books, charges, reason=reason)))


def bill_at_once(books: Books, subscription: Subscribed, charges: Sequence[Charge], *, reason: str) -> Invoice:
    """An invoice of these charges, final from the beginning."""
    invoice = drawn(books, subscription, charges, reason=reason, identity=books.ids.new("in"))
    return finalized(books, opened(books, invoice))


def pend(books: Books, subscription: Subscribed, charge: Charge, *, description: str | None = None) -> None:
    """Keeps the charge, rated now, for the next invoice of its subscription."""
    for rated in rated_charge(books, charge, until=books.now):
        keep(books, _item_of(books, subscription, charge, rated=rated, description=description))


def drawn(books: Books, subscription: Subscribed, charges: Sequence[Charge], *, reason: str, identity: str) -> Invoice:
    """The invoice as a draft would begin, on no shelf yet."""
    return Invoice(
        id=identity,
        created=books.now,
        livemode=books.livemode,
        recipient=recipient(books, subscription.customer),
        currency=subscription.currency,
        parent=Parent(
            subscription=subscription.id or None, metadata=subscription.metadata, billing_mode=subscription.billing_mode
        ),
        billing_reason=reason,
        collection_method=subscription.collection_method,
        days_until_due=subscription.days_until_due,
        auto_advance=True,
        finalizes_at=None,
        discounts=subscription.discounts,
        description=subscription.invoice_terms.description,
        footer=subscription.invoice_terms.footer,
        terms=subscription.invoice_terms,
        metadata={},
        period=looked_back(books, subscription, charges, reason=reason),
        charges=tuple(charges),
        items=tuple(item.id for item in pending(books, subscription)),
    )


def looked_back(books: Books, subscription: Subscribed, charges: Sequence[Charge], *, reason: str) -> Period:
    """The invoice's own period: that of the usage it bills, or the one that has just ended."""
    used = [charge.period for charge in charges if charge.item.recurring.meter is not None]
    if used:
        return Period(start=min(period.start for period in used), end=max(period.end for period in used))
    if reason != "subscription_cycle" or not charges:
        return Period(start=books.now, end=books.now)
    end = min(charge.period.start for charge in charges)
    ended = period_at(end - 1, anchor=subscription.anchor, interval=charges[0].item.interval)
    return Period(start=max(ended.start, subscription.start_date), end=end)


def _grace_s(books: Books, charges: Sequence[Charge], *, reason: str) -> int:
    """Only a cycle's draft with usage has the grace period of the account; others finalize after about an hour."""
    has_usage = any(charge.item.recurring.meter is not None for charge in charges)
    return books.settings.finalization_grace_s if has_usage and reason == "subscription_cycle" else HOUR_S


def _item_of(
    books: Books, subscription: Subscribed, charge: Charge, *, rated: RatedLine, description: str | None
) -> InvoiceItem:
    product = product_name(books, charge)
    words = described(charge, rated, product=product, billing_mode=subscription.billing_mode)
    return InvoiceItem(
        id=books.ids.new("ii"),
        created=books.now,
        livemode=books.livemode,
        customer=subscription.customer,
        subscription=subscription.id,
        subscription_item=charge.item.id,
        amount=charged(books, charge, rated),
        currency=charge.item.price.currency,
        quantity=rated.quantity,
        unit_amount=rated.unit_amount,
        price=charge.item.price,
        period=charge.period,
        description=description or words,
        is_discountable=not charge.is_proration,
        is_proration=charge.is_proration,
        metadata={},
    )
