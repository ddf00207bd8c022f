"""How a subscription ends: by itself with a last draft, or at once with what its caller wants billed.

A last draft waits for its grace like any other, so the last period's late usage is still in time. It takes the
prorations that wait, which nothing would collect any more; a credit alone waits for the customer's next invoice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.billing.charges import Charge
from sandbox.billing.invoice_pending import pending
from sandbox.billing.invoicing import bill_at_once, draft, pend
from sandbox.billing.stretches import unused, used
from sandbox.books import Books
from sandbox.resources.subscriptions import Subscription, shelved, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What an immediate cancellation still bills, and gives back."""

    invoice_now: bool
    prorate: bool


def ended_by_itself(books: Books, subscription: Subscription, charges: Sequence[Charge]) -> None:
    """Ends it as it was told to, with a last draft of these charges and of what waits, and tells of it."""
    is_owed = bool(charges) or bool(pending(books, subscription))
    if subscription.credits_unused:
        _give_back(books, subscription)
    if is_owed:
        invoice = draft(books, subscription, charges, reason="subscription_cycle")
        subscription = replace(subscription, latest_invoice=invoice.id)
    told(books, _over(books, subscription), "customer.subscription.deleted")


def ended_at_once(books: Books, subscription: Subscription, settlement: Settlement) -> Subscription:
    """Ends it now; usage that is not invoiced now never is."""
    if settlement.prorate:
        _give_back(books, subscription)
    if settlement.invoice_now:
        charges = [charge for item in subscription.items for charge in used(books, subscription, item, until=books.now)]
        subscription = _billed(books, subscription, charges)
    return _over(books, replace(subscription, canceled_at=books.now))


def paused(books: Books, subscription: Subscription) -> None:
    """Stays as it is, without periods and invoices."""
    told(books, replace(subscription, is_paused=True), "customer.subscription.paused")


def _give_back(books: Books, subscription: Subscription) -> None:
    for item in subscription.items:
        for charge in unused(books, subscription, item, since=books.now):
            pend(books, subscription, charge)


def _billed(books: Books, subscription: Subscription, charges: Sequence[Charge]) -> Subscription:
    if not charges and not pending(books, subscription):
        return subscription
    invoice = bill_at_once(books, subscription, charges, reason=books.settings.invoice_now_reason)
    return replace(subscription, latest_invoice=invoice.id)


def _over(books: Books, subscription: Subscription) -> Subscription:
    canceled_at = books.now if subscription.canceled_at is None else subscription.canceled_at
    return shelved(books, replace(subscription, canceled_at=canceled_at, ended_at=books.now))
