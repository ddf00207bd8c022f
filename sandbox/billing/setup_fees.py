"""What a caller adds to a subscription's first invoice: `add_invoice_items`, such as a fee for setting it up.

An amount of the caller's own makes a price that is not active, as Stripe makes one of every inline price.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sandbox.billing.invoice_item import InvoiceItem
from sandbox.billing.invoice_pending import keep
from sandbox.billing.periods import Period
from sandbox.billing.rating import whole
from sandbox.books import Books
from sandbox.resources.prices import Price
from sandbox.resources.products import Product
from sandbox.resources.subscriptions import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    price: Price
    quantity: int
    is_discountable: bool
    metadata: dict[str, str]


def added(books: Books, subscription: Subscription, additions: tuple[Addition, ...]) -> None:
    """Keeps them as invoice items, which the subscription's first invoice takes."""
    for addition in additions:
        price = addition.price
        books.shelf(Price).setdefault(price.id, price)
        keep(books, _item(books, subscription, addition))


def inline_price(books: Books, *, currency: str, product: str, unit_amount: Decimal, tax_behavior: str) -> Price:
    return Price(
        id=books.ids.new("price"),
        created=books.now,
        livemode=books.livemode,
        active=False,
        currency=currency,
        product=product,
        nickname=None,
        lookup_key=None,
        tax_behavior=tax_behavior,
        metadata={},
        recurring=None,
        unit_amount=unit_amount,
        tiers_mode=None,
        tiers=(),
        transform=None,
    )


def _item(books: Books, subscription: Subscription, addition: Addition) -> InvoiceItem:
    price, quantity = addition.price, Decimal(addition.quantity)
    exact = sum((Fraction(line.exact) for line in price.rated(quantity)), Fraction(0))
    return InvoiceItem(
        id=books.ids.new("ii"),
        created=books.now,
        livemode=books.livemode,
        customer=subscription.customer,
        subscription=subscription.id,
        amount=whole(exact, books.settings.amounts_round),
        currency=price.currency,
        quantity=quantity,
        unit_amount=price.unit_amount,
        price=price,
        period=_period(subscription),
        description=books.shelf(Product)[price.product].name,
        is_discountable=addition.is_discountable,
        metadata=addition.metadata,
    )


def _period(subscription: Subscription) -> Period:
    """From the last of its items' starts to the first of their ends."""
    start = max(item.current.start for item in subscription.items)
    return Period(start=start, end=max(start, subscription.period_ends_at))
