"""Every answer carries the fields that stripe-python's types promise."""

import typing
from typing import Any

import pytest
import stripe


@pytest.fixture(scope="module")
def answers(shared_sandbox: Any) -> Any:
    """One object of each kind, as the client received it, by its type's name."""
    shop = shared_sandbox.shop()
    customer, meter = shop.customer(), shop.meter()
    price = shop.price(meter)
    subscription = shop.subscription(customer, price.id)
    event = shop.send(customer)
    invoice = shop.v1.invoices.create_preview({"subscription": subscription.id})
    endpoint = shop.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["none"]})
    found = [
        shop.v1.accounts.retrieve_current(),
        shop.v1.customers.retrieve(customer),
        shop.v1.products.retrieve(price.product),
        price,
        shop.v1.billing.meters.retrieve(meter),
        event,
        shop.summaries(meter, customer, 0, 60).data[0],
        subscription,
        subscription["items"].data[0],
        subscription["items"].data[0].plan,
        invoice,
        invoice.lines.data[0],
        shop.v1.events.list().data[0],
        endpoint,
    ]
    shop.http.close()
    return {type(answer).__name__: answer for answer in found}


@pytest.mark.parametrize(
    "name",
    [
        "Account", "Customer", "Product", "Price", "Meter", "MeterEvent", "MeterEventSummary", "Subscription",
        "SubscriptionItem", "Plan", "Invoice", "InvoiceLineItem", "Event", "WebhookEndpoint",
    ],
)  # fmt: skip
def test_an_answer_has_every_field_that_its_type_requires(answers: Any, name: str) -> None:
    assert lacking(answers[name], name) == []


def lacking(answer: stripe.StripeObject, name: str) -> list[str]:
    """The required fields that are absent or null, of the object and of the objects within it."""
    found: list[str] = []
    for field, kind in type(answer).__annotations__.items():
        if type(None) in typing.get_args(kind) or typing.get_origin(kind) is typing.ClassVar or field[0] == "_":
            continue
        if field not in answer or answer[field] is None:
            found.append(f"{name}.{field}")
        elif isinstance(answer[field], stripe.StripeObject):
            found.extend(lacking(answer[field], f"{name}.{field}"))
    return found
