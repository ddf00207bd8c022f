"""A month of usage becomes an invoice by the clock alone: the worked examples, to the cent."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

DAY_S = 86_400
HOUR_S = 3_600
GRADUATED = {
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [{"up_to": 1_000_000, "unit_amount": 0}, {"up_to": "inf", "unit_amount_decimal": "0.1"}],
}
VOLUME = GRADUATED | {"tiers_mode": "volume"}


@dataclass(frozen=True)
class Month:
    """One subscription's first period, in a sandbox whose clock stands still unless moved."""

    shop: Any
    customer: str
    subscription: Any

    @property
    def end(self) -> int:
        return int(self.subscription["items"].data[0].current_period_end)

    def send(self, *values: str, **more: Any) -> None:
        for value in values:
            self.shop.send(self.customer, value, **more)

    def go(self, instant: int) -> None:
        self.shop.sandbox.control("POST", "clock", to=instant)

    def invoices(self) -> Any:
        return self.shop.v1.invoices.list({"customer": self.customer}).data

    def billed(self) -> Any:
        """The invoice of the month, after its grace hour."""
        self.go(self.end + 2 * HOUR_S)
        (invoice,) = self.invoices()
        return invoice


@pytest.fixture
def still(own_shop: Any) -> Any:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    return own_shop


@pytest.fixture
def month_of(still: Any) -> Callable[..., Month]:
    """A customer's month on a metered price of these terms."""

    def begin(subscription: dict[str, Any] | None = None, **price: Any) -> Month:
        customer = still.customer()
        made = still.price(still.meter(), **price)
        return Month(still, customer, still.subscription(customer, made.id, **(subscription or {})))

    return begin


def lines(invoice: Any) -> Any:
    return [(line.quantity_decimal, line.amount) for line in invoice.lines.data]


def test_1_200_000_units_cost_200_dollars_where_a_million_is_included(month_of: Any) -> None:
    month = month_of(**GRADUATED)
    month.send("700000", "500000")
    invoice = month.billed()
    assert (invoice.total, invoice.amount_paid, invoice.status, invoice.currency) == (20_000, 20_000, "paid", "usd")
    assert lines(invoice) == [(1_000_000, 0), (200_000, 20_000)]


def test_1_200_000_units_cost_1_200_dollars_where_the_total_decides(month_of: Any) -> None:
    month = month_of(**VOLUME)
    month.send("700000", "500000")
    assert lines(month.billed()) == [(1_200_000, 120_000)]


@pytest.mark.parametrize(("rounding", "amount"), [("up", 300), ("down", 200)])
def test_packages_are_counted_on_the_months_total(month_of: Any, rounding: str, amount: int) -> None:
    month = month_of(unit_amount=100, transform_quantity={"divide_by": 100, "round": rounding})
    month.send("150", "101")
    assert lines(month.billed()) == [(251, amount)]


def test_a_decimal_quantity_is_billed_exactly(month_of: Any) -> None:
    month = month_of(unit_amount=10)
    month.send("1.25", "1.5")
    line = month.billed().lines.data[0]
    assert (line.quantity, line.quantity_decimal, line.amount) == (2, Decimal("2.75"), 28)


def test_a_negative_total_is_billed_as_nothing(month_of: Any) -> None:
    month = month_of(unit_amount=10)
    month.send("3", "-5")
    invoice = month.billed()
    assert (lines(invoice), invoice.total, invoice.status) == ([(0, 0)], 0, "paid")


def test_yen_have_no_cents(month_of: Any) -> None:
    month = month_of(unit_amount=7, currency="jpy", product_data={"name": "Calls"})
    month.send("3")
    invoice = month.billed()
    assert (invoice.total, invoice.currency) == (21, "jpy")
    assert "¥7 / month" in invoice.lines.data[0].description


def test_all_tiers_may_be_one_line(month_of: Any) -> None:
    month = month_of(**GRADUATED)
    month.shop.settings(tier_lines="one")
    month.send("1200000")
    assert lines(month.billed()) == [(1_200_000, 20_000)]


