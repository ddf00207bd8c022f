"""Invoice previews: what the current period's usage will cost."""

from decimal import Decimal
from typing import Any

import pytest
import stripe

DAY_S = 86_400
GRADUATED = {
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [{"up_to": 1_000_000, "unit_amount": 0}, {"up_to": "inf", "unit_amount_decimal": "0.1"}],
}


def preview(shop: Any, usage: list[str], **price: Any) -> Any:
    """The preview after this usage of one customer, on a price with these terms."""
    customer = shop.customer()
    made = shop.price(shop.meter(), **price)
    start = shop.sandbox.now() - 20 * DAY_S
    subscription = shop.subscription(customer, made.id, backdate_start_date=start)
    for value in usage:
        shop.send(customer, value, timestamp=start + DAY_S)
    return shop.v1.invoices.create_preview({"subscription": subscription.id})


def test_200_000_units_beyond_a_million_included_cost_200_dollars(shop: Any) -> None:
    invoice = preview(shop, ["700000", "500000"], **GRADUATED)
    assert (invoice.total, invoice.amount_due, invoice.currency) == (20_000, 20_000, "usd")
    assert [(line.quantity, line.amount) for line in invoice.lines.data] == [(1_000_000, 0), (200_000, 20_000)]


def test_a_line_says_its_price_period_and_subscription(shop: Any) -> None:
    invoice = preview(shop, ["3"], unit_amount=5)
    line = invoice.lines.data[0]
    item = shop.v1.subscriptions.retrieve(invoice.parent.subscription_details.subscription)["items"].data[0]
    assert line.pricing.price_details.price == item.price.id
    assert line.pricing.unit_amount_decimal == Decimal(5)
    assert (line.period.start, line.period.end) == (item.current_period_start, item.current_period_end)
    assert line.parent.subscription_item_details.subscription_item == item.id


def test_volume_tiers_price_all_units_by_the_total(shop: Any) -> None:
    tiers = [{"up_to": 10, "unit_amount": 10}, {"up_to": "inf", "unit_amount": 7, "flat_amount": 100}]
    invoice = preview(shop, ["11"], billing_scheme="tiered", tiers_mode="volume", tiers=tiers)
    assert [(line.quantity, line.amount) for line in invoice.lines.data] == [(11, 177)]


@pytest.mark.parametrize(("rounding", "amount"), [("up", 300), ("down", 200)])
def test_packages_are_counted_on_the_periods_total(shop: Any, rounding: str, amount: int) -> None:
    transform = {"divide_by": 100, "round": rounding}
    assert preview(shop, ["150", "101"], unit_amount=100, transform_quantity=transform).total == amount


def test_a_decimal_quantity_is_whole_in_one_field_and_exact_in_the_other(shop: Any) -> None:
    line = preview(shop, ["1.25", "1.5"], unit_amount=10).lines.data[0]
    assert (line.quantity, line.quantity_decimal, line.amount) == (2, Decimal("2.75"), 28)


def test_a_negative_total_is_billed_as_nothing(shop: Any) -> None:
    invoice = preview(shop, ["3", "-5"], unit_amount=10)
    assert (invoice.total, invoice.lines.data[0].quantity) == (0, 0)


def test_usage_before_the_period_is_not_in_it(shop: Any) -> None:
    customer, price = shop.customer(), shop.price(shop.meter(), unit_amount=10)
    now = shop.sandbox.now()
    shop.subscription(customer, price.id, backdate_start_date=now - DAY_S)
    shop.send(customer, "5", timestamp=now - DAY_S - 1)
    shop.send(customer, "2", timestamp=now - DAY_S)
    assert shop.v1.invoices.create_preview({"customer": customer}).total == 20


def test_usage_of_another_customer_is_not_in_it(shop: Any) -> None:
    customer, price = shop.customer(), shop.price(shop.meter(), unit_amount=10)
    shop.subscription(customer, price.id)
    shop.send(shop.customer(), "5")
    assert shop.v1.invoices.create_preview({"customer": customer}).total == 0


