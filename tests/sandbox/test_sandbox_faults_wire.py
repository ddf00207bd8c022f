"""Faults of the wire: what a proxy, a network or a closed port does to a call, and what is applied all the same."""

import socket
import time
import urllib.error
from typing import Any

import pytest
import requests
import stripe

EVENTS = "/v1/billing/meter_events"


@pytest.fixture
def customer(shop: Any) -> str:
    shop.meter()
    return str(shop.customer())


@pytest.fixture
def own_customer(own_shop: Any) -> str:
    own_shop.meter()
    return str(own_shop.customer())


def test_a_gateways_502_is_html_without_a_request_id(shop: Any, customer: str) -> None:
    shop.fault("bad_gateway_before", times=1)
    refusal = shop.refused(customer)
    assert (refusal.http_status, refusal.request_id) == (502, None)
    assert refusal.http_body.startswith("<html>")
    assert shop.audit()["applied"] == 0


def test_a_502_after_applying_counts_and_leaves_the_key_free(shop: Any, customer: str) -> None:
    shop.fault("bad_gateway_after", times=1)
    assert shop.refused(customer, key="k", identifier="k").http_status == 502
    assert shop.audit()["applied"] == 1
    assert "already exists" in str(shop.refused(customer, key="k", identifier="k"))


def test_an_answer_behind_a_502_may_be_kept(shop: Any, customer: str) -> None:
    shop.settings(bad_gateway_keeps_the_answer=True)
    shop.fault("bad_gateway_after", times=1)
    shop.refused(customer, key="k", identifier="k")
    assert shop.send(customer, key="k", identifier="k").last_response.headers["Idempotent-Replayed"] == "true"


def test_a_500_may_be_kept_though_nothing_was_applied(shop: Any, customer: str) -> None:
    shop.fault("error_kept", times=1)
    answers = [shop.refused(customer, key="k", identifier="k") for _ in range(2)]
    assert [answer.http_status for answer in answers] == [500, 500]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert shop.audit()["applied"] == 0


def test_a_reset_connection_applies_nothing(shop: Any, customer: str) -> None:
    shop.fault("connection_reset", times=1)
    assert isinstance(shop.refused(customer, key="k"), stripe.APIConnectionError)
    assert shop.audit()["applied"] == 0
    assert "Idempotent-Replayed" not in shop.send(customer, key="k").last_response.headers


def test_a_truncated_answer_is_lost_and_counts(shop: Any, customer: str) -> None:
    shop.fault("truncated", times=1)
    assert isinstance(shop.refused(customer), stripe.APIConnectionError)
    assert shop.audit()["applied"] == 1
    assert [(call["fate"], call["applied"]) for call in shop.calls(EVENTS)] == [("lost", True)]


def test_a_slow_answer_comes_whole_at_its_pace(shop: Any, customer: str) -> None:
    shop.fault("slow_drip", bytes_per_s=500, times=1)
    started = time.monotonic()
    answer = shop.send(customer)
    assert answer.event_name == "calls"
    assert time.monotonic() - started >= len(answer.last_response.body) / 500 * 0.9


def test_nobody_listens_for_a_while_and_then_the_same_port_answers(own_shop: Any, own_customer: str) -> None:
    own_shop.fault("connection_refused", for_s=1.5, times=1)
    own_shop.refused(own_customer)
    host, port = own_shop.sandbox.url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=1).close()
    assert answers_again(own_shop.sandbox)["applied"] == 0
    assert own_shop.send(own_customer)


def test_kept_connections_are_closed_when_nobody_listens(own_shop: Any, own_customer: str) -> None:
    host, port = own_shop.sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as kept:
        kept.sendall(b"GET /v1/account HTTP/1.1\r\nHost: here\r\n\r\n")
        assert kept.recv(65_536).startswith(b"HTTP/1.1 401")
        own_shop.fault("connection_refused", for_s=0.1, times=1)
        own_shop.refused(own_customer)
        assert not kept.recv(1)
    assert answers_again(own_shop.sandbox)


def answers_again(sandbox: Any) -> Any:
    """The auditor's report, once the sandbox listens again."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            return sandbox.control("GET", "audit")
        except urllib.error.URLError:
            continue
    raise AssertionError("nobody listens")


def test_a_sandbox_told_to_end_in_an_outage_ends_at_once(start_sandbox: Any) -> None:
    with start_sandbox() as sandbox:
        sandbox.control("POST", "faults", kind="connection_refused", for_s=60)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{sandbox.url}/v1/account", timeout=5)
        sandbox.child.terminate()
        assert sandbox.child.wait(5) == 0


@pytest.mark.parametrize("distribution", ["fixed", "uniform", "exponential", "lognormal"])
def test_latency_of_every_distribution_is_bounded(shop: Any, distribution: str) -> None:
    shop.fault("latency", delay_s=100, delay_max_s=0.01, distribution=distribution)
    started = time.monotonic()
    assert shop.customer()
    assert time.monotonic() - started < 5


def test_a_call_given_up_by_its_caller_is_applied_all_the_same(shop: Any, customer: str) -> None:
    shop.fault("latency", delay_s=0.5, times=1)
    sent = {"event_name": "calls", "payload[stripe_customer_id]": customer, "payload[value]": "1"}
    with pytest.raises(requests.Timeout):
        requests.post(shop.sandbox.url + EVENTS, sent, auth=(shop.key, ""), timeout=0.1)
    deadline = time.monotonic() + 10
    while not shop.audit()["applied"]:
        assert time.monotonic() < deadline


def test_a_share_of_accepted_events_is_rejected_later(shop: Any, customer: str) -> None:
    shop.settings(validation_window_s=1)
    shop.fault("rejected_later", times=1, code="archived_meter")
    shop.send(customer, "5", identifier="a")
    shop.send(customer, "7", identifier="b")
    deadline = time.monotonic() + 10
    while not (audit := shop.audit())["rejected_later"]:
        assert time.monotonic() < deadline
    assert [total["value"] for total in audit["totals"]] == ["7"]
    assert [(each["identifier"], each["value"]) for each in audit["rejected_later"]] == [("a", "5")]