def test_usage_inside_the_grace_hour_is_on_the_invoice(month_of: Any) -> None:
    month = month_of(unit_amount=10)
    month.send("1")
    month.go(month.end + HOUR_S - 1)
    month.send("2", timestamp=month.end - 1)
    assert lines(month.billed()) == [(3, 30)]


def test_usage_after_the_grace_hour_is_on_no_invoice(month_of: Any) -> None:
    month = month_of(unit_amount=10)
    month.send("1")
    month.go(month.end + HOUR_S + 1)
    month.send("2", timestamp=month.end - 1)
    month.go(month.end + 32 * DAY_S)
    assert [lines(invoice) for invoice in month.invoices()] == [[(0, 0)], [(1, 10)]]


def test_usage_inside_the_grace_hour_of_the_next_month_is_the_next_months(month_of: Any) -> None:
    month = month_of(unit_amount=10)
    month.go(month.end + 60)
    month.send("2")
    month.go(month.end + 32 * DAY_S)
    assert [lines(invoice) for invoice in month.invoices()] == [[(2, 20)], [(0, 0)]]


def test_immediate_cancellation_bills_nothing(month_of: Any) -> None:
    month = month_of(unit_amount=10)
    month.send("5")
    month.shop.v1.subscriptions.cancel(month.subscription.id)
    month.go(month.end + DAY_S)
    assert month.invoices() == []


def test_immediate_cancellation_with_invoice_now_bills_the_usage_so_far(month_of: Any) -> None:
    month = month_of(unit_amount=10)
    month.send("5")
    month.go(month.end - 10 * DAY_S)
    month.shop.v1.subscriptions.cancel(month.subscription.id, {"invoice_now": True})
    month.go(month.end + DAY_S)
    assert [lines(invoice) for invoice in month.invoices()] == [[(5, 50)]]


@pytest.mark.parametrize(
    ("mode", "words"), [("flexible", "Free trial for 5 x Calls"), ("classic", "5 x Calls (Free trial)")]
)
def test_usage_of_a_trial_is_shown_at_nothing(month_of: Any, mode: str, words: str) -> None:
    month = month_of({"trial_period_days": 14, "billing_mode": {"type": mode}}, unit_amount=10)
    month.send("5")
    month.go(month.end + 2 * HOUR_S)
    line = month.invoices()[0].lines.data[0]
    assert (line.amount, line.quantity, line.description) == (0, 5, words)


def test_usage_of_a_trial_is_billed_where_switched(month_of: Any, still: Any) -> None:
    still.settings(trial_usage_is_billed=True)
    month = month_of({"trial_period_days": 14}, unit_amount=10)
    month.send("5")
    month.go(month.end + 2 * HOUR_S)
    assert lines(month.invoices()[0]) == [(5, 50)]


def test_a_backdated_flexible_subscription_bills_what_was_used_at_once(still: Any) -> None:
    customer, price = still.customer(), still.price(still.meter(), unit_amount=10)
    start = still.sandbox.now() - 33 * DAY_S
    for timestamp in (start + DAY_S, start + 32 * DAY_S):
        still.send(customer, "5", timestamp=timestamp)
    still.subscription(customer, price.id, backdate_start_date=start, proration_behavior="none")
    (first,) = still.v1.invoices.list({"customer": customer}).data
    assert (first.billing_reason, first.status, lines(first)[0]) == ("subscription_create", "paid", (5, 50))


def test_a_backdated_classic_subscription_bills_what_was_used_with_the_first_cycle(still: Any) -> None:
    customer, price = still.customer(), still.price(still.meter(), unit_amount=10)
    start = still.sandbox.now() - 10 * DAY_S
    still.send(customer, "5", timestamp=start + DAY_S)
    more: Any = {"backdate_start_date": start, "billing_mode": {"type": "classic"}, "proration_behavior": "none"}
    month = Month(still, customer, still.subscription(customer, price.id, **more))
    before = sum(invoice.total for invoice in month.invoices())
    month.go(month.end + 2 * HOUR_S)
    assert (before, month.invoices()[0].total) == (0, 50)
