"""Lines with their taxes: by the rates that their invoice names, or by automatic tax where the customer is known to be.

After discounts, on what is left. An automatic tax is part of a price that says so and on top of every other. A customer
who cannot be located any more is not taxed, and the invoice says why.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sandbox.billing.invoice import Invoice, Line
from sandbox.billing.invoice_recipient import Recipient, recipient
from sandbox.billing.rating import whole
from sandbox.billing.tax_amounts import Rate, TaxAmount, tax_amounts
from sandbox.billing.tax_location import tax_country
from sandbox.books import Books
from sandbox.resources.tax_rates import TaxRate, automatic

Rates = tuple[Rate, ...]


def taxed(books: Books, invoice: Invoice, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The same lines, each with what its rates come to."""
    if not invoice.terms.is_taxed:
        return tuple(lines)
    country = located(recipient(books, invoice.customer, last_known=invoice.recipient))
    rates = [_rates(books, invoice, line, country=country) for line in lines]
    before = _amounts(books, [line.amount for line in lines], rates)
    after = _amounts(books, [line.net for line in lines], rates)
    return tuple(
        replace(line, taxes=taxes, included_tax=_included(listed))
        for line, taxes, listed in zip(lines, after, before, strict=True)
    )


def located(known: Recipient) -> str | None:
    """The country whose tax applies; None where the customer's location is not recognized."""
    return tax_country(known.address, known.shipping)


def _rates(books: Books, invoice: Invoice, line: Line, *, country: str | None) -> Rates:
    if not invoice.terms.has_automatic_tax:
        shelf = books.shelf(TaxRate)
        return tuple(_applied(shelf[identity], reason="not_available") for identity in invoice.terms.default_tax_rates)
    if country is None:
        return ()
    is_inclusive = line.price is not None and line.price.tax_behavior == "inclusive"
    rate = automatic(books, country=country, inclusive=is_inclusive)
    return (_applied(rate, reason="standard_rated" if rate.percentage else "not_collecting"),)


def _applied(rate: TaxRate, *, reason: str) -> Rate:
    return Rate(id=rate.id, percentage=rate.percentage, is_inclusive=rate.inclusive, reason=reason)


def _amounts(books: Books, costs: Sequence[int], rates: Sequence[Rates]) -> list[tuple[TaxAmount, ...]]:
    """The taxes of each line; lines with the same rates are rounded together, where sums are rounded."""
    settings = books.settings
    alike: defaultdict[Rates, list[int]] = defaultdict(list)
    for place, applied in enumerate(rates):
        if applied:
            alike[applied].append(place)
    found: list[tuple[TaxAmount, ...]] = [()] * len(costs)
    rounds = partial(whole, rule=settings.amounts_round)
    for applied, places in alike.items():
        chosen = [costs[place] for place in places]
        taxes = tax_amounts(chosen, applied, rounds=rounds, once=settings.taxes_round == "by_invoice")
        for place, amounts in zip(places, taxes, strict=True):
            found[place] = amounts
    return found


def _included(taxes: Sequence[TaxAmount]) -> int:
    return sum(tax.amount for tax in taxes if tax.rate.is_inclusive)
