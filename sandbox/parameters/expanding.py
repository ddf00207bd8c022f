"""Objects in place of their ids, and what is left out of answers until asked for: `expand[]`.

Done when the answer stands, and to a copy: what an endpoint answered may also be what an event keeps. That a path can
be expanded at all was found out before the call was executed; an id of nothing that the sandbox has stays an id.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sandbox.billing.coupon import Coupon, Discount
from sandbox.billing.invoice import Invoice
from sandbox.billing.invoice_body import rendered as rendered_invoice
from sandbox.billing.payment_method import PaymentMethod
from sandbox.calls.call import Call
from sandbox.parameters.expansions import Step, steps
from sandbox.resources.customers import Customer, DeletedCustomer, customer_body
from sandbox.resources.prices import Price, tiers_of
from sandbox.resources.products import Product
from sandbox.resources.subscriptions import Subscription
from sandbox.resources.subscriptions import rendered as rendered_subscription
from sandbox.resources.tax_ids import TaxId
from sandbox.wire import JsonObject

Render: TypeAlias = Callable[[Call, Any], JsonObject]

SHELVES: Mapping[str, tuple[tuple[type, Render], ...]] = {
    "Coupon": ((Coupon, lambda call, coupon: coupon.render(call.now)),),
    "Customer": (
        (Customer, lambda call, customer: customer_body(call.books, customer)),
        (DeletedCustomer, lambda _, customer: customer.render()),
    ),
    "Discount": ((Discount, lambda _, discount: discount.render()),),
    "Invoice": ((Invoice, lambda call, invoice: rendered_invoice(call.books, invoice)),),
    "PaymentMethod": ((PaymentMethod, lambda _, method: method.render()),),
    "Price": ((Price, lambda _, price: price.render()),),
    "Product": ((Product, lambda _, product: product.render()),),
    "Subscription": ((Subscription, rendered_subscription),),
    "TaxId": ((TaxId, lambda _, tax_id: tax_id.render()),),
}
"""Where the objects of a type are, and how they are told."""


def expanded(call: Call, body: JsonObject, *, takes: str) -> JsonObject:
    """The answer with all that the call wants expanded."""
    for path in call.params.listed("expand"):
        body = _followed(call, body, steps(takes, path))
    return body


def _followed(call: Call, value: Any, way: tuple[Step, ...]) -> Any:
    if not way:
        return value
    if isinstance(value, list):
        return [_followed(call, member, way) for member in value]
    if not isinstance(value, dict):
        return value
    step = way[0]
    inner = _tiers(call, value) if step.noun == "Tier" else _found(call, value.get(step.field), step.noun)
    return value | {step.field: _followed(call, inner, way[1:])}


def _found(call: Call, value: Any, noun: str) -> Any:
    if isinstance(value, list):
        return [_found(call, member, noun) for member in value]
    if not isinstance(value, str):
        return value
    for kind, render in SHELVES.get(noun, ()):
        found = call.books.shelf(kind).get(value)
        if found is not None:
            return render(call, found)
    return value


def _tiers(call: Call, price: JsonObject) -> list[JsonObject] | None:
    return tiers_of(call.books.shelf(Price)[price["id"]])
