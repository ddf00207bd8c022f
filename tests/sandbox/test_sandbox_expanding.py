"""Ids become objects where a caller asks for them, and Stripe's refusal comes before anything is changed."""

from typing import Any

import pytest
import stripe

TIERS = [{"up_to": 10, "unit_amount": 2}, {"up_to": "inf", "unit_amount_decimal": "0.5"}]


@pytest.fixture
def subscription(shop: Any) -> Any:
    price = shop.price(shop.meter(), billing_scheme="tiered", tiers_mode="volume", tiers=TIERS)
    return shop.subscription(shop.customer(), price.id)


def test_an_id_is_an_object_once_expanded(shop: Any, subscription: Any) -> None:
    found = shop.v1.subscriptions.retrieve(subscription.id, {"expand": ["customer"]})
    assert (found.customer.id, found.customer.name) == (subscription.customer, "A customer")


def test_a_created_object_can_be_expanded_at_once(shop: Any) -> None:
    made = shop.price(shop.meter(), unit_amount=1, expand=["product"])
    assert made.product.name == "Calls"


def test_tiers_are_told_wherever_a_price_stands(shop: Any, subscription: Any) -> None:
    found = shop.v1.subscriptions.retrieve(subscription.id, {"expand": ["items.data.price.tiers"]})
    price = found["items"].data[0].price
    assert [tier.up_to for tier in price.tiers] == [10, None]


def test_several_paths_meet_in_one_object(shop: Any, subscription: Any) -> None:
    paths = ["items.data.price.tiers", "items.data.price.product", "customer"]
    found = shop.v1.subscriptions.retrieve(subscription.id, {"expand": paths})
    price = found["items"].data[0].price
    assert (len(price.tiers), price.product.object, found.customer.object) == (2, "product", "customer")


def test_each_row_of_a_list_is_expanded(shop: Any, subscription: Any) -> None:
    found = shop.v1.subscriptions.list({"expand": ["data.customer"]}).data
    assert [row.customer.id for row in found] == [subscription.customer]


def test_what_an_event_keeps_is_not_expanded(shop: Any, subscription: Any) -> None:
    shop.v1.subscriptions.update(subscription.id, {"metadata": {"a": "b"}, "expand": ["customer"]})
    found = shop.v1.events.list({"type": "customer.subscription.updated"}).data[0]
    assert found.data.object.customer == subscription.customer


def test_a_deleted_customer_is_expanded_to_what_is_left_of_it(shop: Any) -> None:
    customer = shop.customer()
    item = shop.v1.invoice_items.create({"customer": customer, "amount": 5, "currency": "usd"})
    shop.v1.customers.delete(customer)
    found = shop.v1.invoice_items.retrieve(item.id, {"expand": ["customer"]})
    assert found.customer.to_dict() == {"id": customer, "object": "customer", "deleted": True}


def test_a_field_without_a_value_stays_empty(shop: Any, subscription: Any) -> None:
    found = shop.v1.subscriptions.retrieve(subscription.id, {"expand": ["default_payment_method"]})
    assert found.default_payment_method is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("foo", "This property cannot be expanded (foo)."),
        ("metadata", "This property cannot be expanded (metadata)."),
        ("status", "This property cannot be expanded (status)."),
        ("unit_amount_decimal", "This property cannot be expanded (unit_amount_decimal)."),
        ("recurring.meter", "This property cannot be expanded (recurring.meter)."),
        ("product.default_price.product.default_price.product", "You cannot expand more than 4 levels of a property."),
        ("product.", "This property cannot be expanded (product.)."),
        ("x" * 4_000, "This property cannot be expanded (x"),
        ("__class__", "This property cannot be expanded (__class__)."),
    ],
)
def test_what_is_no_reference_cannot_be_expanded(shop: Any, path: str, message: str) -> None:
    price = shop.price(shop.meter())
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.prices.retrieve(price.id, {"expand": [path]})
    assert message in str(refusal.value)
    assert refusal.value.http_status == 400


def test_a_list_is_expanded_below_its_rows(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"You may want to try expanding 'data\.customer' instead\."):
        shop.v1.subscriptions.list({"expand": ["customer"]})


def test_a_refused_expansion_creates_nothing(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        shop.v1.customers.create({"name": "Ada", "expand": ["foo"]})
    assert shop.v1.customers.list().data == []


@pytest.mark.parametrize("wanted", ["customer", {"a": "customer"}, [["customer"]]])
def test_an_expansion_that_is_no_array_of_texts_is_refused(shop: Any, wanted: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.client.raw_request("get", "/v1/customers", expand=wanted)
    assert refusal.value.param.startswith("expand")
