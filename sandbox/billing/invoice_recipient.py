"""Whom an invoice is addressed to: the customer as it is while the invoice is a draft, and as it was from then on.

A customer may be deleted while a draft of theirs still waits, so a draft keeps what it last knew.
"""

from dataclasses import dataclass

from sandbox.books import Books
from sandbox.resources.customers import Customer
from sandbox.resources.tax_ids import tax_ids_of
from sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    customer: str
    prefix: str
    """What the numbers of the customer's invoices begin with."""
    name: str | None
    email: str | None
    phone: str | None
    address: JsonObject | None
    shipping: JsonObject | None
    tax_ids: tuple[tuple[str, str], ...] = ()
    """Type and value of each, as the invoice shows them."""

    def render(self) -> JsonObject:
        return {
            "customer": self.customer,
            "customer_address": self.address,
            "customer_email": self.email,
            "customer_name": self.name,
            "customer_phone": self.phone,
            "customer_shipping": self.shipping,
            "customer_tax_ids": [{"type": kind, "value": value} for kind, value in self.tax_ids],
        }


def recipient(books: Books, customer: str, *, last_known: Recipient | None = None) -> Recipient:
    found = books.shelf(Customer).get(customer)
    if found is None:
        assert last_known is not None, "an invoice is drawn for a customer that exists"
        return last_known
    return Recipient(
        customer=customer,
        prefix=found.invoice_prefix,
        name=found.name,
        email=found.email,
        phone=found.phone,
        address=found.address,
        shipping=found.shipping,
        tax_ids=tuple((tax_id.type, tax_id.value) for tax_id in tax_ids_of(books, customer)),
    )
