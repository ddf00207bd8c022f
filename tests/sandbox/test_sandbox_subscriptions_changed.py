"""Plan changes: what was used is billed at the price of its time, what was paid ahead is prorated by the second."""

from typing import Any

import pytest
import stripe

CLASSIC = {"billing_mode": {"type": "classic"}}


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


@pytest.fixture
def dearer(shop: Any, meter: str) -> str:
    return str(shop.price(meter, unit_amount=20).id)


@pytest.fixture
def swap(january: Any, shop: Any, customer: str, calls: str, dearer: str) -> Any:
    """Swaps the price on day 15 of a month with 2 units before and 3 after; the lines of that month."""

    def swapped(*, swapping: Any | None = None, **more: Any) -> Any:
        subscription = shop.subscription(customer, calls, **more)
        january.use(customer, 2, day=0)
        january.go(15)
        item = {"id": subscription["items"].data[0].id, "price": dearer}
        shop.v1.subscriptions.update(subscription.id, {"items": [item], **(swapping or {})})
        january.use(customer, 3, day=15)
        january.go(31, hours=2)
        return january.lines(subscription.id)

    return swapped


def test_usage_is_billed_at_the_price_in_force_when_it_was_used(swap: Any) -> None:
    assert sorted(swap()) == [(2, 20, 0, 15), (3, 60, 15, 31)]


def test_usage_before_a_swap_without_proration_is_lost(swap: Any) -> None:
    assert swap(swapping={"proration_behavior": "none"}) == [(3, 60, 15, 31)]


def test_usage_before_a_classic_swap_is_lost(swap: Any) -> None:
    assert swap(**CLASSIC) == [(0, 0, 0, 0), (3, 60, 15, 31)]


def test_usage_before_a_swap_may_be_invoiced_at_once(swap: Any) -> None:
    assert swap(swapping={"proration_behavior": "always_invoice"}) == [(2, 20, 0, 15), (3, 60, 15, 31)]


def test_usage_of_a_trial_stays_free_through_a_swap(swap: Any) -> None:
    assert sorted(swap(trial_period_days=31)) == [(2, 0, 0, 15), (3, 0, 15, 31)]


@pytest.fixture
def two(january: Any, shop: Any, customer: str, calls: str) -> Any:
    """A subscription to calls and seats, with 2 calls on its first day; it is day 15."""
    items = [{"price": calls}, {"price": january.seats()}]
    made = shop.v1.subscriptions.create({"customer": customer, "items": items})
    january.use(customer, 2, day=0)
    january.go(15)
    return made


def test_usage_of_a_removed_item_waits_for_the_next_invoice(january: Any, shop: Any, two: Any) -> None:
    item = {"id": two["items"].data[0].id, "deleted": True}
    shop.v1.subscriptions.update(two.id, {"items": [item]})
    january.go(31)
    assert january.lines(two.id)[1:] == [(1, 3_100, 31, 59), (2, 20, 0, 15)]


@pytest.mark.parametrize("lost", [{"proration_behavior": "none"}, {"items": [{"deleted": True, "clear_usage": True}]}])
def test_usage_of_a_removed_item_may_be_given_up(january: Any, shop: Any, two: Any, lost: Any) -> None:
    item = {"id": two["items"].data[0].id, "deleted": True} | lost.get("items", [{}])[0]
    shop.v1.subscriptions.update(two.id, lost | {"items": [item]})
    january.go(31)
    assert january.lines(two.id)[1:] == [(1, 3_100, 31, 59)]


def test_an_added_metered_item_bills_from_its_addition(
    january: Any, shop: Any, customer: str, two: Any, dearer: str
) -> None:
    shop.v1.subscriptions.update(two.id, {"items": [{"price": dearer}]})
    january.use(customer, 3, day=15)
    january.go(31)
    assert january.lines(two.id)[1:] == [(5, 50, 0, 31), (3, 60, 15, 31), (1, 3_100, 31, 59)]


def test_another_quantity_is_prorated_by_the_second(january: Any, shop: Any, two: Any) -> None:
    item = {"id": two["items"].data[1].id, "quantity": 3}
    shop.v1.subscriptions.update(two.id, {"items": [item], "proration_behavior": "always_invoice"})
    invoice = january.invoices(two.id)[-1]
    assert (invoice.total, invoice.billing_reason, invoice.status) == (3_200, "subscription_update", "paid")
    assert january.lines(two.id)[1:] == [(1, -1_600, 15, 31), (3, 4_800, 15, 31)]


def test_prorations_wait_for_the_next_invoice(january: Any, shop: Any, two: Any) -> None:
    item = {"id": two["items"].data[1].id, "quantity": 3}
    shop.v1.subscriptions.update(two.id, {"items": [item]})
    assert len(january.invoices(two.id)) == 1
    january.go(31)
    assert january.lines(two.id)[2:] == [(3, 9_300, 31, 59), (1, -1_600, 15, 31), (3, 4_800, 15, 31)]


