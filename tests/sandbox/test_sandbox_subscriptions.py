"""Subscriptions: periods, anchors and modes, as subscriptions.create knows them."""

from typing import Any

import pytest
import stripe

DAY_S = 86_400


@pytest.fixture
def price(shop: Any) -> str:
    return str(shop.price(shop.meter()).id)


def test_the_period_is_on_the_item_and_not_on_the_subscription(shop: Any, price: str) -> None:
    subscription = shop.subscription(shop.customer(), price)
    item = subscription["items"].data[0]
    assert item.current_period_start == subscription.start_date
    assert 28 * DAY_S <= item.current_period_end - item.current_period_start <= 31 * DAY_S
    assert "current_period_start" not in subscription


def test_a_backdated_flexible_subscription_is_anchored_at_its_backdate(shop: Any, price: str) -> None:
    backdate = shop.sandbox.now() - 20 * DAY_S
    subscription = shop.subscription(shop.customer(), price, backdate_start_date=backdate)
    assert subscription.billing_mode.type == "flexible"
    assert (subscription.start_date, subscription.billing_cycle_anchor) == (backdate, backdate)
    assert subscription["items"].data[0].current_period_start == backdate


def test_a_backdated_classic_subscription_is_anchored_at_its_creation(shop: Any, price: str) -> None:
    backdate = shop.sandbox.now() - 20 * DAY_S
    subscription = shop.subscription(
        shop.customer(), price, backdate_start_date=backdate, billing_mode={"type": "classic"}
    )
    assert subscription.billing_cycle_anchor == subscription.created


def test_a_future_anchor_cuts_the_first_period_short(shop: Any, price: str) -> None:
    anchor = shop.sandbox.now() + 10 * DAY_S
    subscription = shop.subscription(shop.customer(), price, billing_cycle_anchor=anchor)
    item = subscription["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (subscription.start_date, anchor)


@pytest.mark.parametrize(("name", "days"), [("backdate_start_date", 1), ("billing_cycle_anchor", -1)])
def test_a_date_on_the_wrong_side_of_now_is_refused(shop: Any, price: str, name: str, days: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.subscription(shop.customer(), price, **{name: shop.sandbox.now() + days * DAY_S})
    assert refusal.value.param == name


def test_an_anchor_beyond_the_first_natural_period_is_refused(shop: Any, price: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="next natural billing date"):
        shop.subscription(shop.customer(), price, billing_cycle_anchor=shop.sandbox.now() + 40 * DAY_S)


def test_quantity_on_a_metered_price_is_refused(shop: Any, price: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="usage_type is `metered`") as refusal:
        shop.v1.subscriptions.create({"customer": shop.customer(), "items": [{"price": price, "quantity": 1}]})
    assert refusal.value.param == "items[0][quantity]"


@pytest.mark.parametrize(("field", "value"), [("customer", "cus_none"), ("price", "price_none")])
def test_what_does_not_exist_is_a_wrong_parameter(shop: Any, price: str, field: str, value: str) -> None:
    wanted = {"customer": shop.customer(), "price": price} | {field: value}
    with pytest.raises(stripe.InvalidRequestError, match=f"No such {field}: '{value}'") as refusal:
        shop.subscription(wanted["customer"], wanted["price"])
    assert (refusal.value.http_status, refusal.value.code) == (400, "resource_missing")


def test_a_subscription_without_items_is_refused(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: items"):
        shop.v1.subscriptions.create({"customer": shop.customer()})


def test_days_until_due_need_invoices_that_are_sent(shop: Any, price: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.subscription(shop.customer(), price, days_until_due=30)
    assert refusal.value.param == "days_until_due"


def test_a_trial_is_the_first_period(shop: Any, price: str) -> None:
    subscription = shop.subscription(shop.customer(), price, trial_period_days=14)
    assert subscription.status == "trialing"
    assert subscription.trial_end == subscription["items"].data[0].current_period_end


def test_subscriptions_are_listed_by_customer_and_price(shop: Any, price: str) -> None:
    customer = shop.customer()
    wanted = shop.subscription(customer, price, metadata={"row": "7"})
    shop.subscription(shop.customer(), price)
    found = shop.v1.subscriptions.list({"customer": customer, "price": price, "status": "all"}).data
    assert [(subscription.id, subscription.metadata["row"]) for subscription in found] == [(wanted.id, "7")]


def test_a_canceled_subscription_is_listed_only_when_asked_for(shop: Any, price: str) -> None:
    subscription = shop.subscription(shop.customer(), price)
    canceled = shop.v1.subscriptions.cancel(subscription.id)
    assert (canceled.status, canceled.ended_at) == ("canceled", canceled.canceled_at)
    assert shop.v1.subscriptions.list().data == []
    assert shop.v1.subscriptions.list({"status": "canceled"}).data[0].id == subscription.id


def test_a_subscription_is_canceled_once(shop: Any, price: str) -> None:
    subscription = shop.subscription(shop.customer(), price)
    shop.v1.subscriptions.cancel(subscription.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        shop.v1.subscriptions.cancel(subscription.id)


def test_metadata_can_be_added_later(shop: Any, price: str) -> None:
    subscription = shop.subscription(shop.customer(), price, metadata={"a": "1"})
    changed = shop.v1.subscriptions.update(subscription.id, {"metadata": {"b": "2"}})
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}


def test_a_period_passes_with_the_clock(own_shop: Any) -> None:
    subscription = own_shop.subscription(own_shop.customer(), own_shop.price(own_shop.meter()).id)
    first_end = subscription["items"].data[0].current_period_end
    own_shop.sandbox.control("POST", "clock", advance=32 * DAY_S)
    later = own_shop.v1.subscriptions.retrieve(subscription.id)["items"].data[0]
    assert later.current_period_start == first_end


@pytest.mark.parametrize("name", ["backdate_start_date", "billing_cycle_anchor", "trial_end"])
@pytest.mark.parametrize("instant", [-1, 1_795_000_000_000])
def test_a_time_in_milliseconds_or_before_1970_is_refused(shop: Any, price: str, name: str, instant: int) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid timestamp") as refusal:
        shop.subscription(shop.customer(), price, **{name: instant})
    assert refusal.value.param == name


def test_a_long_trial_is_one_period(shop: Any, price: str) -> None:
    subscription = shop.subscription(shop.customer(), price, trial_period_days=90)
    item = subscription["items"].data[0]
    assert item.current_period_end - item.current_period_start == 90 * DAY_S
