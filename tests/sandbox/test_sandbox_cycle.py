"""The cycle: a period's end bills what was used, pays ahead what is licensed, and begins the next."""

from typing import Any

import pytest
import stripe

GRADUATED = {
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [{"up_to": 1_000_000, "unit_amount": 0}, {"up_to": "inf", "unit_amount_decimal": "0.1"}],
}
CLASSIC = {"billing_mode": {"type": "classic"}}


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


def test_1_200_000_units_are_billed_200_dollars(january: Any, shop: Any, customer: str, meter: str) -> None:
    subscription = shop.subscription(customer, shop.price(meter, **GRADUATED).id)
    january.use(customer, 700_000, day=0)
    january.go(20)
    january.use(customer, 500_000, day=20)
    january.go(31, hours=1)
    (invoice,) = january.invoices(subscription.id)
    assert (invoice.status, invoice.total, invoice.billing_reason) == ("paid", 20_000, "subscription_cycle")
    assert january.lines(subscription.id) == [(1_000_000, 0, 0, 31), (200_000, 20_000, 0, 31)]


def test_a_metered_subscription_makes_no_invoice_at_its_creation(january: Any, shop: Any, calls: str) -> None:
    subscription = shop.subscription(shop.customer(), calls)
    assert (subscription.latest_invoice, january.invoices(subscription.id)) == (None, [])


def test_a_classic_metered_subscription_makes_an_invoice_of_0(january: Any, shop: Any, calls: str) -> None:
    subscription = shop.subscription(shop.customer(), calls, **CLASSIC)
    (invoice,) = january.invoices(subscription.id)
    assert (invoice.id, invoice.total, invoice.status) == (subscription.latest_invoice, 0, "paid")
    assert (invoice.billing_reason, january.lines(subscription.id)) == ("subscription_create", [(0, 0, 0, 0)])


