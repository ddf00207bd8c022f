"""What is told before it happens: a trial's end three days ahead, an invoice as many days ahead as the account wants.

Only what is still true when its time has come is told: a date that was moved has a reminder of its own.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from sandbox.billing.charges import Charge
from sandbox.billing.invoice_body import rendered
from sandbox.billing.invoice_life import rated
from sandbox.billing.invoice_preview import previewed
from sandbox.billing.invoicing import drawn
from sandbox.books import Books
from sandbox.resources.event_summaries import seen_until
from sandbox.resources.events import record
from sandbox.resources.subscriptions import Subscription, shelved, told
from sandbox.wire import JsonObject

DAY_S = 86_400
TRIAL_TOLD_BEFORE_S = 3 * DAY_S

Upcoming: TypeAlias = Callable[[Books, Subscription], list[Charge]]


def remind_of_trial_end(books: Books, subscription: Subscription) -> None:
    """Three days before, or at once where a trial is shorter."""
    end = subscription.trial_end
    if end is not None and end > books.now and end != subscription.trial_end_told:
        books.clock.at(end - TRIAL_TOLD_BEFORE_S, partial(_tell_of_trial_end, books, subscription.id, end))


def remind_of_invoice(books: Books, subscription: Subscription, *, upcoming: Upcoming) -> None:
    """Where the account wants it and there is time for it."""
    end, before_s = subscription.turns_at, books.settings.invoice_upcoming_days * DAY_S
    if before_s and end - before_s > books.now:
        books.clock.at(end - before_s, partial(_tell_of_invoice, books, subscription.id, end=end, upcoming=upcoming))


def _tell_of_trial_end(books: Books, identity: str, end: int) -> None:
    subscription = books.shelf(Subscription)[identity]
    if subscription.is_running and subscription.trial_end == end != subscription.trial_end_told and books.now < end:
        told(books, replace(subscription, trial_end_told=end), "customer.subscription.trial_will_end")


def _tell_of_invoice(books: Books, identity: str, *, end: int, upcoming: Upcoming) -> None:
    subscription = books.shelf(Subscription)[identity]
    charges = upcoming(books, subscription)
    if subscription.is_running and subscription.turns_at == end != subscription.invoice_told and charges:
        shelved(books, replace(subscription, invoice_told=end))
        record(books, "invoice.upcoming", _preview(books, subscription, charges))


def _preview(books: Books, subscription: Subscription, charges: list[Charge]) -> JsonObject:
    """An invoice without an id: there is none yet."""
    invoice = drawn(books, subscription, charges, reason="subscription_cycle", identity="")
    counted = rated(books, replace(invoice, created=subscription.turns_at), until=seen_until(books))
    body = rendered(books, previewed(counted))
    return {name: value for name, value in body.items() if name != "id"}
