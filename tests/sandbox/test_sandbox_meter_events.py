"""Meter events, v1: what is accepted, what is refused and in which words."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError

import pytest
import stripe

DAY_S = 86_400


@pytest.fixture
def customer(shop: Any) -> str:
    shop.meter()
    return str(shop.customer())


def test_an_accepted_meter_event_comes_back_without_an_id(shop: Any, customer: str) -> None:
    event = shop.send(customer, "5", identifier="one", timestamp=shop.sandbox.now())
    assert event.to_dict(for_json=True).keys() == {
        "object", "created", "event_name", "identifier", "livemode", "payload", "timestamp",
    }  # fmt: skip
    assert event.payload["value"] == "5"


def test_an_identifier_is_made_where_none_is_given(shop: Any, customer: str) -> None:
    assert shop.send(customer).identifier != shop.send(customer).identifier


def test_a_duplicate_identifier_is_a_400_without_code_that_is_not_to_be_retried(shop: Any, customer: str) -> None:
    shop.send(customer, identifier="row-1")
    refusal = shop.refused(customer, identifier="row-1")
    assert (refusal.http_status, refusal.error.type, refusal.code) == (400, "invalid_request_error", None)
    assert refusal.user_message == "An event already exists with identifier row-1."
    assert refusal.headers["Stripe-Should-Retry"] == "false"


def test_an_identifier_is_taken_for_all_customers_of_the_account(shop: Any, customer: str) -> None:
    shop.send(customer, identifier="row-1")
    assert "already exists" in str(shop.refused(shop.customer(), identifier="row-1"))


def test_an_identifier_is_forgotten_after_24_hours_and_counts_again(own_shop: Any) -> None:
    own_shop.meter()
    customer = own_shop.customer()
    own_shop.sandbox.control("POST", "clock", frozen=True)
    own_shop.send(customer, identifier="row-1")
    own_shop.sandbox.control("POST", "clock", advance=DAY_S - 1)
    assert "already exists" in str(own_shop.refused(customer, identifier="row-1"))
    own_shop.sandbox.control("POST", "clock", advance=1)
    own_shop.send(customer, identifier="row-1")
    assert own_shop.audit()["applied_twice"] == ["row-1"]


def test_a_timestamp_older_than_35_days_is_refused_in_stripes_words(own_shop: Any) -> None:
    own_shop.meter()
    now = own_shop.sandbox.control("POST", "clock", frozen=True)["now"]
    refusal = own_shop.refused(own_shop.customer(), timestamp=now - 35 * DAY_S - 1)
    assert (refusal.http_status, refusal.code) == (400, None)
    assert refusal.user_message == (
        "The event timestamp cannot be more than 35 days in past. "
        f"Expected a timestamp greater than or equal to {now - 35 * DAY_S}."
    )


@pytest.mark.parametrize("seconds", [-35 * DAY_S, 300])
def test_a_timestamp_at_the_edge_of_the_window_is_accepted(own_shop: Any, seconds: int) -> None:
    own_shop.meter()
    now = own_shop.sandbox.control("POST", "clock", frozen=True)["now"]
    assert own_shop.send(own_shop.customer(), timestamp=now + seconds).timestamp == now + seconds


def test_a_timestamp_more_than_five_minutes_ahead_is_refused(shop: Any, customer: str) -> None:
    refusal = shop.refused(customer, timestamp=shop.sandbox.now() + 400)
    assert "5 minutes in the future" in str(refusal)


def test_without_a_timestamp_the_moment_of_receipt_counts(own_shop: Any) -> None:
    own_shop.meter()
    now = own_shop.sandbox.control("POST", "clock", frozen=True)["now"]
    assert own_shop.send(own_shop.customer()).timestamp == now


@pytest.mark.parametrize("value", ["0", "-3", "+3", "0.000000000001", "1.", ".5", "123456789012345", "-0.5"])
def test_whole_decimal_and_negative_values_are_accepted(shop: Any, customer: str, value: str) -> None:
    assert shop.send(customer, value).payload["value"] == value


@pytest.mark.parametrize("value", ["1234567890123456", "1.234567890123456", "-1000000000000000"])
def test_more_than_15_digits_are_refused(shop: Any, customer: str, value: str) -> None:
    expected = f"The value in the event payload can have at most 15 digits. Received `{value}`."
    assert shop.refused(customer, value).user_message == expected


@pytest.mark.parametrize("value", ["abc", "NaN", "Infinity", "1,5", "", " 1", "1e3", "0x10", "١"])  # noqa: RUF001
def test_what_is_no_plain_number_is_refused(shop: Any, customer: str, value: str) -> None:
    assert shop.refused(customer, value).http_status == 400


def test_an_exponent_can_be_allowed(shop: Any, customer: str) -> None:
    shop.settings(exponents_are_refused=False)
    shop.send(customer, "1e3")
    assert shop.audit()["totals"][0]["value"] == "1000"


def test_an_unknown_event_name_is_refused(shop: Any) -> None:
    refusal = shop.refused(shop.customer())
    assert (refusal.http_status, refusal.code) == (400, None)
    assert "No active meter found" in str(refusal)


def test_an_inactive_meter_takes_nothing_more(shop: Any) -> None:
    shop.v1.billing.meters.deactivate(shop.meter())
    assert "No active meter found" in str(shop.refused(shop.customer()))


def test_a_deleted_customer_is_unknown(shop: Any, customer: str) -> None:
    shop.v1.customers.delete(customer)
    assert f"No such customer: '{customer}'" in str(shop.refused(customer))


@pytest.mark.parametrize("name", ["identifier_scope", "meter_validation", "report_request_names"])
def test_a_switch_takes_no_other_answer(shop: Any, name: str) -> None:
    with pytest.raises(HTTPError) as refusal:
        shop.settings(**{name: "perhaps"})
    assert refusal.value.code == 400
    refusal.value.close()


def test_an_unknown_customer_is_refused_at_once(shop: Any, customer: str) -> None:
    assert "No such customer: 'cus_stranger'" in str(shop.refused("cus_stranger"))


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"value": "1"}, "Customer mapping key stripe_customer_id not found in payload."),
        ({"stripe_customer_id": "cus_x"}, "No such customer"),
        ({}, "Missing required param: payload."),
    ],
)
def test_a_payload_that_lacks_something_is_refused(shop: Any, customer: str, payload: Any, message: str) -> None:
    assert message in str(shop.refused(customer, payload=payload))


def test_a_payload_without_value_is_refused(shop: Any, customer: str) -> None:
    assert "Value key value not found" in str(shop.refused(customer, payload={"stripe_customer_id": customer}))


def test_a_missing_event_name_is_a_missing_parameter(shop: Any, customer: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.billing.meter_events.create({"payload": {"value": "1"}})
    assert (refusal.value.code, refusal.value.param) == ("parameter_missing", "event_name")


@pytest.mark.parametrize("name", ["identifier", "event_name"])
def test_a_name_of_more_than_100_characters_is_refused(shop: Any, customer: str, name: str) -> None:
    refusal = shop.refused(customer, **{name: "x" * 101})
    assert "at most 100 characters" in str(refusal)


def test_a_timestamp_that_is_no_integer_is_refused(shop: Any, customer: str) -> None:
    assert shop.refused(customer, timestamp="2026-11-20").code == "parameter_invalid_integer"


def test_a_meter_reads_its_own_payload_keys(shop: Any) -> None:
    customer = shop.customer()
    shop.meter(
        "tokens",
        customer_mapping={"type": "by_id", "event_payload_key": "who"},
        value_settings={"event_payload_key": "tokens"},
    )
    shop.send(customer, event_name="tokens", payload={"who": customer, "tokens": "7"})
    [total] = shop.audit()["totals"]
    assert (total["customer"], total["event_name"], total["value"]) == (customer, "tokens", "7")


def test_a_second_call_for_the_same_customer_and_meter_is_a_conflict(
    shop: Any, customer: str, pool: ThreadPoolExecutor
) -> None:
    shop.fault("latency", delay_s=1)
    first, second = pool.submit(shop.send, customer), pool.submit(shop.send, customer)
    refusals = [error for call in (first, second) if (error := call.exception())]
    assert [(error.http_status, error.error.code) for error in refusals] == [(409, "too_many_concurrent_requests")]


def test_calls_for_different_customers_do_not_wait_for_each_other(
    shop: Any, customer: str, pool: ThreadPoolExecutor
) -> None:
    shop.fault("latency", delay_s=0.3)
    calls = [pool.submit(shop.send, who) for who in (customer, shop.customer())]
    assert [call.exception() for call in calls] == [None, None]


def test_a_conflict_may_be_answered_as_a_lock_timeout(shop: Any, customer: str, pool: ThreadPoolExecutor) -> None:
    shop.settings(lane_conflict="lock_timeout")
    shop.fault("latency", delay_s=1)
    calls = [pool.submit(shop.send, customer) for _ in range(2)]
    refusals = [error for call in calls if (error := call.exception())]
    assert [(error.http_status, error.error.code) for error in refusals] == [(429, "lock_timeout")]
