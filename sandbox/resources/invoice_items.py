"""Invoice items: amounts that a caller adds to a draft, or leaves for the next invoice."""

from collections.abc import Iterable
from dataclasses import replace

from sandbox.billing.invoice import Invoice
from sandbox.billing.invoice_item import InvoiceItem
from sandbox.billing.invoice_life import recounted
from sandbox.billing.invoice_pending import item_body, keep
from sandbox.billing.periods import Period
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, no_such
from sandbox.pages import newest_first, page
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.events import record
from sandbox.resources.invoice_item_worth import changed_worth, new_worth
from sandbox.resources.invoices import existing as existing_invoice
from sandbox.resources.subscriptions import existing as existing_subscription
from sandbox.wire import JsonObject

ITEMS_MAX = 250
"""Of one invoice, by Stripe's own limit."""


def create(call: Call) -> JsonObject:
    item = _from_params(call)
    call.params.nothing_else()
    kept = replace(item, id=call.books.ids.new("ii"))
    body = keep(call.books, kept)
    if kept.invoice is not None:
        invoice = call.books.shelf(Invoice)[kept.invoice]
        recounted(call.books, replace(invoice, items=(*invoice.items, kept.id)))
    return body


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return item_body(existing(call, call.id))


def update(call: Call) -> JsonObject:
    item = existing(call, call.id)
    invoice = _its_draft(call, item)
    params = call.params
    worth = changed_worth(call, item)
    changed = replace(
        item,
        amount=worth.amount,
        quantity=worth.quantity,
        unit_amount=worth.unit_amount,
        price=worth.price,
        period=_period(call, item.period),
        description=params.text_or("description", item.description),
        is_discountable=params.is_true("discountable") if "discountable" in params else item.is_discountable,
        metadata=params.metadata(item.metadata),
    )
    params.nothing_else()
    call.books.shelf(InvoiceItem)[item.id] = changed
    if invoice is not None:
        recounted(call.books, invoice)
    return item_body(changed)


def delete(call: Call) -> JsonObject:
    item = existing(call, call.id)
    invoice = _its_draft(call, item)
    call.params.nothing_else()
    del call.books.shelf(InvoiceItem)[item.id]
    record(call.books, "invoiceitem.deleted", item_body(item))
    if invoice is not None:
        left = tuple(identity for identity in invoice.items if identity != item.id)
        recounted(call.books, replace(invoice, items=left))
    return {"id": item.id, "object": "invoiceitem", "deleted": True}


def list_page(call: Call) -> JsonObject:
    body = page(call, _wanted(call), item_body)
    call.params.nothing_else()
    return body


def existing(call: Call, identity: str) -> InvoiceItem:
    item = call.books.shelf(InvoiceItem).get(identity)
    if item is None:
        raise no_such("invoiceitem", identity)
    return item


def _from_params(call: Call) -> InvoiceItem:
    params = call.params
    customer = existing_customer(call, params.required("customer"), param="customer").id
    invoice = _invoice(call, customer)
    worth = new_worth(call, currency=None if invoice is None else invoice.currency)
    return InvoiceItem(
        id="",
        created=call.now,
        livemode=call.books.livemode,
        customer=customer,
        subscription=_subscription(call, customer),
        invoice=None if invoice is None else invoice.id,
        was_pending=invoice is None,
        amount=worth.amount,
        currency=worth.currency,
        quantity=worth.quantity,
        unit_amount=worth.unit_amount,
        price=worth.price,
        period=_period(call, Period(start=call.now, end=call.now)),
        description=params.text("description"),
        is_discountable=params.is_true("discountable") if "discountable" in params else worth.amount >= 0,
        metadata=params.metadata(),
    )


def _invoice(call: Call, customer: str) -> Invoice | None:
    identity = call.params.text("invoice")
    if identity is None:
        return None
    invoice = existing_invoice(call, identity, param="invoice")
    if invoice.customer != customer:
        raise invalid(f"The invoice {identity} does not belong to {customer}.", param="invoice")
    if invoice.status != "draft":
        raise _frozen()
    if len(invoice.items) >= ITEMS_MAX:
        raise invalid(f"An invoice has at most {ITEMS_MAX} invoice items.", param="invoice")
    return invoice


def _subscription(call: Call, customer: str) -> str | None:
    identity = call.params.text("subscription")
    if identity is None:
        return None
    subscription = existing_subscription(call, identity, param="subscription")
    if subscription.customer != customer:
        raise invalid(f"The subscription {identity} does not belong to {customer}.", param="subscription")
    return identity


def _its_draft(call: Call, item: InvoiceItem) -> Invoice | None:
    """The draft that took the item in; None while it is pending. Refused where the invoice is final."""
    if item.invoice is None:
        return None
    invoice = call.books.shelf(Invoice)[item.invoice]
    if invoice.status != "draft":
        raise _frozen()
    return invoice


def _frozen() -> ApiError:
    message = "The invoice item is attached to an invoice that is no longer editable."
    return ApiError(400, message, code="invoice_not_editable")


def _period(call: Call, otherwise: Period) -> Period:
    if "period" not in call.params:
        return otherwise
    group = call.params.group("period")
    group.required("start"), group.required("end")
    start, end = group.instant("start") or 0, group.instant("end") or 0
    if end < start:
        raise invalid("The period's end must not be before its start.", param=group.named("end"))
    return Period(start=start, end=end)


def _wanted(call: Call) -> Iterable[InvoiceItem]:
    params = call.params
    customer, invoice = params.text("customer"), params.text("invoice")
    is_pending = params.choice("pending", ("true", "false"))
    created = params.bounds("created")
    for item in newest_first(call, InvoiceItem):
        if customer not in (None, item.customer) or invoice not in (None, item.invoice):
            continue
        if is_pending not in (None, str(item.invoice is None).lower()):
            continue
        if created is None or created.hold(item.created):
            yield item
