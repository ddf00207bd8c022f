"""Faults on demand, each as a caller meets it."""

import time
from typing import Any

import pytest
import requests
import stripe


@pytest.fixture
def customer(shop: Any) -> str:
    shop.meter()
    return str(shop.customer())


def test_the_limiter_names_its_reason_in_a_header(shop: Any, customer: str) -> None:
    shop.fault("rate_limited", reason="endpoint-rate")
    refusal = shop.refused(customer)
    assert isinstance(refusal, stripe.RateLimitError)
    assert (refusal.http_status, refusal.error.code) == (429, "rate_limit")
    assert refusal.headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
    assert "Retry-After" not in refusal.headers


def test_a_limiter_may_keep_its_reason_to_itself(shop: Any, customer: str) -> None:
    shop.fault("rate_limited")
    assert "Stripe-Rate-Limited-Reason" not in shop.refused(customer).headers


def test_a_lock_timeout_asks_to_be_tried_again(shop: Any, customer: str) -> None:
    shop.fault("lock_timeout")
    refusal = shop.refused(customer)
    assert (refusal.http_status, refusal.error.code) == (429, "lock_timeout")
    assert refusal.headers["Stripe-Should-Retry"] == "true"


def test_a_conflict_counts_nothing(shop: Any, customer: str) -> None:
    shop.fault("conflict")
    assert shop.refused(customer).http_status == 409
    assert shop.audit()["applied"] == 0


def test_a_key_may_be_refused_for_a_while(shop: Any, customer: str) -> None:
    shop.fault("unauthorized", times=1)
    assert shop.refused(customer).http_status == 401
    assert shop.send(customer)


def test_an_error_before_applying_counts_nothing(shop: Any, customer: str) -> None:
    shop.fault("error_before", times=1)
    refusal = shop.refused(customer)
    assert (refusal.http_status, refusal.error.type) == (500, "api_error")
    assert shop.audit()["applied"] == 0


def test_an_error_after_applying_counts_all_the_same(shop: Any, customer: str) -> None:
    shop.fault("error_after", times=1)
    assert shop.refused(customer).http_status == 500
    assert shop.audit()["applied"] == 1


def test_a_lost_reply_counts_and_says_nothing(shop: Any, customer: str) -> None:
    shop.fault("reply_lost", times=1)
    assert isinstance(shop.refused(customer, key="k", identifier="k"), stripe.APIConnectionError)
    assert shop.audit()["applied"] == 1
    assert shop.send(customer, key="k", identifier="k").last_response.headers["Idempotent-Replayed"] == "true"


def test_latency_delays_the_answer(shop: Any, customer: str) -> None:
    shop.fault("latency", delay_s=0.3)
    started = time.monotonic()
    shop.send(customer)
    assert time.monotonic() - started >= 0.3


def test_a_fault_keeps_to_its_path(shop: Any, customer: str) -> None:
    shop.fault("error_before", path="/v1/billing/meter_events")
    assert shop.customer()
    assert shop.refused(customer).http_status == 500


def test_a_fault_with_a_count_ends_by_itself(shop: Any, customer: str) -> None:
    shop.fault("error_before", times=2)
    assert [shop.refused(customer).http_status for _ in range(2)] == [500, 500]
    assert shop.send(customer)


def test_cleared_faults_are_gone(shop: Any, customer: str) -> None:
    shop.fault("error_before")
    shop.sandbox.control("DELETE", "faults", account=shop.account)
    assert shop.send(customer)


def test_a_share_strikes_that_share_of_the_calls_the_same_way_for_the_same_seed(shop: Any) -> None:
    drawn = [struck(shop, calls=60, seed=7), struck(shop, calls=60, seed=7)]
    assert drawn[0] == drawn[1]
    assert 10 <= sum(drawn[0]) <= 26


def struck(shop: Any, *, calls: int, seed: int) -> list[bool]:
    """Which of these calls a fault with a share of 0.3 struck."""
    before = len(shop.calls("/v1/account"))
    shop.fault("lock_timeout", share=0.3, seed=seed, path="/v1/account")
    for _ in range(calls):
        requests.get(f"{shop.sandbox.url}/v1/account", auth=(shop.key, ""), timeout=10)
    shop.sandbox.control("DELETE", "faults", account=shop.account)
    return [call["status"] == 429 for call in shop.calls("/v1/account")[before:]]


def test_the_limiter_comes_before_authentication(shop: Any) -> None:
    shop.sandbox.control("POST", "faults", kind="rate_limited", account="", path="/v1/nowhere", times=1)
    url = f"{shop.sandbox.url}/v1/nowhere"
    answers = [requests.get(url, auth=("sk_test_stranger", ""), timeout=10) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [429, 401]


def test_authentication_comes_before_idempotency(shop: Any, customer: str) -> None:
    shop.send(customer, key="k")
    shop.fault("unauthorized", times=1)
    assert shop.refused(customer, key="k").http_status == 401
