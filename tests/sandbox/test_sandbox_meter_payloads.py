"""Payloads of meter events: values at their bounds, further keys as dimensions, and what no honest caller sends."""

from typing import Any

import pytest
import requests


@pytest.fixture
def customer(shop: Any) -> str:
    shop.meter()
    return str(shop.customer())


def with_dimension(customer: str, value: str) -> dict[str, str]:
    return {"stripe_customer_id": customer, "value": "1", "region": value}


def thin_events(shop: Any) -> list[Any]:
    kind = "v1.billing.meter.error_report_triggered"
    found = shop.client.v2.core.events.list().data
    return [shop.client.v2.core.events.retrieve(event.id) for event in found if event.type == kind]


def reported(shop: Any) -> list[Any]:
    """The errors that are told once the window is over, by code."""
    shop.sandbox.control("POST", "clock", advance=10)
    return [(each.code, each.error_count) for event in thin_events(shop) for each in event.data.reason.error_types]


@pytest.mark.parametrize("value", ["1e14", "1E-7", "1e+2", "-12.5e1"])
def test_an_exponent_that_is_allowed_is_a_number_like_another(shop: Any, customer: str, value: str) -> None:
    shop.settings(exponents_are_refused=False)
    assert shop.send(customer, value).payload["value"] == value


@pytest.mark.parametrize("value", ["1e15", "1e99", "1e999", "1e-99", "e3", "1e", "1e3e3", "1e1.5", "--1", "."])
def test_an_exponent_does_not_lift_the_limits_of_a_value(shop: Any, customer: str, value: str) -> None:
    shop.settings(exponents_are_refused=False)
    assert shop.refused(customer, value).param == "payload[value]"


def test_zeros_before_a_number_are_no_digits(shop: Any, customer: str) -> None:
    assert shop.send(customer, "000000123456789012345")
    assert shop.refused(customer, "1000000000000000").param == "payload[value]"


def test_a_value_of_endless_places_is_refused(shop: Any, customer: str) -> None:
    assert shop.refused(customer, f"0.{'0' * 4_000}1").param == "payload[value]"


def test_a_huge_value_is_not_sent_back_whole(shop: Any, customer: str) -> None:
    refusal = shop.refused(customer, "9" * 5_000)
    assert len(str(refusal)) < 300


def test_a_count_meter_counts_events_without_a_value(shop: Any) -> None:
    meter, customer = shop.meter(formula="count"), shop.customer()
    shop.send(customer, payload={"stripe_customer_id": customer})
    minute = shop.sandbox.now() // 60 * 60
    assert shop.summaries(meter, customer, minute - 60, minute + 120).data[0].aggregated_value == 1


@pytest.mark.parametrize("name", ["payload[value][deep]", "payload[stripe_customer_id][]", "payload[value][0]"])
def test_a_payload_value_that_is_no_string_is_refused(shop: Any, customer: str, name: str) -> None:
    answer = post(shop, {"event_name": "calls", "payload[stripe_customer_id]": customer, name: "1"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


def post(shop: Any, form: dict[str, str]) -> requests.Response:
    return requests.post(f"{shop.sandbox.url}/v1/billing/meter_events", data=form, auth=(shop.key, ""), timeout=20)


def test_a_payload_that_is_a_string_is_refused(shop: Any, customer: str) -> None:
    assert post(shop, {"event_name": "calls", "payload": "1"}).json()["error"]["param"] == "payload"


@pytest.mark.parametrize("size", [5_001, 200_000])
def test_a_huge_text_in_a_payload_is_refused(shop: Any, customer: str, size: int) -> None:
    assert shop.refused(customer, payload=with_dimension(customer, "x" * size)).http_status in (400, 413)


def test_an_unknown_parameter_is_refused(shop: Any, customer: str) -> None:
    assert shop.refused(customer, subject=customer).code == "parameter_unknown"


def test_a_payload_may_have_many_keys(shop: Any, customer: str) -> None:
    payload = {f"key_{number}": "x" for number in range(200)} | with_dimension(customer, "eu")
    assert shop.send(customer, payload=payload).payload["region"] == "eu"


def test_a_payload_may_be_limited_in_keys(shop: Any, customer: str) -> None:
    shop.settings(payload_keys_max=2)
    assert shop.send(customer)
    assert shop.refused(customer, payload=with_dimension(customer, "eu")).param == "payload"


@pytest.fixture
def still_shop(own_shop: Any) -> Any:
    own_shop.sandbox.control("POST", "clock", to=1_800_000_000, frozen=True)
    own_shop.meter()
    return own_shop


def test_a_customer_has_so_many_combinations_of_dimensions(still_shop: Any) -> None:
    still_shop.settings(dimensions_per_customer_max=2)
    customer = still_shop.customer()
    for value in ("a", "b", "c", "a"):
        still_shop.send(customer, payload=with_dimension(customer, value))
    still_shop.send(customer)
    assert reported(still_shop) == [("meter_event_dimension_count_too_high", 1)]


def test_another_customer_has_combinations_of_its_own(still_shop: Any) -> None:
    still_shop.settings(dimensions_per_customer_max=1)
    for value in ("a", "b"):
        customer = still_shop.customer()
        still_shop.send(customer, payload=with_dimension(customer, value))
    assert reported(still_shop) == []


def test_a_meter_has_so_many_combinations_an_hour(still_shop: Any) -> None:
    still_shop.settings(dimensions_per_meter_hour_max=1)
    for value in ("a", "b"):
        customer = still_shop.customer()
        still_shop.send(customer, payload=with_dimension(customer, value))
    assert reported(still_shop) == [("meter_event_dimension_count_too_high", 1)]


def test_the_next_hour_has_room_again(still_shop: Any) -> None:
    still_shop.settings(dimensions_per_meter_hour_max=1)
    for value in ("a", "b"):
        customer = still_shop.customer()
        still_shop.send(customer, payload=with_dimension(customer, value))
        still_shop.sandbox.control("POST", "clock", advance=3_600)
    assert reported(still_shop) == []


def test_combinations_may_be_without_limit(still_shop: Any) -> None:
    still_shop.settings(dimensions_per_customer_max=1, dimensions_are_limited=False)
    customer = still_shop.customer()
    for value in ("a", "b"):
        still_shop.send(customer, payload=with_dimension(customer, value))
    assert reported(still_shop) == []
