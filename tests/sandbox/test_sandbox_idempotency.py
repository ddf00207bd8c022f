"""Idempotency-Keys of v1: replayed, refused or forgotten."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

DAY_S = 86_400


@pytest.fixture
def customer(shop: Any) -> str:
    shop.meter()
    return str(shop.customer())


def test_the_same_key_replays_the_first_answer_and_counts_once(shop: Any, customer: str) -> None:
    first = shop.send(customer, key="k", identifier="k")
    again = shop.send(customer, key="k", identifier="k")
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.body == first.last_response.body
    assert shop.audit()["applied"] == 1


def test_another_key_with_the_same_identifier_is_refused(shop: Any, customer: str) -> None:
    shop.send(customer, key="k1", identifier="row")
    assert "already exists" in str(shop.refused(customer, key="k2", identifier="row"))


def test_a_key_with_other_parameters_is_an_idempotency_error(shop: Any, customer: str) -> None:
    shop.send(customer, "1", key="k")
    refusal = shop.refused(customer, "2", key="k")
    assert isinstance(refusal, stripe.IdempotencyError)
    assert refusal.http_status == 400


def test_a_key_in_flight_is_a_conflict(shop: Any, pool: ThreadPoolExecutor) -> None:
    shop.fault("latency", delay_s=1)
    calls = [pool.submit(shop.v1.customers.create, {}, {"idempotency_key": "k"}) for _ in range(2)]
    refusals = [error for call in calls if (error := call.exception())]
    assert [(error.http_status, error.error.code) for error in refusals] == [(409, "idempotency_key_in_use")]


def test_a_500_after_applying_is_replayed_as_a_500(shop: Any, customer: str) -> None:
    shop.fault("error_after", times=1)
    first = shop.refused(customer, key="k", identifier="k")
    again = shop.refused(customer, key="k", identifier="k")
    assert [first.http_status, again.http_status] == [500, 500]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert shop.audit()["applied"] == 1


@pytest.mark.parametrize(("says_so", "header"), [(True, "false"), (False, None)])
def test_a_500_that_would_only_be_replayed_may_say_not_to_retry(
    shop: Any, customer: str, says_so: Any, header: Any
) -> None:
    shop.settings(kept_errors_say_not_to_retry=says_so)
    shop.fault("error_kept", times=1)
    for _ in range(2):
        assert shop.refused(customer, key="k").headers.get("Stripe-Should-Retry") == header


def test_a_500_that_leaves_the_key_free_does_not_say_not_to_retry(shop: Any, customer: str) -> None:
    shop.fault("error_before", times=1)
    assert "Stripe-Should-Retry" not in shop.refused(customer, key="k").headers


def test_a_500_before_applying_leaves_the_key_free(shop: Any, customer: str) -> None:
    shop.fault("error_before", times=1, path="/v1/billing/meter_events")
    assert shop.refused(customer, key="k").http_status == 500
    assert "Idempotent-Replayed" not in shop.send(customer, key="k").last_response.headers


@pytest.mark.parametrize("kind", ["rate_limited", "unauthorized", "lock_timeout", "conflict"])
def test_a_refusal_before_execution_leaves_the_key_free(shop: Any, customer: str, kind: str) -> None:
    shop.fault(kind, times=1, path="/v1/billing/meter_events")
    shop.refused(customer, key="k")
    assert "Idempotent-Replayed" not in shop.send(customer, key="k").last_response.headers


def test_a_validation_error_leaves_the_key_free(shop: Any, customer: str) -> None:
    shop.refused(customer, key="k", timestamp="soon")
    assert "Idempotent-Replayed" not in shop.send(customer, key="k").last_response.headers


def test_a_refusal_of_the_endpoint_is_replayed(shop: Any, customer: str) -> None:
    shop.refused("cus_stranger", key="k")
    assert shop.refused("cus_stranger", key="k").headers["Idempotent-Replayed"] == "true"


def test_a_key_is_forgotten_after_24_hours_and_executes_anew(own_shop: Any) -> None:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    first = own_shop.v1.customers.create({}, {"idempotency_key": "k"})
    own_shop.sandbox.control("POST", "clock", advance=DAY_S - 1)
    within = own_shop.v1.customers.create({}, {"idempotency_key": "k"})
    own_shop.sandbox.control("POST", "clock", advance=1)
    after = own_shop.v1.customers.create({}, {"idempotency_key": "k"})
    assert within.id == first.id
    assert after.id != first.id


def test_the_window_of_keys_is_a_setting(own_shop: Any) -> None:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    own_shop.settings(idempotency_window_s=60)
    first = own_shop.v1.customers.create({}, {"idempotency_key": "k"})
    own_shop.sandbox.control("POST", "clock", advance=60)
    assert own_shop.v1.customers.create({}, {"idempotency_key": "k"}).id != first.id


def test_a_stored_500_is_replayed_while_the_event_it_hid_is_counted(shop: Any, customer: str) -> None:
    shop.fault("error_after", times=1)
    refusals = [shop.refused(customer, key="k", identifier="row") for _ in range(2)]
    assert [refusal.http_status for refusal in refusals] == [500, 500]
    assert "already exists" in str(shop.refused(customer, key="k2", identifier="row"))
    assert (shop.audit()["applied"], shop.audit()["applied_twice"]) == (1, [])


def test_a_lost_reply_is_found_again_under_its_key(shop: Any, customer: str) -> None:
    shop.fault("reply_lost", times=1)
    assert isinstance(shop.refused(customer, key="k", identifier="row"), stripe.APIConnectionError)
    again = shop.send(customer, key="k", identifier="row")
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert "already exists" in str(shop.refused(customer, identifier="row"))
    assert shop.audit()["applied"] == 1


def test_once_key_and_identifier_are_forgotten_a_repeat_counts_twice(own_shop: Any) -> None:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    own_shop.meter()
    customer, now = own_shop.customer(), own_shop.sandbox.now()
    own_shop.send(customer, key="k", identifier="row", timestamp=now)
    own_shop.sandbox.control("POST", "clock", advance=DAY_S)
    own_shop.send(customer, key="k", identifier="row", timestamp=now)
    assert own_shop.audit()["applied_twice"] == ["row"]


def test_a_key_means_nothing_to_a_delete_of_v1(shop: Any) -> None:
    made = shop.v1.webhook_endpoints.create({"url": "https://example.com", "enabled_events": ["*"]})
    shop.v1.webhook_endpoints.delete(made.id, {}, {"idempotency_key": "k"})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.webhook_endpoints.delete(made.id, {}, {"idempotency_key": "k"})
    assert (refusal.value.http_status, "Idempotent-Replayed" in refusal.value.headers) == (404, False)


def test_a_key_longer_than_255_characters_is_refused(shop: Any, customer: str) -> None:
    assert shop.refused(customer, key="k" * 256).http_status == 400


def test_keys_of_one_account_mean_nothing_to_another(shop: Any, live_shop: Any) -> None:
    one = shop.v1.customers.create({}, {"idempotency_key": "k"})
    other = live_shop.v1.customers.create({}, {"idempotency_key": "k"})
    assert one.id != other.id
