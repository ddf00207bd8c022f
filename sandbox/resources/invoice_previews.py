"""Previews: the draft of the charges to come, which nobody keeps.

Usage counts as far as aggregation has seen it; licensed items are billed ahead, for the period that follows. A change
is previewed by making it, in a sketch of the books.
"""

from dataclasses import replace

from sandbox.billing.cycle import upcoming
from sandbox.billing.endings import Settlement, ended_at_once
from sandbox.billing.invoice import Invoice
from sandbox.billing.invoice_body import rendered
from sandbox.billing.invoice_imagined import NOWHERE, Imagined
from sandbox.billing.invoice_life import rated
from sandbox.billing.invoice_preview import previewed, remembered
from sandbox.billing.invoicing import drawn
from sandbox.billing.sketch import sketched
from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.event_summaries import seen_until
from sandbox.resources.subscription_params import items_from, proration_behavior
from sandbox.resources.subscription_updates import changed
from sandbox.resources.subscriptions import Subscription
from sandbox.resources.subscriptions import existing as existing_subscription
from sandbox.wire import JsonObject

UNNAMED = "upcoming_in"
"""The id of what has none yet."""


def create_preview(call: Call) -> JsonObject:
    """Of a subscription, as it is or with changes, of a customer's billed next, or of items to subscribe to."""
    mode = call.params.choice("preview_mode", ("next", "recurring"))
    if "subscription_details" in call.params and "subscription" not in call.params:
        invoice = _first_of(call)
    elif "subscription_details" in call.params:
        invoice = _changed(call, is_recurring=mode == "recurring")
    else:
        subscription = _subscription(call)
        call.params.nothing_else()
        invoice = _upcoming(call.books, subscription, is_recurring=mode == "recurring")
    named = replace(invoice, id=call.books.ids.new("upcoming_in"))
    return rendered(call.books, remembered(call.books, previewed(named)))


def _first_of(call: Call) -> Invoice:
    customer = existing_customer(call, call.params.required("customer"), param="customer").id
    details = call.params.group("subscription_details")
    mode = details.group("billing_mode").choice("type", ("classic", "flexible")) or "flexible"
    items = items_from(replace(call, params=details), NOWHERE)
    call.params.nothing_else()
    imagined = Imagined(customer=customer, items=items, start_date=call.now, billing_mode=mode)
    charges = imagined.first_charges()
    return _counted(call.books, drawn(call.books, imagined, charges, reason="subscription_create", identity=UNNAMED))


def _changed(call: Call, *, is_recurring: bool) -> Invoice:
    """What the change would be billed with at once, else the next invoice after it."""
    subscription = _subscription(call)
    details = call.params.group("subscription_details")
    sketch = sketched(call.books, customer=subscription.customer)
    if details.is_true("cancel_now"):
        settlement = Settlement(invoice_now=True, prorate=proration_behavior(details) != "none")
        after = ended_at_once(sketch, subscription, settlement)
    else:
        after = changed(replace(call, books=sketch, params=details), subscription)
    call.params.nothing_else()
    if after.latest_invoice in (None, subscription.latest_invoice):
        return _upcoming(sketch, after, is_recurring=is_recurring)
    return sketch.shelf(Invoice)[after.latest_invoice]


def _subscription(call: Call) -> Subscription:
    """The subscription asked for, or the customer's whose period ends first."""
    customer = call.params.text("customer")
    if identity := call.params.text("subscription"):
        return _running(call, existing_subscription(call, identity, param="subscription"), customer=customer)
    identity = existing_customer(call, call.params.required("customer"), param="customer").id
    running = [found for found in call.books.shelf(Subscription).values() if _is_running(found, identity)]
    if not running:
        raise _nothing_upcoming(identity)
    return min(running, key=lambda subscription: subscription.turns_at)


def _running(call: Call, subscription: Subscription, *, customer: str | None) -> Subscription:
    if customer not in (None, subscription.customer):
        existing_customer(call, customer or "", param="customer")
        raise invalid(f"The subscription {subscription.id} does not belong to {customer}.", param="subscription")
    if not subscription.is_running:
        raise _nothing_upcoming(subscription.customer)
    return subscription


def _is_running(subscription: Subscription, customer: str) -> bool:
    return subscription.customer == customer and subscription.is_running


def _nothing_upcoming(customer: str) -> ApiError:
    return ApiError(404, f"No upcoming invoices for customer: '{customer}'", code="invoice_upcoming_none")


def _upcoming(books: Books, subscription: Subscription, *, is_recurring: bool) -> Invoice:
    """The next invoice; of a recurring one only what comes again, not what waits."""
    if not subscription.is_running:
        raise _nothing_upcoming(subscription.customer)
    charges = upcoming(books, subscription)
    invoice = drawn(books, subscription, charges, reason="subscription_cycle", identity=UNNAMED)
    if is_recurring:
        invoice = replace(invoice, items=())
    if not invoice.charges and not invoice.items:
        raise _nothing_upcoming(subscription.customer)
    return _counted(books, replace(invoice, created=subscription.turns_at))


def _counted(books: Books, invoice: Invoice) -> Invoice:
    return rated(books, invoice, until=seen_until(books))
