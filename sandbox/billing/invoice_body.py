"""An invoice as Stripe answers it, in the shape of API 2026: subscriptions under `parent`, prices under `pricing`.

It embeds ten lines at most, as every embedded list does; the rest is to be paged.
"""

from collections.abc import Sequence

from sandbox.billing.invoice import Invoice, Line, TakenOff
from sandbox.billing.invoice_deadline import delivered_at, finalizes_at
from sandbox.billing.invoice_recipient import Recipient, recipient
from sandbox.billing.tax_body import invoice_terms, line_taxes
from sandbox.books import Books
from sandbox.wire import JsonObject, decimal_text

LINES_EMBEDDED_MAX = 10

UNSET: JsonObject = {
    "object": "invoice",
    "account_country": "US",
    "amount_overpaid": 0,
    "amount_shipping": 0,
    "application": None,
    "customer_account": None,
    "customer_tax_exempt": "none",
    "default_payment_method": None,
    "default_source": None,
    "from_invoice": None,
    "issuer": {"type": "self"},
    "last_finalization_error": None,
    "latest_revision": None,
    "next_payment_attempt": None,
    "on_behalf_of": None,
    "payment_settings": {
        "default_mandate": None,
        "payment_method_options": None,
        "payment_method_types": None,
    },
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "receipt_number": None,
    "rendering": None,
    "shipping_cost": None,
    "shipping_details": None,
    "statement_descriptor": None,
    "test_clock": None,
}
"""What every invoice of the sandbox says alike."""


def rendered(books: Books, invoice: Invoice) -> JsonObject:
    lines = [line_body(invoice, line) for line in invoice.lines[:LINES_EMBEDDED_MAX]]
    url = f"/v1/invoices/{invoice.id}/lines"
    return _body(books, invoice) | {
        "lines": {
            "object": "list",
            "data": lines,
            "has_more": len(invoice.lines) > LINES_EMBEDDED_MAX,
            "total_count": len(invoice.lines),
            "url": url,
        },
    }


def line_body(invoice: Invoice, line: Line) -> JsonObject:
    return {
        "id": line.id,
        "object": "line_item",
        "amount": line.amount,
        "currency": line.currency,
        "description": line.description,
        "discount_amounts": _taken_off(line.discounts),
        "discountable": line.is_discountable,
        "discounts": [],
        "invoice": invoice.id,
        "livemode": invoice.livemode,
        "metadata": line.metadata,
        "parent": _line_parent(line),
        "period": {"end": line.period.end, "start": line.period.start},
        "pretax_credit_amounts": _credits(line.discounts),
        "pricing": _pricing(line),
        "quantity": None if line.quantity is None else int(line.quantity),
        "quantity_decimal": None if line.quantity is None else decimal_text(line.quantity),
        "subscription": line.subscription,
        "subtotal": line.amount,
        "taxes": line_taxes(line),
    }


def _body(books: Books, invoice: Invoice) -> JsonObject:
    known = _recipient(books, invoice)
    return (
        UNSET
        | _amounts(invoice)
        | known.render()
        | invoice_terms(books, invoice, known)
        | _life(books, invoice)
        | {
            "id": invoice.id,
            "account_name": books.account,
            "billing_reason": invoice.billing_reason,
            "collection_method": invoice.collection_method,
            "created": invoice.created,
            "currency": invoice.currency,
            "description": invoice.description,
            "discounts": [discount.id for discount in invoice.discounts],
            "footer": invoice.footer,
            "livemode": invoice.livemode,
            "metadata": invoice.metadata,
            "number": invoice.number,
            "parent": _parent(invoice),
            "period_end": invoice.period.end,
            "period_start": invoice.period.start,
        }
    )


def _amounts(invoice: Invoice) -> JsonObject:
    return {
        "amount_due": invoice.due,
        "amount_paid": invoice.paid,
        "amount_paid_off_stripe": invoice.due if invoice.is_paid_elsewhere else None,
        "amount_remaining": invoice.remaining,
        "ending_balance": invoice.ending_balance if invoice.finalized_at else None,
        "starting_balance": invoice.starting_balance,
        "subtotal": invoice.subtotal,
        "subtotal_excluding_tax": invoice.subtotal_untaxed,
        "total": invoice.total,
        "total_discount_amounts": _taken_off(invoice.taken_off),
        "total_pretax_credit_amounts": _credits(invoice.taken_off),
        "total_excluding_tax": invoice.total_untaxed,
    }


def _life(books: Books, invoice: Invoice) -> JsonObject:
    is_final = invoice.finalized_at is not None
    return {
        "attempt_count": invoice.attempts,
        "attempted": invoice.attempts > 0,
        "auto_advance": invoice.auto_advance,
        "automatically_finalizes_at": finalizes_at(books, invoice),
        "due_date": invoice.due_date,
        "effective_at": invoice.finalized_at,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{books.account}/{invoice.id}" if is_final else None,
        "invoice_pdf": f"https://pay.stripe.com/invoice/{books.account}/{invoice.id}/pdf" if is_final else None,
        "status": invoice.status,
        "status_transitions": {
            "finalized_at": invoice.finalized_at,
            "marked_uncollectible_at": invoice.uncollectible_at,
            "paid_at": invoice.paid_at,
            "voided_at": invoice.voided_at,
        },
        "webhooks_delivered_at": delivered_at(books, invoice),
    }


def _recipient(books: Books, invoice: Invoice) -> Recipient:
    if invoice.finalized_at is not None:
        return invoice.recipient
    return recipient(books, invoice.customer, last_known=invoice.recipient)


def _taken_off(parts: Sequence[TakenOff]) -> list[JsonObject]:
    return [{"amount": part.amount, "discount": part.discount} for part in parts]


def _credits(parts: Sequence[TakenOff]) -> list[JsonObject]:
    """Discounts, as the credits that are taken off before tax."""
    return [part | {"credit_balance_transaction": None, "type": "discount"} for part in _taken_off(parts)]


def _parent(invoice: Invoice) -> JsonObject | None:
    if invoice.parent is None:
        return None
    return {
        "quote_details": None,
        "subscription_details": {
            "metadata": invoice.parent.metadata,
            "subscription": invoice.parent.subscription,
        },
        "type": "subscription_details",
    }


def _pricing(line: Line) -> JsonObject:
    price = line.price
    return {
        "price_details": None if price is None else {"price": price.id, "product": price.product},
        "type": "price_details",
        "unit_amount_decimal": None if line.unit_amount is None else decimal_text(line.unit_amount),
    }


def _line_parent(line: Line) -> JsonObject:
    origin = {
        "invoice_item": line.invoice_item,
        "proration": line.is_proration,
        "proration_details": {"credited_items": None},
        "subscription": line.subscription,
    }
    if line.subscription_item is None:
        return {
            "invoice_item_details": origin,
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    return {
        "invoice_item_details": None,
        "subscription_item_details": origin | {"subscription_item": line.subscription_item},
        "type": "subscription_item_details",
    }
