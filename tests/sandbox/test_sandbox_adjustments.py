"""Adjustments: a meter event is cancelled, pending at first, and what cannot be cancelled."""

from typing import Any

import pytest
import stripe

DAY_S = 86_400
START = 1_800_000_000


@pytest.fixture
def shop(own_shop: Any) -> Any:
    """At a clock that stands still."""
    own_shop.sandbox.control("POST", "clock", to=START, frozen=True)
    return own_shop


@pytest.fixture
def meter(shop: Any) -> str:
    return str(shop.meter())


@pytest.fixture
def customer(shop: Any, meter: str) -> str:
    return str(shop.customer())


def advance(shop: Any, seconds: int) -> None:
    shop.sandbox.control("POST", "clock", advance=seconds)


def cancel(shop: Any, identifier: str, **more: Any) -> Any:
    wanted: Any = {"type": "cancel", "event_name": "calls", "cancel": {"identifier": identifier}}
    return shop.v1.billing.meter_event_adjustments.create(wanted | more)


def refused(shop: Any, identifier: str, **more: Any) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        cancel(shop, identifier, **more)
    return refusal.value


def counted(shop: Any, meter: str, customer: str) -> float:
    return float(shop.summaries(meter, customer, START - DAY_S, START + DAY_S).data[0].aggregated_value)


def test_an_adjustment_comes_back_pending_and_without_an_id(shop: Any, customer: str) -> None:
    shop.send(customer, identifier="row-1")
    assert cancel(shop, "row-1").to_dict(for_json=True) == {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": "row-1"},
        "event_name": "calls",
        "livemode": False,
        "status": "pending",
        "type": "cancel",
    }


def test_in_v2_it_has_an_id_and_an_instant(shop: Any, customer: str) -> None:
    shop.send(customer, identifier="row-1")
    wanted: Any = {"type": "cancel", "event_name": "calls", "cancel": {"identifier": "row-1"}}
    adjustment = shop.client.v2.billing.meter_event_adjustments.create(wanted)
    assert adjustment.id.startswith("mtr_event_adj_")
    assert (adjustment.object, adjustment.created) == ("v2.billing.meter_event_adjustment", "2027-01-15T08:00:00.000Z")


def test_a_cancelled_event_leaves_the_summaries_a_little_later(shop: Any, meter: str, customer: str) -> None:
    shop.send(customer, "5", identifier="row-1")
    shop.send(customer, "2", identifier="row-2")
    cancel(shop, "row-1")
    assert counted(shop, meter, customer) == 7
    advance(shop, 10)
    assert counted(shop, meter, customer) == 2


def test_summaries_see_a_cancellation_as_late_as_they_see_a_receipt(shop: Any, meter: str, customer: str) -> None:
    shop.settings(summary_lag_s=60, adjustment_delay_s=0)
    shop.send(customer, "5", identifier="row-1")
    advance(shop, 60)
    cancel(shop, "row-1")
    advance(shop, 59)
    before = counted(shop, meter, customer)
    advance(shop, 1)
    assert (before, counted(shop, meter, customer)) == (5, 0)


def test_without_a_delay_a_cancellation_is_complete_at_once(shop: Any, meter: str, customer: str) -> None:
    shop.settings(adjustment_delay_s=0)
    shop.send(customer, "5", identifier="row-1")
    assert cancel(shop, "row-1").status == "complete"
    assert counted(shop, meter, customer) == 0


def test_only_the_named_event_is_taken_back_of_those_of_one_second(shop: Any, meter: str, customer: str) -> None:
    shop.settings(adjustment_delay_s=0)
    for number in range(3):
        shop.send(customer, str(10**number), identifier=f"row-{number}")
    cancel(shop, "row-1")
    assert counted(shop, meter, customer) == 101


def test_an_event_sent_by_v2_is_cancelled_by_v1(shop: Any, meter: str, customer: str) -> None:
    payload = {"stripe_customer_id": customer, "value": "5"}
    wanted: Any = {"event_name": "calls", "identifier": "row-1", "payload": payload}
    shop.client.v2.billing.meter_events.create(wanted)
    cancel(shop, "row-1")
    advance(shop, 10)
    assert counted(shop, meter, customer) == 0


def test_the_event_before_counts_again_when_the_one_that_replaced_it_is_cancelled(shop: Any) -> None:
    meter, customer = shop.meter(event_time_window="day"), shop.customer()
    shop.send(customer, "5", identifier="row-1")
    shop.send(customer, "7", identifier="row-2")
    cancel(shop, "row-2")
    advance(shop, 10)
    assert counted(shop, meter, customer) == 5


def test_an_event_received_a_day_ago_cannot_be_cancelled(shop: Any, customer: str) -> None:
    shop.send(customer, identifier="row-1")
    advance(shop, DAY_S)
    assert "received in the last 24 hours" in str(refused(shop, "row-1"))


def test_what_counts_is_when_it_was_received(shop: Any, customer: str) -> None:
    shop.send(customer, identifier="row-1", timestamp=START - 30 * DAY_S)
    advance(shop, DAY_S - 1)
    assert cancel(shop, "row-1").status == "pending"


