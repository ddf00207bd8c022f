"""What a failed payment does to the subscription and the customer, and what settles it."""

from typing import Any

import pytest


@pytest.fixture
def broke(january: Any) -> Any:
    january.shop.settings(payments="fail")
    return january


def unpaid(calendar: Any) -> tuple[str, str]:
    """A subscription whose January could not be collected, and that invoice."""
    customer = calendar.shop.customer()
    subscription = calendar.shop.subscription(customer, calendar.shop.price(calendar.shop.meter()).id).id
    calendar.use(customer, 500, day=0)
    calendar.go(31, hours=1)
    return subscription, calendar.invoices(subscription)[0].id


def status(calendar: Any, subscription: str) -> str:
    return str(calendar.shop.v1.subscriptions.retrieve(subscription).status)


def test_a_subscription_whose_period_cannot_be_collected_is_past_due(broke: Any) -> None:
    subscription, _ = unpaid(broke)
    assert status(broke, subscription) == "past_due"
    assert broke.told()[-2:] == ["invoice.payment_failed", "customer.subscription.updated"]
    assert [found.id for found in broke.shop.v1.subscriptions.list({"status": "past_due"}).data] == [subscription]


def test_it_is_past_due_until_a_later_draft_is_final(broke: Any) -> None:
    subscription, _ = unpaid(broke)
    broke.go(59)
    assert status(broke, subscription) == "past_due"


@pytest.mark.parametrize("settle", ["pay", "void_invoice", "mark_uncollectible"])
def test_it_is_active_again_when_its_invoice_is_settled(broke: Any, settle: str) -> None:
    subscription, invoice = unpaid(broke)
    broke.shop.settings(payments="succeed")
    getattr(broke.shop.v1.invoices, settle)(invoice)
    assert (status(broke, subscription), broke.told()[-1]) == ("active", "customer.subscription.updated")


def test_a_subscription_whose_first_invoice_cannot_be_collected_is_incomplete(broke: Any) -> None:
    made = broke.shop.subscription(broke.shop.customer(), broke.seats())
    assert (made.status, broke.shop.v1.invoices.retrieve(made.latest_invoice).status) == ("incomplete", "open")
    broke.shop.settings(payments="succeed")
    broke.shop.v1.invoices.pay(made.latest_invoice)
    assert status(broke, made.id) == "active"


def test_a_subscription_whose_sent_invoice_is_not_paid_in_time_is_past_due(january: Any) -> None:
    terms: Any = {"collection_method": "send_invoice", "days_until_due": 7}
    subscription = january.shop.subscription(january.shop.customer(), january.seats(), **terms)
    january.go(7)
    in_time = status(january, subscription.id)
    january.go(8)
    assert (in_time, status(january, subscription.id)) == ("active", "past_due")
    january.shop.v1.invoices.pay(subscription.latest_invoice, {"paid_out_of_band": True})
    assert status(january, subscription.id) == "active"


def test_a_customer_is_delinquent_from_a_failed_payment_until_the_invoice_is_settled(broke: Any) -> None:
    _, invoice = unpaid(broke)
    customer = broke.shop.v1.invoices.retrieve(invoice).customer
    assert broke.shop.v1.customers.retrieve(customer).delinquent is True
    broke.shop.v1.invoices.pay(invoice, {"paid_out_of_band": True})
    assert broke.shop.v1.customers.retrieve(customer).delinquent is False


def test_a_customer_tells_of_their_credit_and_their_next_invoice(january: Any) -> None:
    customer = january.shop.customer()
    before = january.shop.v1.customers.retrieve(customer)
    subscription = january.shop.subscription(customer, january.seats())
    january.go(10)
    january.shop.v1.subscriptions.cancel(subscription.id, {"prorate": True, "invoice_now": True})
    after = january.shop.v1.customers.retrieve(customer)
    assert (before.balance, before.currency, before.next_invoice_sequence) == (0, None, 1)
    assert (after.balance, after.currency, after.next_invoice_sequence) == (-2_100, "usd", 3)