def test_a_licensed_item_is_billed_for_the_period_to_come(shop: Any) -> None:
    price = shop.v1.prices.create(
        {"currency": "usd", "product_data": {"name": "Seats"}, "unit_amount": 500, "recurring": {"interval": "month"}}
    )
    items = [{"price": price.id, "quantity": 3}]
    subscription = shop.v1.subscriptions.create({"customer": shop.customer(), "items": items})
    line = shop.v1.invoices.create_preview({"subscription": subscription.id}).lines.data[0]
    assert (line.amount, line.period.start) == (1_500, subscription["items"].data[0].current_period_end)


def test_a_customer_without_subscription_has_no_upcoming_invoice(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.invoices.create_preview({"customer": shop.customer()})
    assert (refusal.value.http_status, refusal.value.code) == (404, "invoice_upcoming_none")


def test_a_preview_the_sandbox_cannot_make_is_refused_rather_than_guessed(shop: Any) -> None:
    details: Any = {"items": [{"price": shop.price(shop.meter()).id}], "trial_end": "now"}
    with pytest.raises(stripe.InvalidRequestError, match="does not act on") as refusal:
        shop.v1.invoices.create_preview({"customer": shop.customer(), "subscription_details": details})
    assert refusal.value.param == "subscription_details[trial_end]"


def test_items_are_previewed_before_anyone_subscribes_to_them(shop: Any) -> None:
    seats = shop.v1.prices.create(
        {"currency": "usd", "product_data": {"name": "Seats"}, "unit_amount": 500, "recurring": {"interval": "month"}}
    )
    items = [{"price": seats.id, "quantity": 3}, {"price": shop.price(shop.meter()).id}]
    invoice = shop.v1.invoices.create_preview({"customer": shop.customer(), "subscription_details": {"items": items}})
    assert [(line.amount, line.quantity) for line in invoice.lines.data] == [(1_500, 3), (0, 0)]
    assert invoice.parent.subscription_details.subscription is None


def test_a_preview_leaves_nothing_behind(shop: Any) -> None:
    subscription = shop.subscription(shop.customer(), shop.price(shop.meter()).id)
    shop.v1.invoices.create_preview({"subscription": subscription.id})
    assert shop.v1.invoices.list({"customer": subscription.customer, "status": "draft"}).data == []


def test_a_preview_has_the_items_that_wait(shop: Any) -> None:
    subscription = shop.subscription(shop.customer(), shop.price(shop.meter()).id)
    shop.v1.invoice_items.create({"customer": subscription.customer, "amount": 70, "currency": "usd"})
    assert shop.v1.invoices.create_preview({"subscription": subscription.id}).total == 70
    assert shop.v1.invoice_items.list({"pending": True}).data[0].amount == 70


def test_a_preview_shows_only_what_was_aggregated(shop: Any) -> None:
    shop.settings(summary_lag_s=60)
    customer, price = shop.customer(), shop.price(shop.meter(), unit_amount=10)
    subscription = shop.subscription(customer, price.id)
    shop.send(customer, "5")
    assert shop.v1.invoices.create_preview({"subscription": subscription.id}).total == 0


def test_a_subscription_of_another_customer_is_not_previewed(shop: Any) -> None:
    subscription = shop.subscription(shop.customer(), shop.price(shop.meter()).id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.invoices.create_preview({"customer": shop.customer(), "subscription": subscription.id})
    assert refusal.value.param == "subscription"


@pytest.mark.parametrize(("is_billed", "total"), [(False, 0), (True, 50)])
def test_usage_in_a_trial_is_free_unless_switched(shop: Any, is_billed: bool, total: int) -> None:  # noqa: FBT001 - a table's column
    shop.settings(trial_usage_is_billed=is_billed)
    customer, price = shop.customer(), shop.price(shop.meter(), unit_amount=10)
    subscription = shop.subscription(customer, price.id, trial_period_days=45)
    shop.send(customer, "5")
    invoice = shop.v1.invoices.create_preview({"subscription": subscription.id})
    assert (invoice.total, invoice.lines.data[0].quantity) == (total, 5)


def test_a_canceled_subscription_has_no_upcoming_invoice(shop: Any) -> None:
    subscription = shop.subscription(shop.customer(), shop.price(shop.meter()).id)
    shop.v1.subscriptions.cancel(subscription.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.invoices.create_preview({"subscription": subscription.id})
    assert refusal.value.code == "invoice_upcoming_none"
