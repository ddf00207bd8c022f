"""Subscription items by themselves: listed, added, changed and removed one at a time."""

from typing import Any

import pytest
import stripe


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


@pytest.fixture
def subscription(january: Any, shop: Any, customer: str, meter: str) -> Any:
    """Calls, 2 of them on the first day, and seats; it is day 15."""
    items = [{"price": shop.price(meter, unit_amount=10).id}, {"price": january.seats()}]
    made = shop.v1.subscriptions.create({"customer": customer, "items": items})
    january.use(customer, 2, day=0)
    january.go(15)
    return made


def test_items_are_listed_by_subscription(shop: Any, subscription: Any) -> None:
    found = shop.v1.subscription_items.list({"subscription": subscription.id}).data
    assert [item.id for item in found] == [item.id for item in subscription["items"].data]


def test_items_are_listed_only_of_a_subscription(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.subscription_items.list({})
    assert refusal.value.param == "subscription"


def test_an_item_is_found_by_its_id(shop: Any, subscription: Any) -> None:
    item = subscription["items"].data[0]
    assert shop.v1.subscription_items.retrieve(item.id).price.id == item.price.id


def test_an_item_nobody_has_is_not_found(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription_item: 'si_none'") as refusal:
        shop.v1.subscription_items.retrieve("si_none")
    assert refusal.value.http_status == 404


def test_an_added_item_is_billed_with_the_others(
    january: Any, shop: Any, customer: str, meter: str, subscription: Any
) -> None:
    price = shop.price(meter, unit_amount=20).id
    item = shop.v1.subscription_items.create({"subscription": subscription.id, "price": price})
    january.use(customer, 3, day=15)
    january.go(31)
    assert (item.current_period_start, item.current_period_end) == (january.at(15), january.at(31))
    assert (3, 60, 15, 31) in january.lines(subscription.id)


def test_an_items_quantity_is_prorated(january: Any, shop: Any, subscription: Any) -> None:
    item = subscription["items"].data[1].id
    changed = shop.v1.subscription_items.update(item, {"quantity": 2, "proration_behavior": "always_invoice"})
    assert changed.quantity == 2
    assert january.lines(subscription.id)[1:] == [(1, -1_600, 15, 31), (2, 3_200, 15, 31)]


def test_a_removed_items_usage_is_billed_later(january: Any, shop: Any, subscription: Any) -> None:
    gone = shop.v1.subscription_items.delete(subscription["items"].data[0].id)
    january.go(31)
    assert gone.deleted
    assert january.lines(subscription.id)[1:] == [(1, 3_100, 31, 59), (2, 20, 0, 15)]


def test_an_items_metadata_costs_nothing(january: Any, shop: Any, subscription: Any) -> None:
    changed = shop.v1.subscription_items.update(subscription["items"].data[0].id, {"metadata": {"row": "7"}})
    january.go(31)
    assert changed.metadata["row"] == "7"
    assert january.lines(subscription.id)[1:] == [(2, 20, 0, 31), (1, 3_100, 31, 59)]


def test_items_of_an_ended_subscription_stay(shop: Any, subscription: Any) -> None:
    shop.v1.subscriptions.cancel(subscription.id)
    with pytest.raises(stripe.InvalidRequestError, match="A canceled subscription"):
        shop.v1.subscription_items.delete(subscription["items"].data[0].id)


def test_a_one_time_price_is_no_item(shop: Any, subscription: Any) -> None:
    price = shop.v1.prices.create({"currency": "usd", "product_data": {"name": "Setup"}, "unit_amount": 5}).id
    with pytest.raises(stripe.InvalidRequestError, match="type=recurring") as refusal:
        shop.v1.subscription_items.create({"subscription": subscription.id, "price": price})
    assert refusal.value.param == "price"


def test_a_price_made_for_one_item_is_refused_by_its_own_name(shop: Any) -> None:
    product = shop.v1.products.create({"name": "Seats"}).id
    terms: Any = {"currency": "usd", "product": product, "unit_amount": 5, "recurring": {"interval": "month"}}
    with pytest.raises(stripe.InvalidRequestError, match="does not act on") as refusal:
        shop.v1.subscriptions.create({"customer": shop.customer(), "items": [{"price_data": terms}]})
    assert refusal.value.param == "items[0][price_data]"