@pytest.mark.parametrize("event_name", ["calls", "unknown"])
def test_an_unknown_event_cannot_be_cancelled(shop: Any, customer: str, event_name: str) -> None:
    refusal = refused(shop, "row-1", event_name=event_name)
    assert (refusal.http_status, refusal.error.type) == (400, "invalid_request_error")


def test_an_event_of_another_meter_is_unknown(shop: Any, customer: str) -> None:
    shop.meter("other")
    shop.send(customer, identifier="row-1")
    assert refused(shop, "row-1", event_name="other").http_status == 400


def test_an_event_that_was_rejected_later_is_unknown(shop: Any, customer: str) -> None:
    shop.settings(customer_validation="later")
    shop.send("cus_stranger", identifier="row-1")
    assert "received in the last 24 hours" in str(refused(shop, "row-1"))


def test_in_v2_too_an_unknown_event_is_refused(shop: Any, customer: str) -> None:
    wanted: Any = {"type": "cancel", "event_name": "calls", "cancel": {"identifier": "row-1"}}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.client.v2.billing.meter_event_adjustments.create(wanted)
    assert refusal.value.http_status == 400


def test_a_jump_over_the_delay_carries_the_cancellation_out_in_its_time(shop: Any, meter: str, customer: str) -> None:
    shop.send(customer, "5", identifier="row-1")
    cancel(shop, "row-1")
    advance(shop, 30 * DAY_S)
    assert counted(shop, meter, customer) == 0


@pytest.mark.parametrize("seconds", [0, 10])
def test_an_event_cannot_be_cancelled_twice(shop: Any, customer: str, seconds: int) -> None:
    shop.send(customer, identifier="row-1")
    cancel(shop, "row-1")
    advance(shop, seconds)
    assert "already been cancelled" in str(refused(shop, "row-1"))


def test_what_cannot_be_cancelled_may_be_accepted_without_effect(shop: Any, meter: str, customer: str) -> None:
    shop.settings(adjustment_validation="silently")
    shop.send(customer, "5", identifier="row-1")
    assert [cancel(shop, identifier).status for identifier in ("row-2", "row-1", "row-1")] == ["pending"] * 3
    advance(shop, 10)
    assert counted(shop, meter, customer) == 0


def test_a_cancelled_identifier_stays_taken(shop: Any, customer: str) -> None:
    shop.send(customer, identifier="row-1")
    cancel(shop, "row-1")
    advance(shop, 10)
    assert "already exists" in str(shop.refused(customer, identifier="row-1"))


def test_a_cancelled_identifier_may_become_free(shop: Any, meter: str, customer: str) -> None:
    shop.settings(cancelled_identifier_is_taken=False)
    shop.send(customer, "5", identifier="row-1")
    cancel(shop, "row-1")
    advance(shop, 10)
    shop.send(customer, "3", identifier="row-1")
    assert counted(shop, meter, customer) == 3


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"type": "range"}, "type"),
        ({"cancel": {}}, "cancel[identifier]"),
        ({"cancel": {"identifier": ""}}, "cancel[identifier]"),
        ({"cancel": {"identifier": "x" * 101}}, "cancel[identifier]"),
        ({"event_name": ""}, "event_name"),
        ({"cancel": {"identifier": "row-1", "from": "1"}}, "cancel[from]"),
    ],
)
def test_a_malformed_adjustment_is_refused(shop: Any, customer: str, wanted: Any, param: str) -> None:
    assert refused(shop, "row-1", **wanted).param == param


@pytest.fixture
def subscription(shop: Any, meter: str, customer: str) -> str:
    return str(shop.subscription(customer, shop.price(meter, unit_amount=100).id).id)


def test_a_cancelled_event_leaves_the_coming_invoice(shop: Any, customer: str, subscription: str) -> None:
    shop.send(customer, "5", identifier="row-1")
    shop.send(customer, "2")
    cancel(shop, "row-1")
    advance(shop, 10)
    assert shop.v1.invoices.create_preview({"subscription": subscription}).total == 200


def test_a_cancelled_event_leaves_a_draft_before_it_is_final(shop: Any, customer: str, subscription: str) -> None:
    period_end = shop.v1.subscriptions.retrieve(subscription)["items"].data[0].current_period_end
    advance(shop, period_end - START - 60)
    shop.send(customer, "5", identifier="row-1")
    advance(shop, 120)
    cancel(shop, "row-1")
    advance(shop, 2 * 3_600)
    [invoice] = shop.v1.invoices.list({"customer": customer, "limit": 1}).data
    assert (invoice.status, invoice.total) == ("paid", 0)


def test_a_cancellation_after_finalization_changes_no_invoice(shop: Any, customer: str, subscription: str) -> None:
    period_end = shop.v1.subscriptions.retrieve(subscription)["items"].data[0].current_period_end
    advance(shop, period_end - START - 60)
    shop.send(customer, "5", identifier="row-1")
    advance(shop, 2 * 3_600)
    cancel(shop, "row-1")
    advance(shop, 60)
    [invoice] = shop.v1.invoices.list({"customer": customer, "limit": 1}).data
    assert (invoice.status, invoice.total) == ("paid", 500)
