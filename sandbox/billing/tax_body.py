"""What an invoice, its lines and its subscription say of taxes, and in the words that were chosen for them."""

from collections import defaultdict
from collections.abc import Iterable

from sandbox.billing.invoice import Invoice, Line
from sandbox.billing.invoice_recipient import Recipient
from sandbox.billing.invoice_terms import InvoiceTerms
from sandbox.billing.tax_amounts import Rate, TaxAmount
from sandbox.billing.taxes import located
from sandbox.books import Books
from sandbox.resources.tax_rates import TaxRate
from sandbox.wire import JsonObject


def line_taxes(line: Line) -> list[JsonObject]:
    return [_tax(tax) for tax in line.taxes]


def invoice_terms(books: Books, invoice: Invoice, known: Recipient) -> JsonObject:
    """Of an invoice: its taxes, and the words that its subscription chose."""
    terms = invoice.terms
    return {
        "account_tax_ids": list(terms.account_tax_ids) or None,
        "automatic_tax": _automatic_tax(terms, known),
        "custom_fields": _custom_fields(terms),
        "default_tax_rates": _rates(books, terms),
        "total_taxes": [_tax(tax) for tax in _together(invoice.lines)],
    }


def subscription_terms(books: Books, terms: InvoiceTerms) -> JsonObject:
    """Of a subscription: what it has its invoices say and be taxed by."""
    liability = {"type": "self"} if terms.has_automatic_tax else None
    return {
        "automatic_tax": {"disabled_reason": None, "enabled": terms.has_automatic_tax, "liability": liability},
        "default_tax_rates": _rates(books, terms),
        "invoice_settings": {
            "account_tax_ids": list(terms.account_tax_ids) or None,
            "custom_fields": _custom_fields(terms),
            "description": terms.description,
            "footer": terms.footer,
            "issuer": {"type": "self"},
        },
    }


def _automatic_tax(terms: InvoiceTerms, known: Recipient) -> JsonObject:
    if not terms.has_automatic_tax:
        return {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None}
    return {
        "disabled_reason": None,
        "enabled": True,
        "liability": {"type": "self"},
        "provider": "stripe",
        "status": "complete" if located(known) else "requires_location_inputs",
    }


def _custom_fields(terms: InvoiceTerms) -> list[JsonObject] | None:
    return [{"name": field.name, "value": field.value} for field in terms.custom_fields] or None


def _rates(books: Books, terms: InvoiceTerms) -> list[JsonObject]:
    return [books.shelf(TaxRate)[identity].render() for identity in terms.default_tax_rates]


def _together(lines: Iterable[Line]) -> list[TaxAmount]:
    """What each rate comes to on all lines."""
    sums: defaultdict[Rate, list[TaxAmount]] = defaultdict(list)
    for line in lines:
        for tax in line.taxes:
            sums[tax.rate].append(tax)
    return [
        TaxAmount(rate=rate, amount=sum(tax.amount for tax in taxes), taxable=sum(tax.taxable for tax in taxes))
        for rate, taxes in sums.items()
    ]


def _tax(tax: TaxAmount) -> JsonObject:
    return {
        "amount": tax.amount,
        "tax_behavior": "inclusive" if tax.rate.is_inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": tax.rate.id},
        "taxability_reason": tax.rate.reason,
        "taxable_amount": tax.taxable,
        "type": "tax_rate_details",
    }
