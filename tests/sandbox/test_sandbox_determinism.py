"""The same seed and the same calls give the same answers, byte for byte but for the date."""

import http.client
from typing import Any
from urllib.parse import urlencode

import pytest

START = ("--seed", "11", "--clock", "2026-01-31T00:00:00Z", "--speed", "0")
KEY = "Bearer sk_test_sandbox"
FORM = "application/x-www-form-urlencoded"


def event(value: str, **more: str) -> dict[str, str]:
    return {"event_name": "calls", "payload[stripe_customer_id]": "cus_none", "payload[value]": value, **more}


SCRIPT: list[tuple[str, str, dict[str, str], dict[str, str]]] = [
    ("POST", "/v1/customers", {"name": "Ada", "metadata[b]": "1", "metadata[a]": "2"}, {"Idempotency-Key": "k"}),
    ("POST", "/v1/customers", {"name": "Ada", "metadata[b]": "1", "metadata[a]": "2"}, {"Idempotency-Key": "k"}),
    ("POST", "/v1/customers", {"name": "Bob"}, {"Idempotency-Key": "k"}),
    (
        "POST",
        "/v1/billing/meters",
        {"display_name": "calls", "event_name": "calls", "default_aggregation[formula]": "sum"},
        {},
    ),
    ("POST", "/v1/billing/meter_events", event("1", identifier="row"), {}),
    ("POST", "/v1/billing/meter_events", event("x"), {}),
    ("GET", "/v1/billing/meters?limit=1", {}, {}),
    ("GET", "/v1/events", {}, {}),
    ("GET", "/v1/customers/cus_none", {}, {}),
    ("GET", "/v1/nowhere", {}, {}),
    ("POST", "/_sandbox/faults", {}, {}),
    ("POST", "/v2/billing/meter_events", {}, {}),
    *[("GET", "/v1/account", {}, {})] * 20,
]


def answers(url: str) -> list[tuple[int, list[tuple[str, str]], bytes]]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    found = []
    for method, path, fields, headers in SCRIPT:
        typed = {"Authorization": KEY, "Content-Type": FORM} | headers
        connection.request(method, path, urlencode(fields) or None, typed)
        answer = connection.getresponse()
        kept = [(name, value) for name, value in answer.getheaders() if name != "Date"]
        found.append((answer.status, kept, answer.read()))
    connection.close()
    return found


@pytest.fixture
def told_by_two(start_sandbox: Any) -> Any:
    """What two sandboxes of one seed answered to the script, with a fault that strikes some calls."""
    with start_sandbox(*START) as one, start_sandbox(*START) as other:
        for sandbox in (one, other):
            sandbox.control("POST", "faults", kind="lock_timeout", share=0.5, seed=3, path="/v1/account")
        other.shop().http.close()  # another account, which is none of this one's business
        return answers(one.url), answers(other.url)


def test_two_sandboxes_of_one_seed_answer_the_same_byte_for_byte(told_by_two: Any) -> None:
    one, other = told_by_two
    assert one == other


def test_the_faults_of_one_seed_strike_the_same_calls(told_by_two: Any) -> None:
    struck = [[status for status, _, _ in told[-20:]] for told in told_by_two]
    assert struck[0] == struck[1]
    assert {*struck[0]} == {200, 429}
