"""Invoice items that wait for an invoice: who takes which, and what an invoice does with those it took."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sandbox.billing.invoice_item import InvoiceItem
from sandbox.books import Books
from sandbox.resources.events import record
from sandbox.wire import JsonObject, decimal_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsOfCustomer:
    """The invoice items a customer ever had, so that no invoice looks at everybody's."""

    ids: tuple[str, ...] = ()


class Taker(Protocol):
    """A subscription, as far as its invoice takes pending items."""

    @property
    def id(self) -> str: ...
    @property
    def customer(self) -> str: ...
    @property
    def currency(self) -> str: ...


def pending(books: Books, subscription: Taker) -> list[InvoiceItem]:
    """The items that this subscription's next invoice takes: its own, and its customer's without a subscription."""
    return [
        item
        for item in _waiting(books, subscription.customer, currency=subscription.currency)
        if item.subscription in (None, subscription.id)
    ]


def pending_without_subscription(books: Books, customer: str, *, currency: str) -> list[InvoiceItem]:
    return [item for item in _waiting(books, customer, currency=currency) if item.subscription is None]


def keep(books: Books, item: InvoiceItem) -> JsonObject:
    """Puts a new item on the shelf; what it is in the answers."""
    books.shelf(InvoiceItem)[item.id] = item
    before = books.shelf(ItemsOfCustomer).get(item.customer, ItemsOfCustomer())
    books.shelf(ItemsOfCustomer)[item.customer] = ItemsOfCustomer(ids=(*before.ids, item.id))
    body = item_body(item)
    record(books, "invoiceitem.created", body)
    return body


def taken(books: Books, items: Sequence[str], *, invoice: str) -> None:
    shelf = books.shelf(InvoiceItem)
    for identity in items:
        shelf[identity] = replace(shelf[identity], invoice=invoice)


def given_back(books: Books, items: Sequence[str]) -> None:
    """What a deleted draft had taken waits again; what was made for it goes with it."""
    shelf = books.shelf(InvoiceItem)
    for identity in items:
        if shelf[identity].was_pending:
            shelf[identity] = replace(shelf[identity], invoice=None)
        else:
            del shelf[identity]


def item_body(item: InvoiceItem) -> JsonObject:
    price = item.price
    return {
        "id": item.id,
        "object": "invoiceitem",
        "amount": item.amount,
        "currency": item.currency,
        "customer": item.customer,
        "customer_account": None,
        "date": item.created,
        "description": item.description,
        "discountable": item.is_discountable,
        "discounts": [],
        "invoice": item.invoice,
        "livemode": item.livemode,
        "metadata": item.metadata,
        "net_amount": item.amount,
        "parent": _parent(item),
        "period": {"end": item.period.end, "start": item.period.start},
        "pricing": {
            "price_details": None if price is None else {"price": price.id, "product": price.product},
            "type": "price_details",
            "unit_amount_decimal": None if item.unit_amount is None else decimal_text(item.unit_amount),
        },
        "proration": item.is_proration,
        "proration_details": None,
        "quantity": int(item.quantity),
        "quantity_decimal": decimal_text(item.quantity),
        "tax_rates": [],
        "test_clock": None,
    }


def _waiting(books: Books, customer: str, *, currency: str) -> list[InvoiceItem]:
    shelf, theirs = books.shelf(InvoiceItem), books.shelf(ItemsOfCustomer).get(customer, ItemsOfCustomer())
    items = [shelf[identity] for identity in theirs.ids if identity in shelf]
    return [item for item in items if item.invoice is None and item.currency == currency]


def _parent(item: InvoiceItem) -> JsonObject | None:
    if item.subscription is None:
        return None
    return {
        "subscription_details": {"subscription": item.subscription, "subscription_item": item.subscription_item},
        "type": "subscription_details",
    }
