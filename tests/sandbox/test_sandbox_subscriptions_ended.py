"""Cancellation: at once or at a date, and which usage is still billed then."""

from typing import Any

import pytest
import stripe


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


@pytest.fixture
def subscription(january: Any, shop: Any, customer: str) -> str:
    """A month of calls with 2 units on its first day; it is day 15."""
    made = shop.subscription(customer, shop.price(shop.meter(), unit_amount=10).id)
    january.use(customer, 2, day=0)
    january.go(15)
    return str(made.id)


@pytest.fixture
def seats(january: Any, shop: Any, customer: str) -> str:
    made = shop.subscription(customer, january.seats())
    january.go(15)
    return str(made.id)


def test_an_immediate_cancellation_bills_nothing(january: Any, shop: Any, subscription: str) -> None:
    shop.v1.subscriptions.cancel(subscription)
    january.go(40)
    assert january.lines(subscription) == []


def test_an_immediate_cancellation_bills_unbilled_usage_on_demand(january: Any, shop: Any, subscription: str) -> None:
    canceled = shop.v1.subscriptions.cancel(subscription, {"invoice_now": True})
    (invoice,) = january.invoices(subscription)
    assert (canceled.latest_invoice, invoice.status, invoice.total) == (invoice.id, "paid", 20)
    assert january.lines(subscription) == [(2, 20, 0, 15)]


def test_an_immediate_cancellation_gives_back_on_demand(january: Any, shop: Any, seats: str) -> None:
    shop.v1.subscriptions.cancel(seats, {"invoice_now": True, "prorate": True})
    assert january.lines(seats) == [(1, 3_100, 0, 31), (1, -1_600, 15, 31)]


def test_nothing_to_bill_makes_no_last_invoice(january: Any, shop: Any, seats: str) -> None:
    shop.v1.subscriptions.cancel(seats, {"invoice_now": True})
    assert january.lines(seats) == [(1, 3_100, 0, 31)]


def test_a_cancellation_at_period_end_bills_the_last_period(
    january: Any, shop: Any, customer: str, subscription: str
) -> None:
    asked = shop.v1.subscriptions.update(subscription, {"cancel_at_period_end": True})
    january.use(customer, 3, day=15)
    january.go(95)
    ended = shop.v1.subscriptions.retrieve(subscription)
    assert (asked.status, asked.cancel_at, asked.canceled_at) == ("active", january.at(31), january.at(15))
    assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", january.at(31), january.at(15))
    assert january.lines(subscription) == [(5, 50, 0, 31)]


def test_the_last_draft_waits_for_late_usage(january: Any, shop: Any, customer: str, subscription: str) -> None:
    shop.v1.subscriptions.update(subscription, {"cancel_at_period_end": True})
    january.go(31)
    january.use(customer, 3, day=30)
    assert january.invoices(subscription)[0].status == "draft"
    january.go(31, hours=1)
    assert january.lines(subscription) == [(5, 50, 0, 31)]


def test_an_end_is_told(january: Any, shop: Any, subscription: str) -> None:
    shop.v1.subscriptions.update(subscription, {"cancel_at_period_end": True})
    january.go(31)
    assert january.told()[-2:] == ["invoice.created", "customer.subscription.deleted"]


def test_a_cancellation_can_be_taken_back(january: Any, shop: Any, subscription: str) -> None:
    shop.v1.subscriptions.update(subscription, {"cancel_at_period_end": True})
    again = shop.v1.subscriptions.update(subscription, {"cancel_at_period_end": False})
    january.go(31)
    assert (again.cancel_at, again.canceled_at) == (None, None)
    assert shop.v1.subscriptions.retrieve(subscription).status == "active"


def test_a_date_to_cancel_at_can_be_taken_back(january: Any, shop: Any, subscription: str) -> None:
    shop.v1.subscriptions.update(subscription, {"cancel_at": january.at(20)})
    shop.v1.subscriptions.update(subscription, {"cancel_at": ""})
    january.go(20)
    assert shop.v1.subscriptions.retrieve(subscription).status == "active"


@pytest.mark.parametrize(("is_billed", "lines"), [(True, [(2, 20, 0, 20)]), (False, [])])
def test_usage_until_a_date_within_the_period_is_billed_unless_switched(
    january: Any, shop: Any, subscription: str, is_billed: Any, lines: Any
) -> None:
    shop.settings(usage_is_billed_at_cancel_at=is_billed)
    shop.v1.subscriptions.update(subscription, {"cancel_at": january.at(20)})
    january.go(31)
    assert shop.v1.subscriptions.retrieve(subscription).ended_at == january.at(20)
    assert january.lines(subscription) == lines


