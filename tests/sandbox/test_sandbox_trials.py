"""Trials: free, told of before they end, and followed by what the caller chose."""

from typing import Any

import pytest
import stripe

NO_PAYMENT_METHOD: Any = {"trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}}}
PAUSES: Any = {"trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}}


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


def test_usage_of_a_trial_is_shown_at_0(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls, trial_period_days=14)
    january.use(customer, 5, day=0)
    january.go(14)
    january.use(customer, 3, day=14)
    january.go(46)
    assert january.lines(subscription.id) == [(5, 0, 0, 14), (3, 30, 14, 45)]
    assert january.invoices(subscription.id)[0].lines.data[0].description == "Free trial for 5 x Calls"


def test_usage_of_a_trial_may_be_billed(january: Any, shop: Any, customer: str, calls: str) -> None:
    shop.settings(trial_usage_is_billed=True)
    subscription = shop.subscription(customer, calls, trial_period_days=14)
    january.use(customer, 5, day=0)
    january.go(14)
    assert january.lines(subscription.id) == [(5, 50, 0, 14)]


def test_a_licensed_item_is_free_in_a_trial(january: Any, shop: Any) -> None:
    subscription = shop.subscription(shop.customer(), january.seats(), trial_period_days=14)
    january.go(14)
    assert january.lines(subscription.id) == [(1, 0, 0, 14), (1, 3_100, 14, 45)]


def test_a_trial_ends_into_an_active_subscription(january: Any, shop: Any, calls: str) -> None:
    subscription = shop.subscription(shop.customer(), calls, trial_end=january.at(10))
    assert (subscription.status, subscription.billing_cycle_anchor) == ("trialing", january.at(10))
    january.go(10)
    assert shop.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_trial_end_now_is_no_trial(shop: Any, calls: str) -> None:
    subscription = shop.subscription(shop.customer(), calls, trial_end="now")
    assert (subscription.status, subscription.trial_end) == ("active", None)


def test_a_trials_end_is_told_three_days_before(january: Any, shop: Any, calls: str) -> None:
    shop.subscription(shop.customer(), calls, trial_period_days=14)
    january.go(10)
    assert "customer.subscription.trial_will_end" not in january.told()
    january.go(11)
    assert january.told()[-1] == "customer.subscription.trial_will_end"


def test_a_trial_of_two_days_is_told_of_at_once(january: Any, shop: Any, calls: str) -> None:
    shop.subscription(shop.customer(), calls, trial_period_days=2)
    january.go(2)
    assert january.told().count("customer.subscription.trial_will_end") == 1


def test_a_trial_may_be_prolonged(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls, trial_period_days=14)
    january.go(12)
    changed = shop.v1.subscriptions.update(subscription.id, {"trial_end": january.at(20)})
    january.use(customer, 5, day=12)
    january.go(20)
    assert (changed.trial_end, changed.billing_cycle_anchor) == (january.at(20), january.at(20))
    assert january.lines(subscription.id) == [(5, 0, 0, 20)]


def test_a_trial_may_be_ended_now(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls, trial_period_days=14)
    january.go(4)
    changed = shop.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    january.use(customer, 2, day=4)
    january.go(35)
    assert (changed.status, changed.billing_cycle_anchor) == ("active", january.at(4))
    assert january.lines(subscription.id) == [(0, 0, 0, 4), (2, 20, 4, 35)]


def test_ending_a_trial_that_is_over_changes_nothing(january: Any, shop: Any, calls: str) -> None:
    subscription = shop.subscription(shop.customer(), calls)
    january.go(4)
    changed = shop.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    assert (changed.billing_cycle_anchor, changed.latest_invoice) == (january.at(0), None)


def test_a_trial_may_begin_later(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls)
    january.use(customer, 2, day=0)
    january.go(10)
    changed = shop.v1.subscriptions.update(subscription.id, {"trial_end": january.at(20)})
    january.use(customer, 5, day=10)
    january.go(20)
    assert (changed.status, changed.trial_start) == ("trialing", january.at(10))
    assert january.lines(subscription.id) == [(2, 20, 0, 10), (5, 0, 10, 20)]


def test_a_trial_without_payment_method_may_end_in_cancellation(january: Any, shop: Any, calls: str) -> None:
    subscription = shop.subscription(shop.customer(), calls, trial_period_days=14, **NO_PAYMENT_METHOD)
    january.go(14)
    ended = shop.v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at, ended.latest_invoice) == ("canceled", january.at(14), None)


def test_a_trial_without_payment_method_may_end_in_a_pause(january: Any, shop: Any, calls: str) -> None:
    subscription = shop.subscription(shop.customer(), calls, trial_period_days=14, **PAUSES)
    january.go(40)
    assert shop.v1.subscriptions.retrieve(subscription.id).status == "paused"
    assert (january.told()[-1], january.invoices(subscription.id)) == ("customer.subscription.paused", [])


def test_a_trial_with_a_payment_method_goes_on(january: Any, shop: Any, calls: str) -> None:
    customer = shop.customer()
    card = shop.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    terms = {"default_payment_method": card, **NO_PAYMENT_METHOD}
    subscription = shop.subscription(customer, calls, trial_period_days=14, **terms)
    january.go(14)
    assert shop.v1.subscriptions.retrieve(subscription.id).status == "active"


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"trial_period_days": 7, "trial_end": 1_800_000_000}, "trial_end"),
        ({"trial_period_days": 731}, "trial_period_days"),
        ({"trial_end": 1_000_000_000}, "trial_end"),
        ({"trial_end": 1_900_000_000}, "trial_end"),
        ({"trial_end": "tomorrow"}, "trial_end"),
        ({"trial_settings": {"end_behavior": {"missing_payment_method": "wait"}}}, None),
    ],
)
def test_a_trial_that_cannot_be_is_refused(january: Any, calls: str, wanted: Any, param: str | None) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        january.shop.subscription(january.shop.customer(), calls, **wanted)
    assert param in (None, refusal.value.param)
    assert january.shop.v1.subscriptions.list().data == []
