"""Rate limits: Stripe's numbers, kept when asked for."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from sandbox.calls.limits import METER_EVENTS, Limiter


def passed(mode: str, endpoints: list[str]) -> int:
    """How many of these calls of one instant pass."""
    limiter = Limiter()
    return sum(limiter.refusal(mode, endpoint=endpoint, instant=0.0) is None for endpoint in endpoints)


@pytest.mark.parametrize(
    ("mode", "endpoints", "expected"),
    [
        ("live", [METER_EVENTS] * 1_200, 1_000),
        ("live", ["GET /v1/customers"] * 200, 25),
        ("live", [f"GET /v1/{number % 50}" for number in range(200)], 100),
        ("sandbox", [METER_EVENTS] * 30, 25),
        ("sandbox", [f"GET /v1/{number}" for number in range(30)], 25),
        ("off", ["GET /v1/customers"] * 200, 200),
    ],
)
def test_each_limit_lets_its_number_pass_in_a_second(mode: str, endpoints: list[str], expected: int) -> None:
    assert passed(mode, endpoints) == expected


def test_meter_events_do_not_use_up_the_limit_of_the_rest() -> None:
    assert passed("live", [METER_EVENTS] * 1_000 + ["GET /v1/customers"] * 25) == 1_025


def test_the_limit_refills_as_time_passes() -> None:
    limiter = Limiter()
    taken = [limiter.refusal("sandbox", endpoint="x", instant=0.0) for _ in range(26)]
    assert taken[-1] == "global-rate"
    assert limiter.refusal("sandbox", endpoint="x", instant=0.05) is None


def test_calls_beyond_the_limit_are_answered_429_with_the_reason(shop: Any, pool: ThreadPoolExecutor) -> None:
    shop.settings(limits="sandbox")
    url = f"{shop.sandbox.url}/v1/account"
    answers = list(pool.map(lambda _: requests.get(url, auth=(shop.key, ""), timeout=10), range(150)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.headers["Stripe-Rate-Limited-Reason"] for answer in refused} == {"global-rate"}
    assert refused[0].json()["error"]["code"] == "rate_limit"


def test_the_limits_can_be_set_at_the_start(start_sandbox: Any) -> None:
    with start_sandbox("--limits", "live") as sandbox:
        assert sandbox.control("GET", "settings")["limits"] == "live"
