"""`add_invoice_items` of a call that creates a subscription, read and checked."""

from decimal import Decimal

from sandbox.billing.currencies import known
from sandbox.billing.setup_fees import Addition, inline_price
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, missing
from sandbox.parameters.params import Params
from sandbox.resources.prices import TAX_BEHAVIORS, Price
from sandbox.resources.prices import existing as existing_price
from sandbox.resources.products import existing as existing_product

ADDITIONS_MAX = 20
QUANTITY_MAX = 10**12


def asked_additions(call: Call, *, currency: str) -> tuple[Addition, ...]:
    groups = call.params.groups("add_invoice_items")
    if len(groups) > ADDITIONS_MAX:
        raise invalid(f"You may pass at most {ADDITIONS_MAX} items.", param="add_invoice_items")
    return tuple(_addition(call, group, currency=currency) for group in groups)


def _addition(call: Call, group: Params, *, currency: str) -> Addition:
    if "price" in group and "price_data" in group:
        raise invalid(
            "You may only specify one of these parameters: price, price_data.", param=group.named("price_data")
        )
    price = _inline(call, group.group("price_data")) if "price_data" in group else _one_time(call, group)
    if price.currency != currency:
        raise ApiError(
            400,
            f"The price specified only supports `{price.currency}`. This doesn't match the expected currency: "
            f"`{currency}`.",
            param=group.named("price_data" if "price_data" in group else "price"),
        )
    quantity = group.within("quantity", 0, QUANTITY_MAX)
    return Addition(
        price=price,
        quantity=1 if quantity is None else quantity,
        is_discountable=group.is_true_by_default("discountable"),
        metadata=group.metadata(),
    )


def _one_time(call: Call, group: Params) -> Price:
    param = group.named("price")
    identity = group.text("price")
    if identity is None:
        raise missing(param)
    price = existing_price(call, identity, param=param)
    if price.recurring is not None:
        raise invalid(
            f"The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`: "
            f"{price.id}.",
            param=param,
        )
    if not price.active:
        raise invalid(f"The price specified is inactive: {price.id}.", param=param)
    return price


def _inline(call: Call, group: Params) -> Price:
    product = existing_product(call, group.required("product"), param=group.named("product"))
    return inline_price(
        call.books,
        currency=known(group.required("currency"), param=group.named("currency")),
        product=product.id,
        unit_amount=_unit_amount(group),
        tax_behavior=group.choice("tax_behavior", TAX_BEHAVIORS) or "unspecified",
    )


def _unit_amount(group: Params) -> Decimal:
    """A charge, or a credit where it is below 0."""
    told, exact = group.integer("unit_amount"), group.decimal("unit_amount_decimal")
    if told is not None and exact is not None:
        raise invalid(
            "You may only specify one of unit_amount and unit_amount_decimal.", param=group.named("unit_amount")
        )
    if told is None and exact is None:
        raise missing(group.named("unit_amount"))
    return Decimal(told or 0) if exact is None else exact
