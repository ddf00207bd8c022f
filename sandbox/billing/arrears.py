"""What a subscription and its customer owe once a payment failed, or was not made in time, until it is settled.

Kept apart from the subscription, because whoever bills it at that moment still holds it as it was before.
"""

from dataclasses import dataclass

from sandbox.billing.invoice import Invoice
from sandbox.billing.invoice_tally import tally_of
from sandbox.books import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrears:
    """A subscription's last invoice that could not be collected, or was not paid when it was due."""

    invoice: str
    is_first: bool


def fell_behind(books: Books, invoice: Invoice) -> None:
    tally_of(books, invoice.customer).is_delinquent = True
    if invoice.subscription is not None:
        is_sent = invoice.collection_method == "send_invoice"
        is_first = invoice.billing_reason == "subscription_create" and not is_sent
        books.shelf(Arrears)[invoice.subscription] = Arrears(invoice=invoice.id, is_first=is_first)


def awaited(books: Books, invoice: Invoice) -> None:
    """A first invoice that its caller is to pay: nobody failed to yet."""
    books.shelf(Arrears)[invoice.subscription or ""] = Arrears(invoice=invoice.id, is_first=True)


def caught_up(books: Books, invoice: Invoice) -> bool:
    """Whether its subscription owed it until now: it is paid, or nobody waits for it any more."""
    tally_of(books, invoice.customer).is_delinquent = False
    owed = books.shelf(Arrears).get(invoice.subscription or "")
    if owed is None or owed.invoice != invoice.id:
        return False
    del books.shelf(Arrears)[invoice.subscription or ""]
    return True


def status_of_arrears(books: Books, subscription: str) -> str | None:
    owed = books.shelf(Arrears).get(subscription)
    if owed is None:
        return None
    return "incomplete" if owed.is_first else "past_due"
