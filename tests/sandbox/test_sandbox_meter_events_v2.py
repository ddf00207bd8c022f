"""Meter events, v2: the same checks as v1's, told by documented codes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

DAY_S = 86_400


def stripe_time(instant: int) -> str:
    """Without its offset."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.fixture
def customer(shop: Any) -> str:
    shop.meter()
    return str(shop.customer())


@pytest.fixture
def send(shop: Any) -> Any:
    """Sends one meter event of the meter `calls`."""

    def sent(payload: Any, **more: Any) -> Any:
        return shop.client.v2.billing.meter_events.create({"event_name": "calls", "payload": payload} | more)

    return sent


def paid_by(customer: str, value: str = "1") -> dict[str, str]:
    return {"stripe_customer_id": customer, "value": value}


def refused(act: Any, *arguments: Any, **more: Any) -> stripe.StripeError:
    with pytest.raises(stripe.StripeError) as refusal:
        act(*arguments, **more)
    return refusal.value


def told(refusal: Any) -> tuple[int, str]:
    return refusal.http_status, refusal.error.code


def test_an_accepted_event_comes_back_with_rfc_3339_instants(own_shop: Any) -> None:
    own_shop.meter()
    now = own_shop.sandbox.control("POST", "clock", to=1_800_000_000, frozen=True)["now"]
    wanted: Any = {"event_name": "calls", "payload": paid_by(own_shop.customer()), "identifier": "one"}
    event = own_shop.client.v2.billing.meter_events.create(wanted).to_dict(for_json=True)
    assert event.keys() == {"object", "created", "event_name", "identifier", "livemode", "payload", "timestamp"}
    assert (event["object"], now) == ("v2.billing.meter_event", 1_800_000_000)
    assert event["created"] == event["timestamp"] == "2027-01-15T08:00:00.000Z"


def test_an_event_of_v2_is_counted_with_those_of_v1(shop: Any, send: Any) -> None:
    meter, customer = shop.meter(), shop.customer()
    shop.send(customer, "2")
    send(paid_by(customer, "0.5"))
    minute = shop.sandbox.now() // 60 * 60
    assert shop.summaries(meter, customer, minute - 600, minute + 600).data[0].aggregated_value == 2.5


@pytest.mark.parametrize("stamp", ["{}Z", "{}.250Z", "{}+00:00"])
def test_a_timestamp_is_an_rfc_3339_string(send: Any, shop: Any, customer: str, stamp: str) -> None:
    began = stripe_time(shop.sandbox.now() - 60)
    assert send(paid_by(customer), timestamp=stamp.format(began)).timestamp == f"{began}.000Z"


@pytest.mark.parametrize("stamp", ["1790000000", "2026-11-20", "2026-11-20T00:00:00", "yesterday", "2026-13-01T00:00Z"])
def test_a_timestamp_that_is_no_instant_is_refused(send: Any, customer: str, stamp: str) -> None:
    refusal = refused(send, paid_by(customer), timestamp=stamp)
    assert refusal.http_status == 400
    assert "timestamp" in str(refusal)


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1969-12-31T23:59:59Z"])
def test_an_instant_of_another_age_is_refused_even_where_time_is_checked_later(
    shop: Any, send: Any, customer: str, stamp: str
) -> None:
    shop.settings(time_validation="later")
    assert refused(send, paid_by(customer), timestamp=stamp).http_status == 400


def test_an_inactive_meter_is_archived_meter(shop: Any, send: Any) -> None:
    shop.v1.billing.meters.deactivate(shop.meter())
    assert told(refused(send, paid_by(shop.customer()))) == (400, "archived_meter")


def test_a_taken_identifier_is_duplicate_meter_event(send: Any, customer: str) -> None:
    send(paid_by(customer), identifier="row-1")
    assert told(refused(send, paid_by(customer), identifier="row-1")) == (400, "duplicate_meter_event")


def test_an_identifier_of_v1_is_taken_in_v2_too(shop: Any, send: Any, customer: str) -> None:
    shop.send(customer, identifier="row-1")
    assert told(refused(send, paid_by(customer), identifier="row-1")) == (400, "duplicate_meter_event")


def test_an_unknown_event_name_is_no_meter(shop: Any, send: Any) -> None:
    assert told(refused(send, paid_by(shop.customer()))) == (400, "no_meter")


@pytest.mark.parametrize("value", ["abc", "", "1e3", "1234567890123456", "NaN"])
def test_a_wrong_value_is_payload_invalid_value(send: Any, customer: str, value: str) -> None:
    assert told(refused(send, paid_by(customer, value))) == (400, "payload_invalid_value")


def test_a_payload_without_customer_is_payload_no_customer_defined(send: Any, customer: str) -> None:
    assert told(refused(send, {"value": "1"})) == (400, "payload_no_customer_defined")


def test_a_payload_without_value_is_payload_no_value_defined(send: Any, customer: str) -> None:
    assert told(refused(send, {"stripe_customer_id": customer})) == (400, "payload_no_value_defined")


def test_a_second_call_for_the_same_customer_and_meter_is_too_many_concurrent_requests(
    shop: Any, send: Any, customer: str, pool: ThreadPoolExecutor
) -> None:
    shop.fault("latency", path="/v*/billing/meter_events", delay_s=1)
    calls = pool.submit(send, paid_by(customer)), pool.submit(shop.send, customer)
    refusals = [told(error) for call in calls if (error := call.exception())]
    assert refusals == [(409, "too_many_concurrent_requests")]


@pytest.mark.parametrize(
    ("seconds", "code"), [(-36 * DAY_S, "timestamp_too_far_in_past"), (400, "timestamp_in_future")]
)
def test_a_timestamp_outside_of_the_window_has_the_code_of_the_reports(
    shop: Any, send: Any, customer: str, seconds: int, code: str
) -> None:
    stamp = f"{stripe_time(shop.sandbox.now() + seconds)}Z"
    assert told(refused(send, paid_by(customer), timestamp=stamp)) == (400, code)


def test_an_unknown_customer_has_the_code_of_the_reports(send: Any, customer: str) -> None:
    assert told(refused(send, paid_by("cus_stranger"))) == (400, "meter_event_customer_not_found")


@pytest.mark.parametrize("payload", [{"stripe_customer_id": ["a"]}, {"value": {"a": "b"}}, {}, {"value": 5}, []])
def test_a_payload_that_is_no_map_of_strings_is_refused(send: Any, customer: str, payload: Any) -> None:
    assert refused(send, payload).http_status == 400
