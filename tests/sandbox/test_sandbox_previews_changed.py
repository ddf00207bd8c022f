"""Previews of what a change of a subscription would cost, which leave the subscription as it is."""

from typing import Any

import pytest
import stripe

MODES = ("next", "recurring")


@pytest.fixture
def subscription(january: Any) -> Any:
    """Of a seat of a dollar a day, in the middle of January."""
    made = january.shop.subscription(january.shop.customer(), january.seats())
    january.go(15)
    return made


def preview(calendar: Any, subscription: Any, **details: Any) -> list[tuple[int, str]]:
    """Amount and the first words of each line."""
    asked = {"subscription": subscription.id, "subscription_details": details}
    invoice = calendar.shop.v1.invoices.create_preview(asked)
    assert (invoice.status, invoice.billing_reason, invoice.number) == ("draft", "upcoming", None)
    return sorted((line.amount, line.description.split(" on ")[0]) for line in invoice.lines.data)


def doubled(subscription: Any) -> list[dict[str, Any]]:
    return [{"id": subscription["items"].data[0].id, "quantity": 2}]


def test_a_previewed_change_shows_its_prorations_and_the_next_period(january: Any, subscription: Any) -> None:
    lines = preview(january, subscription, items=doubled(subscription))
    assert [amount for amount, _ in lines] == [-1_600, 3_200, 6_200]
    assert lines[0][1] == "Unused time"


def test_a_change_to_be_invoiced_at_once_is_previewed_alone(january: Any, subscription: Any) -> None:
    lines = preview(january, subscription, items=doubled(subscription), proration_behavior="always_invoice")
    assert [amount for amount, _ in lines] == [-1_600, 3_200]


def test_a_change_without_proration_shows_only_the_next_period(january: Any, subscription: Any) -> None:
    lines = preview(january, subscription, items=doubled(subscription), proration_behavior="none")
    assert [amount for amount, _ in lines] == [6_200]


def test_a_previewed_cancellation_shows_what_it_would_give_back(january: Any, subscription: Any) -> None:
    assert preview(january, subscription, cancel_now=True) == [(-1_600, "Unused time")]


def test_a_metered_price_that_is_to_be_replaced_shows_the_usage_so_far(january: Any) -> None:
    customer, meter = january.shop.customer(), january.shop.meter()
    made = january.shop.subscription(customer, january.shop.price(meter).id)
    january.use(customer, 7, day=0)
    january.go(3)
    items = [{"id": made["items"].data[0].id, "price": january.shop.price(meter, unit_amount=5).id}]
    assert [amount for amount, _ in preview(january, made, items=items)] == [0, 7]


def test_a_preview_changes_and_tells_nothing(january: Any, subscription: Any) -> None:
    before = (january.shop.v1.subscriptions.retrieve(subscription.id).to_dict(), january.told())
    preview(january, subscription, items=doubled(subscription), proration_behavior="always_invoice")
    after = (january.shop.v1.subscriptions.retrieve(subscription.id).to_dict(), january.told())
    assert after == before
    assert january.shop.v1.invoice_items.list().data == []


def test_a_recurring_preview_leaves_out_what_waits(january: Any, subscription: Any) -> None:
    january.shop.v1.invoice_items.create({"customer": subscription.customer, "amount": 70, "currency": "usd"})
    asked: Any = {"subscription": subscription.id}
    totals = [january.shop.v1.invoices.create_preview(asked | {"preview_mode": mode}).total for mode in MODES]
    assert totals == [3_170, 3_100]


def test_a_subscription_that_is_to_end_has_nothing_upcoming(january: Any, subscription: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        preview(january, subscription, cancel_at_period_end=True)
    assert refusal.value.code == "invoice_upcoming_none"


def test_a_change_that_would_be_refused_is_refused_in_a_preview(january: Any, subscription: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        preview(january, subscription, items=[{"id": "si_none", "quantity": 2}])
    assert refusal.value.param == "subscription_details[items][0][id]"


def test_a_preview_embeds_ten_lines_and_the_rest_is_paged(shop: Any) -> None:
    customer = shop.customer()
    subscription = shop.subscription(customer, shop.price(shop.meter()).id)
    for amount in range(1, 12):
        shop.v1.invoice_items.create({"customer": customer, "amount": amount, "currency": "usd"})
    lines = shop.v1.invoices.create_preview({"subscription": subscription.id}).lines
    assert (len(lines.data), lines.has_more, lines.total_count) == (10, True, 12)
    assert sum(line.amount for line in lines.auto_paging_iter()) == sum(range(12))
