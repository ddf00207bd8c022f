"""Which calls a fault strikes, how it is listed and removed, and which faults cannot be."""

import urllib.error
from typing import Any

import pytest
import requests
import stripe

from sandbox.calls.fault_kinds import KINDS, REASONS
from sandbox.calls.faults import Fault


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_limiter_stands_in_its_header(shop: Any, reason: str) -> None:
    shop.fault("rate_limited", reason=reason, times=1)
    with pytest.raises(stripe.RateLimitError) as refusal:
        shop.customer()
    assert refusal.value.headers["Stripe-Rate-Limited-Reason"] == reason


@pytest.mark.parametrize("kind", ["invalid_request_error", "rate_limit_error"])
def test_the_type_of_a_429_is_a_switch(shop: Any, kind: str) -> None:
    shop.settings(rate_limit_error_type=kind)
    shop.fault("rate_limited", times=1)
    with pytest.raises(stripe.RateLimitError) as refusal:
        shop.customer()
    assert refusal.value.error.type == kind


def test_a_429_may_say_when_to_come_again(shop: Any) -> None:
    shop.settings(rate_limit_retry_after_s=3)
    shop.fault("rate_limited", times=1)
    with pytest.raises(stripe.RateLimitError) as refusal:
        shop.customer()
    assert refusal.value.headers["Retry-After"] == "3"


def test_the_list_tells_how_often_a_fault_struck(own_shop: Any) -> None:
    own_shop.fault("lock_timeout", times=5)
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError):
            own_shop.customer()
    listed = own_shop.sandbox.control("GET", "faults")["data"]
    assert [(fault["struck"], fault["times"]) for fault in listed] == [(2, 3)]


def test_one_fault_is_removed_by_its_id(own_sandbox: Any) -> None:
    ids = [own_sandbox.control("POST", "faults", kind=kind)["id"] for kind in ("conflict", "latency")]
    left = own_sandbox.control("DELETE", "faults", id=ids[0])["data"]
    assert [fault["id"] for fault in left] == [ids[1]]


def test_a_fault_may_be_of_one_method(shop: Any) -> None:
    shop.fault("error_before", method="GET")
    assert shop.customer()
    with pytest.raises(stripe.APIError):
        shop.v1.customers.list()


def test_what_strikes_one_account_does_not_depend_on_the_calls_of_others() -> None:
    alone, among_others = Fault(kind="conflict", share=0.5), Fault(kind="conflict", share=0.5)
    undisturbed = [alone.strikes(method="GET", path="/v1/x", account="a") for _ in range(50)]
    disturbed = []
    for _ in range(50):
        among_others.strikes(method="GET", path="/v1/x", account="b")
        disturbed.append(among_others.strikes(method="GET", path="/v1/x", account="a"))
    assert undisturbed == disturbed
    assert {*undisturbed} == {True, False}


def test_latency_is_drawn_the_same_way_for_the_same_seed() -> None:
    one, other = (Fault(kind="latency", delay_s=1, distribution="lognormal", seed=5) for _ in range(2))
    drawn = [one.drawn_delay_s("a") for _ in range(20)]
    assert drawn == [other.drawn_delay_s("a") for _ in range(20)]
    assert len({*drawn}) == 20


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"kind": "earthquake"}, "kind"),
        ({"kind": ["latency"]}, "kind"),
        ({}, "kind"),
        ({"kind": "latency", "delay_s": -1}, "delay_s"),
        ({"kind": "latency", "delay_s": "1"}, "delay_s"),
        ({"kind": "latency", "distribution": "cauchy"}, "distribution"),
        ({"kind": "latency", "share": True}, "share"),
        ({"kind": "latency", "times": -1}, "times"),
        ({"kind": "latency", "times": 1.5}, "times"),
        ({"kind": "latency", "path": 7}, "path"),
        ({"kind": "latency", "reason": "global-rate"}, "reason"),
        ({"kind": "rate_limited", "reason": "mood"}, "reason"),
        ({"kind": "slow_drip", "bytes_per_s": 0}, "bytes_per_s"),
        ({"kind": "rejected_later", "code": "mood"}, "code"),
        ({"kind": "latency", "struck": 3}, "struck"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_its_field(shared_sandbox: Any, asked: Any, field: str) -> None:
    answer = requests.post(f"{shared_sandbox.url}/_sandbox/faults", json=asked, timeout=10)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_fault_that_is_not_there_cannot_be_removed(shared_sandbox: Any) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        shared_sandbox.control("DELETE", "faults", id="fault_0")


def test_every_kind_of_fault_is_told_with_a_sentence(shared_sandbox: Any) -> None:
    told = {kind["kind"]: kind["says"] for kind in shared_sandbox.control("GET", "")["faults"]}
    assert told.keys() == KINDS.keys()
    assert all(says.endswith(".") for says in told.values())
