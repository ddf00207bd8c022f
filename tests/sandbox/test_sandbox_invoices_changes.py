"""What a change between two periods leaves for the next invoice, and what an invoice does when told to go on."""

from typing import Any

import pytest
import stripe

DAY_S = 86_400
HOUR_S = 3_600
APRIL = 1_775_001_600


@pytest.fixture
def still(own_shop: Any) -> Any:
    """A shop on April 1: a month of 30 days, at whose middle half of a price is left."""
    own_shop.sandbox.control("POST", "clock", frozen=True, to=APRIL)
    return own_shop


def licensed(shop: Any, unit_amount: int) -> str:
    recurring = {"interval": "month"}
    wanted: Any = {"currency": "usd", "product_data": {"name": "Seats"}, "unit_amount": unit_amount}
    return str(shop.v1.prices.create(wanted | {"recurring": recurring}).id)


def waiting(shop: Any) -> list[tuple[int, str]]:
    return sorted((item.amount, item.description) for item in shop.v1.invoice_items.list({"pending": True}).data)


def advance(shop: Any, seconds: int) -> None:
    shop.sandbox.control("POST", "clock", advance=seconds)


def test_unused_and_remaining_time_of_a_changed_price_wait_for_the_next_invoice(still: Any) -> None:
    subscription = still.subscription(still.customer(), licensed(still, 1_001))
    advance(still, 15 * DAY_S)
    items = [{"id": subscription["items"].data[0].id, "price": licensed(still, 3_000)}]
    still.v1.subscriptions.update(subscription.id, {"items": items})
    assert waiting(still) == [
        (-501, "Unused time on 1 × Seats after 16 Apr 2026"),  # noqa: RUF001 - Stripe's own sign
        (1_500, "Remaining time on 1 × Seats after 16 Apr 2026"),  # noqa: RUF001 - Stripe's own sign
    ]


def test_lines_of_prorated_time_say_so(still: Any) -> None:
    subscription = still.subscription(still.customer(), licensed(still, 1_000))
    advance(still, 15 * DAY_S)
    items = [{"id": subscription["items"].data[0].id, "quantity": 2}]
    changed = still.v1.subscriptions.update(
        subscription.id, {"items": items, "proration_behavior": "always_invoice"}
    ).latest_invoice
    invoice = still.v1.invoices.retrieve(changed)
    details = [line.parent.subscription_item_details for line in invoice.lines.data]
    assert (invoice.total, invoice.billing_reason) == (500, "subscription_update")
    assert [(detail.proration, detail.subscription_item) for detail in details] == [(True, items[0]["id"])] * 2


def test_usage_of_a_metered_item_that_goes_waits_for_the_next_invoice(still: Any) -> None:
    customer, metered = still.customer(), still.price(still.meter(), unit_amount=10)
    subscription = still.subscription(
        customer, metered.id, items=[{"price": metered.id}, {"price": licensed(still, 0)}]
    )
    still.send(customer, "7")
    advance(still, DAY_S)
    gone = next(item.id for item in subscription["items"].data if item.price.id == metered.id)
    still.v1.subscriptions.update(subscription.id, {"items": [{"id": gone, "deleted": True}]})
    assert waiting(still) == [(70, "7 × Calls (at $0.10 / month)")]  # noqa: RUF001 - Stripe's own sign
    advance(still, 31 * DAY_S)
    assert still.v1.invoices.list({"customer": customer}).data[0].total == 70


def test_an_open_invoice_told_to_advance_is_collected_within_the_hour(still: Any) -> None:
    customer = still.customer()
    invoice = still.v1.invoices.create({"customer": customer}).id
    still.v1.invoice_items.create({"customer": customer, "invoice": invoice, "amount": 500, "currency": "usd"})
    still.v1.invoices.finalize_invoice(invoice)
    still.v1.invoices.update(invoice, {"auto_advance": True})
    assert still.v1.invoices.retrieve(invoice).status == "open"
    advance(still, HOUR_S)
    assert still.v1.invoices.retrieve(invoice).status == "paid"


def test_a_draft_of_a_customer_who_is_gone_still_becomes_final(still: Any) -> None:
    customer = still.customer()
    still.v1.invoices.create({"customer": customer, "auto_advance": True})
    still.v1.customers.delete(customer)
    advance(still, HOUR_S)
    invoice = still.v1.invoices.list().data[0]
    assert (invoice.status, invoice.customer_name) == ("paid", "A customer")


def test_invoices_that_are_sent_by_themselves_are_drafts_for_an_hour(still: Any) -> None:
    more: Any = {"collection_method": "send_invoice", "days_until_due": 7}
    subscription = still.subscription(still.customer(), licensed(still, 1_000), **more)
    assert still.v1.invoices.retrieve(subscription.latest_invoice).status == "draft"
    advance(still, HOUR_S)
    invoice = still.v1.invoices.retrieve(subscription.latest_invoice)
    assert (invoice.status, invoice.due_date) == ("open", still.sandbox.now() + 7 * DAY_S)


def test_a_subscription_that_ends_with_nothing_to_bill_has_no_upcoming_invoice(still: Any) -> None:
    subscription = still.subscription(still.customer(), licensed(still, 1_000), cancel_at_period_end=True)
    with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices"):
        still.v1.invoices.create_preview({"subscription": subscription.id})
