"""A cycle's draft: it waits for late usage and for its webhook to be taken, and finalizes by the clock."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import stripe

DAY_S = 86_400
HOUR_S = 3_600


@dataclass(frozen=True)
class Ended:
    """A customer whose month with 3 units at 10 cents has just ended; the clock stands at its end."""

    shop: Any
    customer: str
    subscription: str
    end: int

    def go(self, instant: int) -> None:
        self.shop.sandbox.control("POST", "clock", to=instant)

    @property
    def invoice(self) -> Any:
        (invoice,) = self.shop.v1.invoices.list({"customer": self.customer}).data
        return invoice

    def told(self) -> list[str]:
        found = self.shop.v1.events.list({"limit": 100}).data
        return [event.type for event in reversed(found) if event.type.startswith("invoice.")]


@pytest.fixture
def still(own_shop: Any) -> Any:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    return own_shop


@pytest.fixture
def begun(still: Any) -> Ended:
    """The same before the month's end."""
    customer, price = still.customer(), still.price(still.meter(), unit_amount=10)
    subscription = still.subscription(customer, price.id, metadata={"row": "7"})
    still.send(customer, "3")
    return Ended(still, customer, subscription.id, subscription["items"].data[0].current_period_end)


@pytest.fixture
def ended(begun: Ended) -> Ended:
    begun.go(begun.end)
    return begun


@pytest.fixture
def untaken(begun: Ended, receiver: Any) -> Ended:
    """The month's end, with an endpoint that refuses `invoice.created` for good."""
    receiver.answers = [500] * 500
    begun.shop.settings(webhook_schedule="live")
    begun.shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.created"]})
    begun.go(begun.end)
    receiver.wait(1)
    return begun


def test_a_periods_end_opens_a_draft_of_its_usage(ended: Ended) -> None:
    invoice = ended.invoice
    assert (invoice.status, invoice.billing_reason, invoice.total) == ("draft", "subscription_cycle", 30)
    assert (invoice.created, invoice.automatically_finalizes_at) == (ended.end, ended.end + HOUR_S)
    assert invoice.parent.subscription_details.subscription == ended.subscription
    assert invoice.parent.subscription_details.metadata.to_dict() == {"row": "7"}
    assert (invoice.period_end, invoice.auto_advance, invoice.number) == (ended.end, True, None)


def test_a_line_names_its_price_period_and_subscription_item(ended: Ended) -> None:
    item = ended.shop.v1.subscriptions.retrieve(ended.subscription)["items"].data[0]
    line = ended.invoice.lines.data[0]
    assert line.parent.subscription_item_details.subscription_item == item.id
    assert (line.pricing.price_details.price, line.pricing.unit_amount_decimal) == (item.price.id, Decimal(10))
    assert (line.period.end, line.description) == (ended.end, "3 × Calls (at $0.10 / month)")  # noqa: RUF001 - Stripe's own sign


def test_a_draft_is_paid_after_the_grace_hour(ended: Ended) -> None:
    ended.go(ended.end + HOUR_S - 1)
    assert ended.invoice.status == "draft"
    ended.go(ended.end + HOUR_S)
    assert (ended.invoice.status, ended.invoice.amount_paid) == ("paid", 30)
    assert ended.invoice.status_transitions.finalized_at == ended.end + HOUR_S