def test_a_flat_fee_is_not_due_with_a_classic_invoice_of_0(january: Any, shop: Any, meter: str) -> None:
    tiers = [{"up_to": "inf", "unit_amount": 1, "flat_amount": 500}]
    price = shop.price(meter, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
    subscription = shop.subscription(shop.customer(), price.id, **CLASSIC)
    january.go(31)
    assert january.lines(subscription.id) == [(0, 0, 0, 0), (0, 500, 0, 31)]


def test_each_period_is_billed_once(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls)
    january.use(customer, 1, day=0)
    january.go(31)
    january.use(customer, 2, day=31)
    january.go(95)
    assert january.lines(subscription.id) == [(1, 10, 0, 31), (2, 20, 31, 59), (0, 0, 59, 90)]


def test_usage_within_the_grace_hour_is_billed(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls)
    january.go(31)
    january.use(customer, 4, day=30)
    january.go(32)
    assert january.lines(subscription.id) == [(4, 40, 0, 31)]


def test_usage_after_the_grace_hour_is_on_no_invoice(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls)
    january.go(31, hours=1)
    january.use(customer, 4, day=30)
    january.go(65)
    assert january.lines(subscription.id) == [(0, 0, 0, 31), (0, 0, 31, 59)]


def test_the_turn_moves_the_period_and_names_the_invoice(january: Any, shop: Any, calls: str) -> None:
    subscription = shop.subscription(shop.customer(), calls)
    january.go(31)
    turned = shop.v1.subscriptions.retrieve(subscription.id)
    (item,), (invoice,) = turned["items"].data, january.invoices(subscription.id)
    assert (item.current_period_start, item.current_period_end) == (january.at(31), january.at(59))
    assert (item.billed_until, turned.latest_invoice) == (january.at(31), invoice.id)


def test_a_turn_is_told(january: Any, shop: Any, calls: str) -> None:
    shop.subscription(shop.customer(), calls)
    january.go(31)
    assert january.told() == ["invoice.created", "customer.subscription.updated"]


def test_a_licensed_item_is_paid_ahead_from_the_first(january: Any, shop: Any) -> None:
    subscription = shop.subscription(shop.customer(), january.seats())
    january.go(31)
    first, renewal = january.invoices(subscription.id)
    assert (first.status, first.billing_reason, renewal.status) == ("paid", "subscription_create", "draft")
    assert january.lines(subscription.id) == [(1, 3_100, 0, 31), (1, 3_100, 31, 59)]


def test_a_first_invoice_to_be_sent_waits_its_hour(january: Any, shop: Any) -> None:
    terms = {"collection_method": "send_invoice", "days_until_due": 30}
    subscription = shop.subscription(shop.customer(), january.seats(), **terms)
    assert [invoice.status for invoice in january.invoices(subscription.id)] == ["draft"]
    january.go(0, hours=1)
    assert [invoice.status for invoice in january.invoices(subscription.id)] == ["open"]


def test_two_subscriptions_on_one_meter_both_bill_its_usage(
    january: Any, shop: Any, customer: str, meter: str, calls: str
) -> None:
    first, second = shop.subscription(customer, calls), shop.subscription(customer, shop.price(meter).id)
    january.use(customer, 3, day=0)
    january.go(31)
    assert january.lines(first.id) == [(3, 30, 0, 31)]
    assert january.lines(second.id) == [(3, 3, 0, 31)]


def test_two_items_on_one_meter_both_bill_its_usage(
    january: Any, shop: Any, customer: str, meter: str, calls: str
) -> None:
    items = [{"price": calls}, {"price": shop.price(meter).id}]
    subscription = shop.v1.subscriptions.create({"customer": customer, "items": items})
    january.use(customer, 3, day=0)
    january.go(31)
    assert january.lines(subscription.id) == [(3, 30, 0, 31), (3, 3, 0, 31)]


def test_items_of_two_intervals_turn_each_at_its_own_time(january: Any, shop: Any, meter: str, calls: str) -> None:
    weekly = shop.price(meter, unit_amount=1, recurring={"interval": "week", "usage_type": "metered", "meter": meter})
    items = [{"price": calls}, {"price": weekly.id}]
    subscription = shop.v1.subscriptions.create({"customer": shop.customer(), "items": items})
    january.go(31)
    assert january.lines(subscription.id) == [(0, 0, day, day + 7) for day in (0, 7, 14, 21)] + [(0, 0, 0, 31)]


def test_classic_billing_refuses_items_of_two_intervals(january: Any, shop: Any, meter: str, calls: str) -> None:
    weekly = shop.price(meter, unit_amount=1, recurring={"interval": "week", "usage_type": "metered", "meter": meter})
    items = [{"price": calls}, {"price": weekly.id}]
    with pytest.raises(stripe.InvalidRequestError, match="same billing interval"):
        shop.v1.subscriptions.create({"customer": shop.customer(), "items": items, **CLASSIC})


def test_a_preview_is_what_the_next_draft_becomes(january: Any, shop: Any, customer: str, calls: str) -> None:
    items = [{"price": calls}, {"price": january.seats()}]
    subscription = shop.v1.subscriptions.create({"customer": customer, "items": items})
    january.use(customer, 3, day=0)
    preview = shop.v1.invoices.create_preview({"subscription": subscription.id})
    january.go(31)
    draft = january.invoices(subscription.id)[-1]
    assert [(line.amount, line.period) for line in preview.lines.data] == [
        (line.amount, line.period) for line in draft.lines.data
    ]


@pytest.mark.parametrize(("days", "told"), [(0, 0), (7, 1)])
def test_an_invoice_is_announced_as_long_before_as_the_account_wants(
    january: Any, shop: Any, calls: str, days: int, told: int
) -> None:
    shop.settings(invoice_upcoming_days=days)
    subscription = shop.subscription(shop.customer(), calls)
    shop.v1.subscriptions.update(subscription.id, {"metadata": {"twice": "attended"}})
    january.go(23)
    assert "invoice.upcoming" not in january.told()
    january.go(25)
    assert january.told().count("invoice.upcoming") == told


def test_an_announced_invoice_has_no_id(january: Any, shop: Any, calls: str) -> None:
    shop.settings(invoice_upcoming_days=7)
    shop.subscription(shop.customer(), calls)
    january.go(25)
    (event,) = shop.v1.events.list({"type": "invoice.upcoming"}).data
    assert ("id" in event.data.object, event.data.object.billing_reason) == (False, "upcoming")
