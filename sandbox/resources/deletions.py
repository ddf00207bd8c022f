"""Deleting customers and products: here, because what refers to them is defined on top of them.

A customer goes with everything it owes from then on: its subscriptions end at once. A product goes only while no price
is for it.
"""

from sandbox.billing.endings import Settlement, ended_at_once
from sandbox.calls.call import Call
from sandbox.errors import ApiError
from sandbox.resources.customers import Customer, DeletedCustomer, customer_body
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.events import record
from sandbox.resources.prices import Price
from sandbox.resources.products import Product
from sandbox.resources.products import existing as existing_product
from sandbox.resources.subscriptions import Subscription, answered
from sandbox.wire import JsonObject


def delete_customer(call: Call) -> JsonObject:
    customer = existing_customer(call, call.id)
    call.params.nothing_else()
    _end_subscriptions(call, customer.id)
    del call.books.shelf(Customer)[customer.id]
    gone = call.books.shelf(DeletedCustomer)[customer.id] = DeletedCustomer(id=customer.id)
    record(call.books, "customer.deleted", customer_body(call.books, customer))
    return gone.render()


def delete_product(call: Call) -> JsonObject:
    product = existing_product(call, call.id)
    call.params.nothing_else()
    if any(price.product == product.id for price in call.books.shelf(Price).values()):
        raise ApiError(
            400, "This product cannot be deleted because it has one or more user-created prices.", param="id"
        )
    del call.books.shelf(Product)[product.id]
    record(call.books, "product.deleted", product.render())
    return {"id": product.id, "object": "product", "deleted": True}


def _end_subscriptions(call: Call, customer: str) -> None:
    """At once and without a last invoice: usage that was not invoiced is nobody's to pay any more."""
    for subscription in list(call.books.shelf(Subscription).values()):
        if subscription.customer == customer and subscription.ended_at is None:
            ended = ended_at_once(call.books, subscription, Settlement(invoice_now=False, prorate=False))
            answered(call, ended, "customer.subscription.deleted")