def test_a_date_within_the_period_gives_back_what_is_unused(january: Any, shop: Any, seats: str) -> None:
    shop.v1.subscriptions.update(seats, {"cancel_at": january.at(21)})
    january.go(21)
    (item,) = shop.v1.invoice_items.list({"customer": shop.v1.subscriptions.retrieve(seats).customer}).data
    assert (item.amount, item.proration, item.invoice) == (-1_000, True, None)


def test_a_later_date_lets_periods_turn_first(january: Any, shop: Any, subscription: str) -> None:
    shop.v1.subscriptions.update(subscription, {"cancel_at": january.at(40)})
    january.go(95)
    assert january.lines(subscription) == [(2, 20, 0, 31), (0, 0, 31, 40)]


@pytest.mark.parametrize(("word", "day"), [("min_period_end", 7), ("max_period_end", 31), ("max_billed_until", 31)])
def test_an_end_may_be_named_by_its_items(january: Any, shop: Any, customer: str, word: str, day: int) -> None:
    meter = shop.meter()
    weekly = shop.price(meter, unit_amount=1, recurring={"interval": "week", "usage_type": "metered", "meter": meter})
    items = [{"price": january.seats()}, {"price": weekly.id}]
    made = shop.v1.subscriptions.create({"customer": customer, "items": items, "cancel_at": word})
    january.go(32)
    assert shop.v1.subscriptions.retrieve(made.id).ended_at == january.at(day)


def test_an_end_can_be_planned_from_the_beginning(january: Any, shop: Any, customer: str) -> None:
    price = shop.price(shop.meter()).id
    made = shop.subscription(customer, price, cancel_at_period_end=True, trial_period_days=7)
    january.go(40)
    ended = shop.v1.subscriptions.retrieve(made.id)
    assert (made.cancel_at, ended.ended_at) == (january.at(7), january.at(7))


def test_the_reason_is_kept(shop: Any, subscription: str) -> None:
    why = {"comment": "Moved", "feedback": "switched_service"}
    canceled = shop.v1.subscriptions.cancel(subscription, {"cancellation_details": why})
    details = canceled.cancellation_details
    assert (details.comment, details.feedback, details.reason) == (*why.values(), "cancellation_requested")


def test_an_ended_subscription_takes_only_metadata(shop: Any, subscription: str) -> None:
    shop.v1.subscriptions.cancel(subscription)
    changed = shop.v1.subscriptions.update(subscription, {"metadata": {"row": "7"}})
    assert (changed.status, changed.metadata["row"]) == ("canceled", "7")
    with pytest.raises(stripe.InvalidRequestError, match="only update its cancellation_details and metadata") as no:
        shop.v1.subscriptions.update(subscription, {"cancel_at_period_end": False})
    assert no.value.http_status == 400


def test_an_ended_subscription_stays_in_its_last_period(january: Any, shop: Any, subscription: str) -> None:
    shop.v1.subscriptions.cancel(subscription)
    january.go(95)
    item = shop.v1.subscriptions.retrieve(subscription)["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (january.at(0), january.at(31))


def test_a_subscription_nobody_has_cannot_be_cancelled(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.subscriptions.cancel("sub_none")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_prorations_that_wait_are_collected_when_the_subscription_ends(january: Any) -> None:
    subscription = january.shop.subscription(january.shop.customer(), january.seats())
    january.go(15)
    items = [{"id": subscription["items"].data[0].id, "quantity": 2}]
    january.shop.v1.subscriptions.update(subscription.id, {"items": items, "cancel_at_period_end": True})
    january.go(32)
    last = january.invoices(subscription.id)[-1]
    assert (last.billing_reason, last.status, last.total) == ("subscription_cycle", "paid", 1_600)


@pytest.mark.parametrize("reason", ["subscription_update", "subscription_cycle", "manual"])
def test_the_reason_of_a_last_invoice_is_a_switch(shop: Any, subscription: str, reason: str) -> None:
    shop.settings(invoice_now_reason=reason)
    shop.v1.invoice_items.create(
        {"customer": shop.v1.subscriptions.retrieve(subscription).customer, "amount": 5, "currency": "usd"}
    )
    canceled = shop.v1.subscriptions.cancel(subscription, {"invoice_now": True})
    assert shop.v1.invoices.retrieve(canceled.latest_invoice).billing_reason == reason
