"""The cycle: which charges fall due when, and what becomes of a subscription at those instants.

One look at a subscription whenever something of it may be due: a look finds out by itself, so one that comes late,
twice or for a date that was changed does no harm. Each item is billed until an instant; a period's end takes what lies
between it and the end, pays licensed items ahead, and moves it.
"""

from dataclasses import replace
from functools import partial

from sandbox.billing.charges import Charge
from sandbox.billing.endings import ended_by_itself, paused
from sandbox.billing.invoicing import draft
from sandbox.billing.payments import paying
from sandbox.billing.reminders import remind_of_invoice, remind_of_trial_end
from sandbox.billing.stretches import ahead, used
from sandbox.books import Books
from sandbox.resources.subscription_items import SubscriptionItem
from sandbox.resources.subscriptions import Subscription, shelved, told


def upcoming(books: Books, subscription: Subscription) -> list[Charge]:
    """The charges of the next invoice: usage of the items whose period ends then, and their next period paid ahead."""
    until = subscription.turns_at
    is_end = until == subscription.ends_at
    if is_end and until < subscription.period_ends_at and not books.settings.usage_is_billed_at_cancel_at:
        return []
    due = [item for item in subscription.items if is_end or item.current.end == until]
    charges = [charge for item in due for charge in used(books, subscription, item, until=until)]
    if is_end:
        return charges
    return charges + [
        charge
        for item in due
        for charge in ahead(books, subscription, item, period=item.following(subscription.anchor))
    ]


def attend(books: Books, subscription: Subscription) -> Subscription:
    """Shelves it, and puts what happens to it next on the agenda."""
    books.clock.at(subscription.turns_at, partial(_look, books, subscription.id))
    remind_of_trial_end(books, subscription)
    remind_of_invoice(books, subscription, upcoming=upcoming)
    return shelved(books, subscription)


def _look(books: Books, identity: str) -> None:
    """Does what is due; nothing where it has ended, or is not due yet."""
    subscription = books.shelf(Subscription)[identity]
    if not subscription.is_running or books.now < subscription.turns_at:
        return
    if subscription.turns_at == subscription.ends_at:
        ended_by_itself(books, subscription, upcoming(books, subscription))
    elif _cannot_pay_after_trial(books, subscription):
        _stop_after_trial(books, subscription)
    else:
        attend(books, _turned(books, subscription))


def _turned(books: Books, subscription: Subscription) -> Subscription:
    """In its next period, with a draft of the last one."""
    charges = upcoming(books, subscription)
    items = tuple(
        _moved(subscription, item) if item.current.end == subscription.period_ends_at else item
        for item in subscription.items
    )
    turned = shelved(books, replace(subscription, items=items))
    if charges:
        invoice = draft(books, turned, charges, reason="subscription_cycle")
        turned = replace(turned, latest_invoice=invoice.id)
    told(books, turned, "customer.subscription.updated")
    return turned


def _moved(subscription: Subscription, item: SubscriptionItem) -> SubscriptionItem:
    following = item.following(subscription.anchor)
    return replace(item, current=following, billed_until=following.start if item.is_metered else following.end)


def _cannot_pay_after_trial(books: Books, subscription: Subscription) -> bool:
    """Whether its trial ends now, and the caller wants no invoice that nothing can pay."""
    return (
        subscription.trial_end == subscription.turns_at
        and subscription.without_payment_method != "create_invoice"
        and paying(books, subscription.customer, wanted=subscription.default_payment_method) is None
        and subscription.collection_method == "charge_automatically"
    )


def _stop_after_trial(books: Books, subscription: Subscription) -> None:
    if subscription.without_payment_method == "pause":
        paused(books, subscription)
    else:
        ended_by_itself(books, subscription, [])
