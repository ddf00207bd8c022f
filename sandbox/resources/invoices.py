"""Invoices: what a customer was billed, from draft to paid, and what a caller may do with one on the way.

The steps themselves are in `billing/invoice_life.py`; here are the parameters, and Stripe's refusals of a step that
does not fit the invoice's status.
"""

from collections.abc import Iterable
from dataclasses import replace

from sandbox.billing.invoice import Invoice
from sandbox.billing.invoice_body import line_body, rendered
from sandbox.billing.invoice_life import (
    collected,
    confirmed,
    decline_of_invoice,
    deleted,
    finalized,
    given_up,
    paid,
    voided,
)
from sandbox.billing.invoice_preview import preview_of
from sandbox.billing.payment_method import owned
from sandbox.billing.payments import refusal_of
from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import ApiError, no_such
from sandbox.pages import newest_first, page
from sandbox.wire import JsonObject

COLLECTION_METHODS = ("charge_automatically", "send_invoice")
STATUSES = ("draft", "open", "paid", "uncollectible", "void")


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return rendered(call.books, existing(call, call.id))


def list_page(call: Call) -> JsonObject:
    body = page(call, _wanted(call), lambda invoice: rendered(call.books, invoice))
    call.params.nothing_else()
    return body


def list_lines(call: Call) -> JsonObject:
    invoice = preview_of(call.books, call.id) or existing(call, call.id)
    body = page(call, invoice.lines, lambda line: line_body(invoice, line))
    call.params.nothing_else()
    return body


def finalize(call: Call) -> JsonObject:
    invoice = existing(call, call.id)
    advances = call.params.is_true("auto_advance") if "auto_advance" in call.params else invoice.auto_advance
    call.params.nothing_else()
    if invoice.status != "draft":
        raise not_editable("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    return rendered(call.books, finalized(call.books, replace(invoice, auto_advance=advances)))


def pay(call: Call) -> JsonObject:
    """One attempt to collect; a draft is finalized first."""
    invoice = existing(call, call.id)
    wanted = _payment_method(call, invoice)
    is_elsewhere = call.params.is_true("paid_out_of_band")
    call.params.choice("off_session", ("true", "false"))
    call.params.nothing_else()
    if invoice.status == "paid":
        raise ApiError(400, "Invoice is already paid", code="invoice_already_paid")
    if invoice.status == "void":
        raise ApiError(400, "This invoice can no longer be paid.")
    final = confirmed(call.books, invoice) if invoice.status == "draft" else invoice
    if final.status != "paid":
        final = _paid_elsewhere(call.books, final) if is_elsewhere else _paid_by_card(call.books, final, wanted=wanted)
    return rendered(call.books, final)


def void(call: Call) -> JsonObject:
    invoice = existing(call, call.id)
    call.params.nothing_else()
    if invoice.status not in ("open", "uncollectible"):
        raise _not_open()
    return rendered(call.books, voided(call.books, invoice))


def mark_uncollectible(call: Call) -> JsonObject:
    invoice = existing(call, call.id)
    call.params.nothing_else()
    if invoice.status != "open":
        raise _not_open()
    return rendered(call.books, given_up(call.books, invoice))


def delete(call: Call) -> JsonObject:
    invoice = existing(call, call.id)
    call.params.nothing_else()
    if invoice.status != "draft":
        raise ApiError(400, "You can only delete draft invoices.")
    if invoice.parent is not None:
        raise ApiError(400, "You can't delete invoices created by subscriptions.")
    return deleted(call.books, invoice)


def existing(call: Call, identity: str, *, param: str = "id") -> Invoice:
    invoice = call.books.shelf(Invoice).get(identity)
    if invoice is None:
        raise no_such("invoice", identity, param=param)
    return invoice


def not_editable(message: str) -> ApiError:
    return ApiError(400, message, code="invoice_not_editable")


def _paid_elsewhere(books: Books, invoice: Invoice) -> Invoice:
    return paid(books, replace(invoice, is_paid_elsewhere=True))


def _payment_method(call: Call, invoice: Invoice) -> str | None:
    wanted = call.params.text("payment_method")
    return wanted and owned(call.books, wanted, customer=invoice.customer, param="payment_method")


def _paid_by_card(books: Books, invoice: Invoice, *, wanted: str | None) -> Invoice:
    decline = decline_of_invoice(books, invoice, wanted=wanted)
    tried = collected(books, invoice, wanted=wanted)
    if decline is not None:
        raise refusal_of(decline)
    return tried


def _not_open() -> ApiError:
    return ApiError(400, "You can only pass in open invoices. This invoice isn't open.")


def _wanted(call: Call) -> Iterable[Invoice]:
    params = call.params
    customer, subscription = params.text("customer"), params.text("subscription")
    status, method = params.choice("status", STATUSES), params.choice("collection_method", COLLECTION_METHODS)
    created, due = params.bounds("created"), params.bounds("due_date")
    for invoice in newest_first(call, Invoice):
        if customer not in (None, invoice.customer) or subscription not in (None, invoice.subscription):
            continue
        if status not in (None, invoice.status) or method not in (None, invoice.collection_method):
            continue
        if (created is None or created.hold(invoice.created)) and (due is None or due.hold(invoice.due_date)):
            yield invoice