def test_prorations_can_be_dated(january: Any, shop: Any, two: Any) -> None:
    item = {"id": two["items"].data[1].id, "quantity": 2}
    wanted = {"items": [item], "proration_behavior": "always_invoice", "proration_date": january.at(10)}
    shop.v1.subscriptions.update(two.id, wanted)
    assert january.lines(two.id)[1:] == [(1, -2_100, 10, 31), (2, 4_200, 10, 31)]


def test_another_quantity_without_proration_costs_from_the_next_period(january: Any, shop: Any, two: Any) -> None:
    item = {"id": two["items"].data[1].id, "quantity": 3}
    shop.v1.subscriptions.update(two.id, {"items": [item], "proration_behavior": "none"})
    january.go(31)
    assert january.lines(two.id)[1:] == [(2, 20, 0, 31), (3, 9_300, 31, 59)]


def test_the_anchor_can_be_reset(january: Any, shop: Any, two: Any) -> None:
    changed = shop.v1.subscriptions.update(two.id, {"billing_cycle_anchor": {"type": "now"}})
    assert changed.billing_cycle_anchor == january.at(15)
    assert january.lines(two.id)[1:] == [(2, 20, 0, 15), (1, 3_100, 15, 46), (1, -1_600, 15, 31)]


def test_another_interval_resets_a_classic_anchor(january: Any, shop: Any, customer: str, calls: str) -> None:
    weekly = shop.v1.prices.create(
        {"currency": "usd", "product_data": {"name": "Weeks"}, "unit_amount": 700, "recurring": {"interval": "week"}}
    )
    made = shop.subscription(customer, january.seats(), **CLASSIC)
    january.go(15)
    item = {"id": made["items"].data[0].id, "price": weekly.id}
    changed = shop.v1.subscriptions.update(made.id, {"items": [item]})
    assert changed.billing_cycle_anchor == january.at(15)
    assert january.lines(made.id)[1:] == [(1, 700, 15, 22), (1, -1_600, 15, 31)]


def test_a_change_is_told(january: Any, shop: Any, two: Any) -> None:
    shop.v1.subscriptions.update(two.id, {"description": "Calls and seats"})
    assert january.told()[-1] == "customer.subscription.updated"


def test_what_is_described_can_be_emptied(shop: Any, two: Any) -> None:
    shop.v1.subscriptions.update(two.id, {"description": "Calls", "metadata": {"a": "1", "b": "2"}})
    changed = shop.v1.subscriptions.update(two.id, {"description": "", "metadata": {"a": ""}})
    assert (changed.description, changed.metadata.to_dict()) == (None, {"b": "2"})


def test_the_last_item_stays(shop: Any, customer: str, calls: str) -> None:
    made = shop.subscription(customer, calls)
    with pytest.raises(stripe.InvalidRequestError, match="at least one active plan"):
        shop.v1.subscriptions.update(made.id, {"items": [{"id": made["items"].data[0].id, "deleted": True}]})


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"items": [{"id": "si_none", "deleted": True}]}, "items[0][id]"),
        ({"items": [{"price": "price_none"}]}, "items[0][price]"),
        ({"items": [{"quantity": 2}]}, "items[0][price]"),
        ({"trial_end": 1_000_000_000}, "trial_end"),
        ({"proration_date": 1_000_000_000}, "proration_date"),
        ({"days_until_due": 5}, "days_until_due"),
        ({"collection_method": "send_invoice"}, "days_until_due"),
        ({"cancel_at": 1_000_000_000}, "cancel_at"),
        ({"pause_collection": {"behavior": "void"}}, "pause_collection"),
    ],
)
def test_a_change_that_cannot_be_leaves_everything_as_it_was(shop: Any, two: Any, wanted: Any, param: str) -> None:
    before = shop.v1.subscriptions.retrieve(two.id).to_dict()
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.subscriptions.update(two.id, {"description": "Another", **wanted})
    assert refusal.value.param == param
    assert shop.v1.subscriptions.retrieve(two.id).to_dict() == before


def test_quantity_of_a_metered_item_is_refused_later_too(shop: Any, two: Any) -> None:
    item = {"id": two["items"].data[0].id, "quantity": 2}
    with pytest.raises(stripe.InvalidRequestError, match="usage_type is `metered`") as refusal:
        shop.v1.subscriptions.update(two.id, {"items": [item]})
    assert refusal.value.param == "items[0][quantity]"


def test_one_item_is_changed_once_a_call(shop: Any, two: Any) -> None:
    item = {"id": two["items"].data[1].id, "quantity": 2}
    with pytest.raises(stripe.InvalidRequestError, match="Duplicate"):
        shop.v1.subscriptions.update(two.id, {"items": [item, item]})


def test_usage_of_a_licensed_item_cannot_be_cleared(shop: Any, two: Any) -> None:
    item = {"id": two["items"].data[1].id, "deleted": True, "clear_usage": True}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.subscriptions.update(two.id, {"items": [item]})
    assert refusal.value.param == "items[0][clear_usage]"
