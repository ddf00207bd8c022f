"""How a subscription begins and ends by what its row says: the mirror, once Stripe's events are applied, agrees."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.subscribed.conftest import Sales

Days = Callable[[float], datetime]
TRIAL = {"trial_days": 14}
MODES = pytest.mark.parametrize("mode", ["classic", "flexible"])


def mirrored(sales: Sales, *columns: str) -> Any:
    """These columns of the only subscription, and of its only item; instants to the second."""
    asked = (
        f"SELECT {', '.join(columns)} FROM subscription JOIN subscription_item AS item USING (account, subscription)"
    )
    (told,) = sales.path.ask(asked)
    return told


def heard(sales: Sales, **said: Any) -> Any:
    """A row's subscription, told by Stripe's events."""
    made = sales.make(**said)
    sales.hear()
    return made


def second(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def test_an_invoice_that_is_sent_is_due_after_the_days_that_the_row_says(sales: Sales) -> None:
    made = heard(sales, collection_method="send_invoice", days_until_due=30, setup_fee=49)
    (invoice,) = sales.invoices(made.id)
    assert (invoice.collection_method, invoice.amount_due, invoice.amount_paid) == ("send_invoice", 4900, 0)
    assert (made.collection_method, made.days_until_due) == ("send_invoice", 30)
    sales.path.pass_time(hours=2)
    (sent,) = sales.invoices(made.id)
    assert (sent.status, sent.due_date - sent.effective_at) == ("open", 30 * 86_400)
    assert mirrored(sales, "status") == "active"


def test_a_trial_is_free_for_the_days_that_the_row_says(sales: Sales) -> None:
    made = heard(sales, **TRIAL)
    trial_end = second(made.created) + timedelta(days=14)
    assert mirrored(sales, "status", "trial_end", "item.period_end") == ("trialing", trial_end, trial_end)
    assert sales.path.ask("SELECT is_trial, ends_at FROM stretch") == [(True, trial_end)]


@pytest.mark.parametrize(
    ("behavior", "has_card", "status"),
    [
        ("cancel", False, "canceled"),
        ("pause", False, "paused"),
        ("create_invoice", False, "active"),
        ("cancel", True, "active"),
        ("pause", True, "active"),
    ],
)
def test_a_trial_ends_as_the_row_says(sales: Sales, behavior: str, *, has_card: bool, status: str) -> None:
    card = {"payment_method": sales.card()} if has_card else {}
    sales.make(**TRIAL, **card, trial_end_behavior=behavior)
    sales.path.pass_time(days=14, hours=2)
    sales.hear()
    assert mirrored(sales, "status") == status


def test_backdated_under_flexible_billing_each_period_that_is_over_has_a_line_at_once(
    sales: Sales, in_days: Days
) -> None:
    customer, price = sales.customer(), sales.price_of("tokens", unit_amount=7)
    payload = {"stripe_customer_id": customer, "value": "100"}
    at = {"timestamp": int(in_days(-30).timestamp())}
    sales.v1.billing.meter_events.create({"event_name": "tokens", "payload": payload, **at})
    told: Any = {"customer": customer, "price": price, "backdate_start_date": in_days(-100)}
    made = heard(sales, **told, billing_mode="flexible")
    (invoice,) = sales.invoices(made.id)
    assert (invoice.billing_reason, len(invoice.lines.data), invoice.total) == ("subscription_create", 3, 700)
    assert mirrored(sales, "billing_mode", "item.period_start") == (
        "flexible",
        second(invoice.lines.data[-1].period.end),
    )
    assert second(made.start_date) == in_days(-100)


def test_backdated_under_classic_billing_what_was_used_comes_with_the_first_cycle(sales: Sales, in_days: Days) -> None:
    customer, price = sales.customer(), sales.price_of("tokens", unit_amount=7)
    sales.use(customer, 100, row_id="u1")
    sales.path.pass_time(days=3)
    told: Any = {"customer": customer, "price": price, "backdate_start_date": in_days(-3)}
    made = heard(sales, **told, billing_mode="classic")
    assert [invoice.total for invoice in sales.invoices(made.id)] == [0]
    assert mirrored(sales, "billing_mode", "item.period_start") == ("classic", second(made.created))
    sales.path.pass_time(days=31, hours=2)
    sales.path.reconciler.confirm_due()
    assert [invoice.total for invoice in sales.invoices(made.id)] == [0, 700]


@MODES
def test_the_first_period_ends_at_the_anchor(sales: Sales, in_days: Days, mode: str) -> None:
    heard(sales, billing_cycle_anchor=in_days(10), billing_mode=mode)
    assert mirrored(sales, "item.period_end") == in_days(10)


@MODES
@pytest.mark.parametrize(
    "config", [{"day_of_month": 15, "hour": 9, "minute": 30, "second": 5}, {"day_of_month": 31, "hour": 0}]
)
def test_the_first_period_ends_where_its_anchors_config_says(
    sales: Sales, in_days: Days, config: dict[str, int], mode: str
) -> None:
    made = heard(sales, billing_cycle_anchor_config=config, billing_mode=mode)
    period_end = mirrored(sales, "item.period_end").astimezone(UTC)
    wanted = {name: period_end.day if name == "day_of_month" else getattr(period_end, name) for name in config}
    last_day = (period_end + timedelta(days=1)).day == 1
    assert wanted == config | ({"day_of_month": period_end.day} if last_day else {})
    assert second(made.created) < period_end <= in_days(31)


@MODES
def test_it_ends_at_the_instant_that_the_row_says(sales: Sales, in_days: Days, mode: str) -> None:
    heard(sales, cancel_at=in_days(20), billing_mode=mode)
    assert mirrored(sales, "status", "cancel_at", "ended_at") == ("active", in_days(20), None)
    sales.path.pass_time(days=21)
    sales.hear()
    assert mirrored(sales, "status", "ended_at") == ("canceled", in_days(20))


@MODES
def test_it_ends_with_its_first_period(sales: Sales, mode: str) -> None:
    heard(sales, cancel_at_period_end=True, billing_mode=mode)
    period_end, cancel_at, is_ending = mirrored(sales, "item.period_end", "cancel_at", "cancel_at_period_end")
    assert (is_ending, cancel_at) == (True, period_end)
    sales.path.pass_time(days=32)
    sales.hear()
    assert mirrored(sales, "status", "ended_at") == ("canceled", period_end)


@pytest.mark.parametrize("word", ["min_period_end", "max_period_end"])
def test_it_ends_with_the_period_that_the_row_names(sales: Sales, word: str) -> None:
    heard(sales, cancel_at=word)
    period_end, cancel_at = mirrored(sales, "item.period_end", "cancel_at")
    assert cancel_at == period_end


def test_an_event_proves_the_row_and_names_its_subscription(sales: Sales) -> None:
    made = heard(sales)
    (identifier,) = sales.path.ask("SELECT identifier FROM signup")
    assert sales.path.ask("SELECT facts ->> 'row' FROM mirror WHERE kind = 'subscription'") == [identifier]
    assert sales.path.ask("SELECT state, subscription FROM signup") == [("created", made.id)]
