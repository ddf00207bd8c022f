"""How subscriptions begin: backdated, anchored elsewhere, prorated; and what such a beginning refuses."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

CLASSIC = {"billing_mode": {"type": "classic"}}


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


@pytest.fixture
def used(january: Any, shop: Any, customer: str) -> Any:
    """31 January, with a unit used on each of its days 0, 1 and 30."""
    january.shop.meter("calls")
    price = shop.price(shop.v1.billing.meters.list().data[0].id, unit_amount=10).id
    for day in (0, 1, 30):
        january.go(day)
        january.use(customer, 1, day=day)
    return price


def test_a_backdated_start_bills_each_elapsed_period_at_once(january: Any, shop: Any, customer: str, used: str) -> None:
    january.go(34)
    subscription = shop.subscription(customer, used, backdate_start_date=january.at(1), proration_behavior="none")
    (invoice,) = january.invoices(subscription.id)
    assert (invoice.id, invoice.billing_reason) == (subscription.latest_invoice, "subscription_create")
    assert january.lines(subscription.id) == [(2, 20, 1, 32)]
    assert subscription["items"].data[0].current_period_start == january.at(32)


def test_a_backdated_start_within_a_period_is_billed_at_its_end(
    january: Any, shop: Any, customer: str, used: str
) -> None:
    subscription = shop.subscription(customer, used, backdate_start_date=january.at(0))
    assert subscription.latest_invoice is None
    january.go(31)
    assert january.lines(subscription.id) == [(3, 30, 0, 31)]


def test_a_backdated_start_may_be_billed_until_now(january: Any, shop: Any, customer: str, used: str) -> None:
    shop.settings(backdated_usage_is_billed="until_now")
    subscription = shop.subscription(customer, used, backdate_start_date=january.at(0))
    january.go(31)
    assert january.lines(subscription.id) == [(2, 20, 0, 30), (1, 10, 30, 31)]


def test_a_classic_backdated_start_is_billed_with_the_next_cycle(
    january: Any, shop: Any, customer: str, used: str
) -> None:
    subscription = shop.subscription(customer, used, backdate_start_date=january.at(0), **CLASSIC)
    january.go(61)
    assert january.lines(subscription.id) == [(0, 0, 30, 30), (3, 30, 0, 58)]


def test_a_backdated_licensed_item_pays_for_each_period(january: Any, shop: Any) -> None:
    january.go(40)
    subscription = shop.subscription(shop.customer(), january.seats(), backdate_start_date=january.at(0))
    assert january.lines(subscription.id) == [(1, 3_100, 0, 31), (1, 3_100, 31, 59)]


def test_a_classic_backdated_licensed_item_pays_one_prorated_line(january: Any, shop: Any) -> None:
    january.go(10)
    subscription = shop.subscription(shop.customer(), january.seats(), backdate_start_date=january.at(0), **CLASSIC)
    assert january.lines(subscription.id) == [(1, 1_000, 0, 10), (1, 3_100, 10, 41)]


def test_backdated_time_is_not_paid_without_proration(january: Any, shop: Any) -> None:
    january.go(40)
    terms = {"backdate_start_date": january.at(0), "proration_behavior": "none"}
    subscription = shop.subscription(shop.customer(), january.seats(), **terms)
    assert january.lines(subscription.id) == [(1, 3_100, 31, 59)]


def test_a_start_too_many_periods_ago_is_refused(january: Any, shop: Any) -> None:
    daily = {"currency": "usd", "product_data": {"name": "Days"}, "unit_amount": 1, "recurring": {"interval": "day"}}
    price = shop.v1.prices.create(daily).id
    with pytest.raises(stripe.InvalidRequestError, match="250 line items"):
        shop.subscription(shop.customer(), price, backdate_start_date=january.at(-251))
    assert shop.v1.subscriptions.list().data == []


def test_a_trial_after_a_backdated_start_is_free(january: Any, shop: Any, customer: str, used: str) -> None:
    terms = {"backdate_start_date": january.at(0), "trial_period_days": 7}
    subscription = shop.subscription(customer, used, **terms)
    january.go(37)
    assert january.lines(subscription.id) == [(2, 20, 0, 30), (1, 0, 30, 37)]


def test_the_time_before_an_anchor_is_prorated(january: Any, shop: Any) -> None:
    subscription = shop.subscription(shop.customer(), january.seats(), billing_cycle_anchor=january.at(10))
    january.go(10)
    assert january.lines(subscription.id) == [(1, 1_000, 0, 10), (1, 3_100, 10, 41)]


def test_the_time_before_an_anchor_is_free_without_proration(january: Any, shop: Any) -> None:
    terms = {"billing_cycle_anchor": january.at(10), "proration_behavior": "none"}
    subscription = shop.subscription(shop.customer(), january.seats(), **terms)
    assert subscription.latest_invoice is None
    january.go(10)
    assert january.lines(subscription.id) == [(1, 3_100, 10, 41)]


def test_usage_before_an_anchor_is_billed_in_full(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls, billing_cycle_anchor=january.at(10))
    january.use(customer, 3, day=0)
    january.go(10)
    assert january.lines(subscription.id) == [(3, 30, 0, 10)]


@pytest.mark.parametrize(
    ("config", "anchor"),
    [
        ({"day_of_month": 15}, "2026-01-15T00:00:00"),
        ({"day_of_month": 15, "hour": 9, "minute": 30, "second": 5}, "2026-01-15T09:30:05"),
        ({"day_of_month": 1}, "2026-02-01T00:00:00"),
        ({"day_of_month": 31, "hour": 12}, "2026-01-31T12:00:00"),
    ],
)
def test_an_anchor_may_be_described(january: Any, shop: Any, calls: str, config: Any, anchor: str) -> None:
    subscription = shop.subscription(shop.customer(), calls, billing_cycle_anchor_config=config)
    expected = int(datetime.fromisoformat(anchor).replace(tzinfo=UTC).timestamp())
    assert subscription.billing_cycle_anchor == expected
    assert subscription["items"].data[0].current_period_end == expected
    assert subscription.billing_cycle_anchor_config.day_of_month == config["day_of_month"]


def test_the_31st_comes_back_after_a_short_month(january: Any, shop: Any, calls: str) -> None:
    january.go(31)
    config = {"day_of_month": 31}
    subscription = shop.subscription(shop.customer(), calls, billing_cycle_anchor_config=config)
    january.go(91)
    assert [line[2:] for line in january.lines(subscription.id)] == [(31, 58), (58, 89)]


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"billing_cycle_anchor_config": {"day_of_month": 32}}, "billing_cycle_anchor_config[day_of_month]"),
        ({"billing_cycle_anchor_config": {"hour": 1}}, "billing_cycle_anchor_config[day_of_month]"),
        (
            {"billing_cycle_anchor_config": {"day_of_month": 2}, "billing_cycle_anchor": 1_768_000_000},
            "billing_cycle_anchor_config",
        ),
        ({"collection_method": "send_invoice"}, "days_until_due"),
        ({"days_until_due": 3}, "days_until_due"),
        ({"cancel_at": 1_000_000_000}, "cancel_at"),
        ({"cancel_at": 1_768_000_000, "cancel_at_period_end": True}, "cancel_at"),
        ({"cancel_at": "min_period_end", **CLASSIC}, "cancel_at"),
        ({"currency": "eur"}, "currency"),
        ({"proration_behavior": "sometimes"}, "proration_behavior"),
        ({"on_behalf_of": "acct_other"}, "on_behalf_of"),
    ],
)
def test_a_beginning_that_cannot_be_is_refused(january: Any, calls: str, wanted: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        january.shop.subscription(january.shop.customer(), calls, **wanted)
    assert (refusal.value.http_status, refusal.value.param) == (400, param)
    assert january.shop.v1.subscriptions.list().data == []


def test_an_anchor_by_the_day_of_the_month_needs_months(january: Any, shop: Any) -> None:
    meter = shop.meter()
    weekly = shop.price(meter, unit_amount=1, recurring={"interval": "week", "usage_type": "metered", "meter": meter})
    with pytest.raises(stripe.InvalidRequestError, match="monthly and yearly"):
        shop.subscription(shop.customer(), weekly.id, billing_cycle_anchor_config={"day_of_month": 2})


def test_more_than_twenty_items_are_refused(january: Any, shop: Any) -> None:
    meter = shop.meter()
    items = [{"price": shop.price(meter).id} for _ in range(21)]
    with pytest.raises(stripe.InvalidRequestError, match="at most 20"):
        shop.v1.subscriptions.create({"customer": shop.customer(), "items": items})


def test_two_items_of_one_price_are_refused(shop: Any, customer: str, calls: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Cannot add multiple subscription items"):
        shop.v1.subscriptions.create({"customer": customer, "items": [{"price": calls}, {"price": calls}]})


def test_two_items_of_one_price_may_be_allowed(shop: Any, customer: str, calls: str) -> None:
    shop.settings(duplicate_prices_are_refused=False)
    made = shop.v1.subscriptions.create({"customer": customer, "items": [{"price": calls}, {"price": calls}]})
    assert len(made["items"].data) == 2
