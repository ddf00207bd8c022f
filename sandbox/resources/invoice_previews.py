"""Previews: the draft of the charges to come, which nobody keeps.

Usage counts as far as aggregation has seen it; licensed items are billed ahead, for the period that follows.
"""

from dataclasses import replace

from sandbox.billing.cycle import upcoming
from sandbox.billing.invoice import Invoice
from sandbox.billing.invoice_body import preview_body
from sandbox.billing.invoice_imagined import NOWHERE, Imagined
from sandbox.billing.invoice_life import rated
from sandbox.billing.invoicing import drawn
from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.event_summaries import seen_until
from sandbox.resources.subscription_params import items_from
from sandbox.resources.subscriptions import Subscription
from sandbox.resources.subscriptions import existing as existing_subscription
from sandbox.wire import JsonObject


def create_preview(call: Call) -> JsonObject:
    """Of a subscription, of a customer's that is billed next, or of items that a customer might subscribe to."""
    call.params.choice("preview_mode", ("next", "recurring"))
    if "subscription_details" in call.params:
        return _first_of(call)
    subscription = _subscription(call)
    call.params.nothing_else()
    return preview_body(call.books, _upcoming(call.books, subscription))


def _first_of(call: Call) -> JsonObject:
    customer = existing_customer(call, call.params.required("customer"), param="customer").id
    details = call.params.group("subscription_details")
    mode = details.group("billing_mode").choice("type", ("classic", "flexible")) or "flexible"
    items = items_from(replace(call, params=details), NOWHERE)
    call.params.nothing_else()
    imagined = Imagined(customer=customer, items=items, start_date=call.now, billing_mode=mode)
    identity = f"upcoming_in_{call.books.ids.letters('upcoming', customer)}"
    charges = imagined.first_charges()
    invoice = drawn(call.books, imagined, charges, reason="subscription_create", identity=identity)
    return preview_body(call.books, _preview(call.books, invoice))


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


def _upcoming(books: Books, subscription: Subscription) -> Invoice:
    charges = upcoming(books, subscription)
    identity = f"upcoming_in_{books.ids.letters('upcoming', subscription.id)}"
    invoice = drawn(books, subscription, charges, reason="subscription_cycle", identity=identity)
    if not invoice.charges and not invoice.items:
        raise _nothing_upcoming(subscription.customer)
    return _preview(books, replace(invoice, created=subscription.turns_at))


def _preview(books: Books, invoice: Invoice) -> Invoice:
    preview = replace(invoice, billing_reason="upcoming", auto_advance=False)
    return rated(books, preview, until=seen_until(books))
