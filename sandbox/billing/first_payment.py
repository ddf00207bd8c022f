"""How a subscription's first invoice is billed, and what becomes of one that is not paid.

`default_incomplete` leaves it to be paid by whoever asked for it; else it is collected at once, unless it is sent. What
is incomplete for 23 hours expires: the subscription ends, and its invoice is void.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sandbox.billing.arrears import awaited
from sandbox.billing.charges import Charge
from sandbox.billing.invoice import Invoice
from sandbox.billing.invoice_life import confirmed, opened, voided
from sandbox.billing.invoicing import bill_at_once, draft, drawn
from sandbox.books import Books
from sandbox.resources.subscriptions import Subscription, told

INCOMPLETE_MAX_S = 23 * 3_600
REASON = "subscription_create"


def first_billed(books: Books, subscription: Subscription, charges: Sequence[Charge], *, behavior: str) -> Invoice:
    if subscription.collection_method == "send_invoice":
        return draft(books, subscription, charges, reason=REASON)
    if behavior == "default_incomplete":
        return _left_to_pay(books, subscription, charges)
    return bill_at_once(books, subscription, charges, reason=REASON)


def expiring(books: Books, subscription: Subscription) -> Subscription:
    """Looked at again before long, where it is incomplete."""
    if subscription.status(books) == "incomplete":
        books.clock.at(books.now + INCOMPLETE_MAX_S, partial(_expire, books, subscription.id))
    return subscription


def _left_to_pay(books: Books, subscription: Subscription, charges: Sequence[Charge]) -> Invoice:
    identity = books.ids.new("in")
    final = confirmed(books, opened(books, drawn(books, subscription, charges, reason=REASON, identity=identity)))
    if final.status == "open":
        awaited(books, final)
    return final


def _expire(books: Books, identity: str) -> None:
    subscription = books.shelf(Subscription)[identity]
    if subscription.status(books) != "incomplete":
        return
    told(books, replace(subscription, ended_at=books.now, is_expired=True), "customer.subscription.updated")
    invoice = books.shelf(Invoice)[subscription.latest_invoice or ""]
    if invoice.status == "open":
        voided(books, invoice)
