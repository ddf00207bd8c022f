"""Lines of charges and of invoice items: counted, rated, rounded and described.

The same for a preview, a draft and a finalization; only what was received until when differs. A negative total of
usage counts as none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from sandbox.billing.charges import Charge
from sandbox.billing.invoice import Line, Parent
from sandbox.billing.invoice_item import InvoiceItem
from sandbox.billing.invoice_words import described
from sandbox.billing.rating import AMPLE, RatedLine, together, whole
from sandbox.books import Books
from sandbox.metering.usage import aggregated
from sandbox.resources.event_summaries import counted
from sandbox.resources.meters import Meter
from sandbox.resources.products import Product

SMALLEST = Decimal("1e-12")
"""Of a quantity on an invoice: Stripe shows at most 12 decimal places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What charges become lines on: whose books, which invoice, and the usage received until an instant."""

    books: Books
    invoice: str
    parent: Parent
    until: int


def charge_lines(basis: Basis, charges: Sequence[Charge]) -> tuple[Line, ...]:
    return tuple(
        _charge_line(basis, charge, rated, place=place)
        for place, charge in enumerate(charges)
        for rated in rated_charge(basis.books, charge, until=basis.until)
    )


def item_lines(books: Books, items: Sequence[InvoiceItem], *, invoice: str) -> tuple[Line, ...]:
    return tuple(_item_line(books, item, invoice=invoice) for item in items)


def rated_charge(books: Books, charge: Charge, *, until: int) -> list[RatedLine]:
    item = charge.item
    is_metered = item.recurring.meter is not None
    rated = item.price.rated(_usage(books, charge, until=until) if is_metered else Decimal(item.quantity or 0))
    return together(rated) if charge.is_free or books.settings.tier_lines == "one" else rated


def charged(books: Books, charge: Charge, rated: RatedLine) -> int:
    """The amount of a rated line: its share, rounded once."""
    if charge.is_free:
        return 0
    return whole(Fraction(rated.exact) * charge.share, books.settings.amounts_round)


def product_name(books: Books, charge: Charge) -> str:
    return books.shelf(Product)[charge.item.price.product].name


def _usage(books: Books, charge: Charge, *, until: int) -> Decimal:
    meter = books.shelf(Meter)[charge.item.recurring.meter or ""]
    readings = counted(books, meter, charge.customer, period=charge.period, until=until)
    total = max(Decimal(0), aggregated(readings, meter.formula))
    return total.quantize(SMALLEST, ROUND_HALF_UP, context=AMPLE)


def _charge_line(basis: Basis, charge: Charge, rated: RatedLine, *, place: int) -> Line:
    books, price = basis.books, charge.item.price
    return Line(
        id=f"il_{books.ids.letters('line', basis.invoice, str(place), str(rated.tier))}",
        amount=charged(books, charge, rated),
        currency=price.currency,
        description=described(
            charge, rated, product=product_name(books, charge), billing_mode=basis.parent.billing_mode
        ),
        period=charge.period,
        price=price,
        unit_amount=rated.unit_amount,
        quantity=rated.quantity,
        subscription=charge.subscription or None,
        subscription_item=charge.item.id,
        invoice_item=None,
        is_proration=charge.is_proration,
        metadata=basis.parent.metadata,
        is_discountable=not charge.is_proration,
    )


def _item_line(books: Books, item: InvoiceItem, *, invoice: str) -> Line:
    return Line(
        id=f"il_{books.ids.letters('line', invoice, item.id)}",
        amount=item.amount,
        currency=item.currency,
        description=item.description,
        period=item.period,
        price=item.price,
        unit_amount=item.unit_amount,
        quantity=item.quantity,
        subscription=item.subscription,
        subscription_item=item.subscription_item,
        invoice_item=item.id,
        is_proration=item.is_proration,
        metadata=item.metadata,
        is_discountable=item.is_discountable,
    )