def test_the_life_of_an_invoice_is_told(ended: Ended) -> None:
    ended.go(ended.end + HOUR_S)
    assert ended.told() == [
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


def test_the_grace_period_is_the_accounts_own(begun: Ended) -> None:
    begun.shop.settings(finalization_grace_s=72 * HOUR_S)
    begun.go(begun.end + 72 * HOUR_S - 1)
    assert begun.invoice.status == "draft"
    begun.go(begun.end + 72 * HOUR_S)
    assert begun.invoice.status == "paid"


def test_finalization_counts_anew(ended: Ended) -> None:
    ended.shop.send(ended.customer, "4", timestamp=ended.end - 1)
    assert ended.invoice.total == 30
    ended.go(ended.end + HOUR_S)
    assert (ended.invoice.total, ended.invoice.lines.data[0].quantity) == (70, 7)
    assert "invoice.updated" in ended.told()


@pytest.mark.parametrize(("waits", "total"), [(True, 70), (False, 30)])
def test_finalization_counts_all_that_came_unless_it_does_not_wait(ended: Ended, waits: bool, total: int) -> None:  # noqa: FBT001 - a table's column
    ended.shop.settings(finalization_waits_for_aggregation=waits, summary_lag_s=600)
    ended.go(ended.end + HOUR_S - 1)
    ended.shop.send(ended.customer, "4", timestamp=ended.end - 1)
    ended.go(ended.end + HOUR_S)
    assert ended.invoice.total == total


def test_a_draft_shows_only_what_was_aggregated(begun: Ended) -> None:
    begun.shop.settings(summary_lag_s=DAY_S)
    begun.go(begun.end - 60)
    begun.shop.send(begun.customer, "4")
    begun.go(begun.end)
    assert begun.invoice.total == 30


def test_a_draft_told_not_to_advance_stays_a_draft(ended: Ended) -> None:
    ended.shop.v1.invoices.update(ended.invoice.id, {"auto_advance": False})
    ended.go(ended.end + 5 * DAY_S)
    assert (ended.invoice.status, ended.invoice.automatically_finalizes_at) == ("draft", None)


def test_a_draft_told_to_advance_again_finalizes_within_the_hour(ended: Ended) -> None:
    ended.shop.v1.invoices.update(ended.invoice.id, {"auto_advance": False})
    ended.go(ended.end + DAY_S)
    ended.shop.v1.invoices.update(ended.invoice.id, {"auto_advance": True})
    ended.go(ended.end + DAY_S + HOUR_S)
    assert ended.invoice.status == "paid"


def test_usage_sent_while_a_draft_is_held_is_on_it(ended: Ended) -> None:
    ended.shop.v1.invoices.update(ended.invoice.id, {"auto_advance": False})
    ended.go(ended.end + 2 * DAY_S)
    ended.shop.send(ended.customer, "4", timestamp=ended.end - 1)
    assert ended.shop.v1.invoices.finalize_invoice(ended.invoice.id).total == 70


def test_usage_after_an_early_finalization_is_on_no_invoice(ended: Ended) -> None:
    ended.shop.v1.invoices.finalize_invoice(ended.invoice.id)
    ended.shop.send(ended.customer, "4", timestamp=ended.end - 1)
    ended.go(ended.end + HOUR_S)
    assert (ended.invoice.total, ended.told().count("invoice.finalized")) == (30, 1)


def test_the_instant_of_finalization_may_be_chosen(ended: Ended) -> None:
    chosen = ended.end + 5 * DAY_S
    ended.shop.v1.invoices.update(ended.invoice.id, {"automatically_finalizes_at": chosen})
    ended.go(chosen - 1)
    assert (ended.invoice.status, ended.invoice.automatically_finalizes_at) == ("draft", chosen)
    ended.go(chosen)
    assert ended.invoice.status_transitions.finalized_at == chosen


def test_a_payment_that_fails_by_itself_leaves_the_invoice_open(ended: Ended) -> None:
    ended.shop.settings(payments="fail")
    ended.go(ended.end + HOUR_S)
    assert (ended.invoice.status, ended.invoice.attempt_count) == ("open", 1)
    assert ended.told()[-1] == "invoice.payment_failed"


def test_without_an_endpoint_webhooks_are_delivered_at_once(ended: Ended) -> None:
    assert ended.invoice.webhooks_delivered_at == ended.invoice.created


def test_an_untaken_webhook_delays_finalization_to_72_hours(untaken: Ended) -> None:
    untaken.go(untaken.end + 72 * HOUR_S - 1)
    assert (untaken.invoice.status, untaken.invoice.webhooks_delivered_at) == ("draft", None)
    assert untaken.invoice.automatically_finalizes_at == untaken.end + 72 * HOUR_S
    untaken.go(untaken.end + 72 * HOUR_S)
    assert untaken.invoice.status == "paid"


def test_finalization_follows_an_hour_after_the_webhook_was_taken(untaken: Ended, receiver: Any) -> None:
    untaken.go(untaken.end + 10 * HOUR_S)
    receiver.answers = []
    untaken.go(untaken.end + 40 * HOUR_S)
    invoice = untaken.invoice
    assert untaken.end + 10 * HOUR_S <= invoice.webhooks_delivered_at
    assert invoice.status_transitions.finalized_at == invoice.webhooks_delivered_at + HOUR_S


def test_finalization_follows_a_shorter_grace_after_the_webhook_was_taken(begun: Ended, receiver: Any) -> None:
    receiver.answers = [500]
    begun.shop.settings(finalization_grace_s=60, webhook_backoff_s=300.0)
    begun.shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.created"]})
    begun.go(begun.end + HOUR_S)
    invoice = begun.invoice
    assert invoice.status_transitions.finalized_at == invoice.webhooks_delivered_at + 60


def test_a_chosen_instant_is_not_delayed_by_an_untaken_webhook(untaken: Ended) -> None:
    chosen = untaken.end + 2 * HOUR_S
    untaken.shop.v1.invoices.update(untaken.invoice.id, {"automatically_finalizes_at": chosen})
    untaken.go(chosen)
    assert untaken.invoice.status == "paid"


def test_a_grace_longer_than_the_delay_is_kept(begun: Ended, receiver: Any) -> None:
    begun.shop.settings(finalization_grace_s=100 * HOUR_S)
    receiver.answers = [500] * 500
    begun.shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.created"]})
    begun.go(begun.end + 100 * HOUR_S - 1)
    assert begun.invoice.status == "draft"
    begun.go(begun.end + 100 * HOUR_S)
    assert begun.invoice.status == "paid"


def test_items_that_wait_are_on_the_cycles_draft(begun: Ended) -> None:
    wanted: Any = {"customer": begun.customer, "currency": "usd"}
    begun.shop.v1.invoice_items.create(wanted | {"amount": 100, "subscription": begun.subscription})
    begun.shop.v1.invoice_items.create(wanted | {"amount": 200})
    begun.go(begun.end)
    assert [line.amount for line in begun.invoice.lines.data] == [30, 100, 200]


def test_a_subscriptions_draft_cannot_be_deleted(ended: Ended) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="created by subscriptions"):
        ended.shop.v1.invoices.delete(ended.invoice.id)


def test_a_subscriptions_waiting_items_can_be_invoiced_at_any_time(begun: Ended) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        begun.shop.v1.invoices.create({"subscription": begun.subscription})
    assert refusal.value.code == "invoice_no_subscription_line_items"
    wanted: Any = {"customer": begun.customer, "currency": "usd", "amount": 100, "subscription": begun.subscription}
    begun.shop.v1.invoice_items.create(wanted)
    assert begun.shop.v1.invoices.create({"subscription": begun.subscription}).total == 100


def test_the_same_seed_and_calls_make_the_same_invoice(start_sandbox: Any) -> None:
    found = []
    for _ in range(2):
        with start_sandbox("--seed", "7", "--clock", "2026-01-31T12:00:00Z", "--speed", "0") as sandbox:
            sandbox.control("POST", "keys", key="sk_test_one", account="acct_one")
            shop = sandbox.shop()
            client = shop.client_of("sk_test_one").v1
            customer = client.customers.create({"name": "A customer"}).id
            client.invoice_items.create({"customer": customer, "amount": 5, "currency": "usd"})
            invoice = client.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
            found.append(str(client.invoices.finalize_invoice(invoice.id)))
            shop.http.close()
    assert found[0] == found[1]
