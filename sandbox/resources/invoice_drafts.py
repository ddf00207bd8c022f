"""Drafts as a caller makes and changes them: outside any cycle, and within the hour before a cycle's own finalizes."""

from dataclasses import dataclass, replace

from sandbox.billing.currencies import known
from sandbox.billing.invoice import Invoice, Parent
from sandbox.billing.invoice_body import rendered
from sandbox.billing.invoice_deadline import HOUR_S
from sandbox.billing.invoice_item import InvoiceItem
from sandbox.billing.invoice_life import advancing, due_date, opened, updated
from sandbox.billing.invoice_pending import pending, pending_without_subscription
from sandbox.billing.invoice_recipient import recipient
from sandbox.billing.invoice_terms import NO_TERMS
from sandbox.billing.periods import Period
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.parameters.params import Params
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.invoices import existing, not_editable
from sandbox.resources.subscription_params import collection_method, days_until_due
from sandbox.resources.subscriptions import Subscription
from sandbox.resources.subscriptions import existing as existing_subscription
from sandbox.wire import JsonObject

CURRENCY_DEFAULT = "usd"
OF_DRAFTS = ("automatically_finalizes_at", "days_until_due", "description", "footer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    customer: str
    currency: str
    subscription: Subscription | None
    items: tuple[InvoiceItem, ...]


def create(call: Call) -> JsonObject:
    whose = _whose(call)
    subscription = whose.subscription
    terms = NO_TERMS if subscription is None else subscription.invoice_terms
    method = collection_method(call.params)
    invoice = Invoice(
        id="",
        created=call.now,
        livemode=call.books.livemode,
        recipient=recipient(call.books, whose.customer),
        currency=whose.currency,
        parent=None if subscription is None else _parent(subscription),
        billing_reason="manual",
        collection_method=method,
        days_until_due=days_until_due(call.params, method),
        auto_advance=call.params.is_true("auto_advance"),
        finalizes_at=None,
        description=call.params.text_or("description", terms.description),
        footer=call.params.text_or("footer", terms.footer),
        terms=terms,
        metadata=call.params.metadata(),
        period=Period(start=call.now, end=call.now),
        items=tuple(item.id for item in whose.items),
    )
    timed = _timed(call, invoice)
    call.params.nothing_else()
    return rendered(call.books, opened(call.books, replace(timed, id=call.books.ids.new("in"))))


def update(call: Call) -> JsonObject:
    invoice = existing(call, call.id)
    asked = [name for name in OF_DRAFTS if name in call.params]
    if invoice.status != "draft" and asked:
        raise not_editable("Finalized invoices can't be updated in this way.")
    changed = _timed(call, _changed(call.params, invoice))
    call.params.nothing_else()
    if changed.status == "open" and changed.auto_advance and not invoice.auto_advance:
        return rendered(call.books, advancing(call.books, changed))
    return rendered(call.books, updated(call.books, changed))


def _whose(call: Call) -> Whose:
    """Whom it bills, and for which of the items that wait."""
    params = call.params
    subscription = None
    if identity := params.text("subscription"):
        subscription = existing_subscription(call, identity, param="subscription")
    customer = params.text("customer") or (subscription.customer if subscription else params.required("customer"))
    existing_customer(call, customer, param="customer")
    if subscription is not None and subscription.customer != customer:
        raise invalid(f"The subscription {subscription.id} does not belong to {customer}.", param="subscription")
    otherwise = subscription.currency if subscription else CURRENCY_DEFAULT
    currency = known(params.text("currency") or otherwise, param="currency")
    taken = _items(call, customer, currency, subscription=subscription)
    return Whose(customer=customer, currency=currency, subscription=subscription, items=tuple(taken))


def _items(call: Call, customer: str, currency: str, *, subscription: Subscription | None) -> list[InvoiceItem]:
    behavior = call.params.choice("pending_invoice_items_behavior", ("exclude", "include"))
    if subscription is None:
        waiting = pending_without_subscription(call.books, customer, currency=currency)
        return waiting if behavior == "include" else []
    own = [item for item in pending(call.books, subscription) if item.subscription == subscription.id]
    if not own:
        raise ApiError(400, "Nothing to invoice for subscription", code="invoice_no_subscription_line_items")
    return own


def _parent(subscription: Subscription) -> Parent:
    return Parent(subscription=subscription.id, metadata=subscription.metadata, billing_mode=subscription.billing_mode)


def _changed(params: Params, invoice: Invoice) -> Invoice:
    changed = replace(
        invoice,
        auto_advance=params.is_true("auto_advance") if "auto_advance" in params else invoice.auto_advance,
        days_until_due=days_until_due(params, invoice.collection_method, before=invoice.days_until_due),
        description=params.text_or("description", invoice.description),
        footer=params.text_or("footer", invoice.footer),
        metadata=params.metadata(invoice.metadata),
    )
    return replace(changed, due_date=due_date(changed, since=invoice.finalized_at or invoice.created))


def _timed(call: Call, invoice: Invoice) -> Invoice:
    """The draft with the instant of its finalization: the caller's, its own, or none while it is not to advance."""
    told = call.params.instant("automatically_finalizes_at")
    if told is not None and not invoice.auto_advance:
        message = "You can only set `automatically_finalizes_at` on an invoice with `auto_advance` true."
        raise invalid(message, param="automatically_finalizes_at")
    if told is not None and told <= call.now:
        message = "`automatically_finalizes_at` must be a timestamp in the future."
        raise invalid(message, param="automatically_finalizes_at")
    if told is not None:
        return replace(invoice, finalizes_at=told, finalizes_as_told=True)
    if not invoice.auto_advance or invoice.status != "draft":
        return replace(invoice, finalizes_at=None, finalizes_as_told=False)
    return invoice if invoice.finalizes_at is not None else replace(invoice, finalizes_at=call.now + HOUR_S)
