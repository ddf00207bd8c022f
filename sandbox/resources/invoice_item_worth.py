"""What an invoice item is worth: an amount as it is, or a quantity at a price or a unit amount, rounded once."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sandbox.billing.currencies import known
from sandbox.billing.invoice_item import InvoiceItem
from sandbox.billing.rating import per_unit, whole
from sandbox.calls.call import Call
from sandbox.errors import invalid, missing
from sandbox.parameters.params import Params
from sandbox.resources import products
from sandbox.resources.price_amounts import amount_from
from sandbox.resources.prices import Price
from sandbox.resources.prices import existing as existing_price

WAYS = ("amount", "pricing", "price_data", "unit_amount_decimal")
ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    amount: int
    currency: str
    quantity: Decimal
    unit_amount: Decimal | None
    price: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    unit_amount: Decimal
    currency: str | None
    """None where the terms do not name one."""
    price: Price | None


def new_worth(call: Call, *, currency: str | None) -> Worth:
    """What the parameters say; the currency of the invoice, where there is one, must be theirs."""
    way = _way(call.params)
    if way is None:
        raise missing("amount")
    terms = _terms(call, way)
    asked = known(call.params.text("currency") or terms.currency or currency or _no_currency(), param="currency")
    for other in (terms.currency, currency):
        if other not in (None, asked):
            raise invalid(f"The currency of the invoice item must be {other}.", param="currency")
    return _worth(call, terms, quantity=_quantity(call.params, otherwise=ONE), currency=asked)


def changed_worth(call: Call, item: InvoiceItem) -> Worth:
    """What the item is worth with the parameters that are given."""
    way, quantity = _way(call.params), _quantity(call.params, otherwise=item.quantity)
    if way is None and quantity == item.quantity:
        return Worth(
            amount=item.amount,
            currency=item.currency,
            quantity=item.quantity,
            unit_amount=item.unit_amount,
            price=item.price,
        )
    before = Terms(unit_amount=item.unit_amount or Decimal(0), currency=None, price=item.price)
    terms = before if way is None else _terms(call, way)
    if terms.currency not in (None, item.currency):
        raise invalid(f"The currency of the invoice item must be {item.currency}.", param=way or "quantity")
    return _worth(call, terms, quantity=ONE if way == "amount" else quantity, currency=item.currency)


def _worth(call: Call, terms: Terms, *, quantity: Decimal, currency: str) -> Worth:
    price = terms.price
    rated = price.rated(quantity) if price else per_unit(quantity, terms.unit_amount)
    exact = sum((Fraction(line.exact) for line in rated), Fraction(0))
    return Worth(
        amount=whole(exact, call.books.settings.amounts_round),
        currency=currency,
        quantity=quantity,
        unit_amount=terms.unit_amount,
        price=price,
    )


def _way(params: Params) -> str | None:
    ways = [name for name in WAYS if name in params]
    if "amount" in ways and ("quantity" in params or "quantity_decimal" in params):
        ways.append("quantity")
    if len(ways) > 1:
        raise invalid(f"You may only specify one of these parameters: {', '.join(ways)}.", param=ways[1])
    return ways[0] if ways else None


def _quantity(params: Params, *, otherwise: Decimal) -> Decimal:
    given, exact = params.integer("quantity"), params.decimal("quantity_decimal")
    if given is not None and exact is not None:
        raise invalid("You may only specify one of these parameters: quantity, quantity_decimal.", param="quantity")
    if given is None and exact is None:
        return otherwise
    quantity = Decimal(given) if exact is None and given is not None else exact or Decimal(0)
    if quantity < 0:
        raise invalid(f"Invalid non-negative integer: {quantity}", param="quantity")
    return quantity


def _terms(call: Call, way: str) -> Terms:
    params = call.params
    match way:
        case "pricing":
            return _price_terms(call, params.group("pricing"))
        case "price_data":
            return _inline_terms(call, params.group("price_data"))
        case _:
            params.required(way)
            amount = params.integer("amount") if way == "amount" else params.decimal(way)
            return Terms(unit_amount=Decimal(amount or 0), currency=None, price=None)


def _price_terms(call: Call, group: Params) -> Terms:
    price = existing_price(call, group.required("price"), param=group.named("price"))
    if price.recurring is not None or price.unit_amount is None:
        raise invalid(
            f"The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`: "
            f"{price.id}.",
            param=group.named("price"),
        )
    return Terms(unit_amount=price.unit_amount, currency=price.currency, price=price)


def _inline_terms(call: Call, group: Params) -> Terms:
    products.existing(call, group.required("product"), param=group.named("product"))
    amount = amount_from(group, "unit_amount", is_required=True)
    currency = known(group.required("currency"), param=group.named("currency"))
    return Terms(unit_amount=amount or Decimal(0), currency=currency, price=None)


def _no_currency() -> str:
    raise missing("currency")
