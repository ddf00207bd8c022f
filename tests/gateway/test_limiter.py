"""Stripe's rate limits, kept by all workers together; asserted on the waits that are handed out, not on a clock."""

import time

import pytest

from service import wakeups
from service.limiter import Limiter, Steady, Throttled

RATE = 1_000
KEY = "meterpost:limiter:default:meter_events"
WAIT_S_MAX = 60


@pytest.fixture
def connection(valkey_url):
    with wakeups.connect(valkey_url) as connection:
        yield connection


@pytest.fixture
def limiters(connection):
    """Those of two workers."""
    return [Limiter(connection, "default", rates={"meter_events": RATE, "calls": 25}) for _ in range(2)]


def reserve(limiter, *, kind="meter_events", wait_s_max=WAIT_S_MAX):
    return limiter.reserve(kind, wait_s_max=wait_s_max)


def rate_now(connection):
    return float(connection.hget(KEY, "rate"))


def test_two_workers_together_never_get_more_than_the_rate_and_its_burst_within_any_second(connection):
    pair = [Limiter(connection, "default", rates={"calls": 200}) for _ in range(2)]

    instants = [redis_time(connection) + reserve(pair[number % 2], kind="calls") for number in range(500)]

    allowed = 200 + 2 + 10  # the rate, a hundredth of a second of burst, and what reading the clock apart costs
    assert all(instants[number + allowed] - instants[number] >= 1 for number in range(500 - allowed))


def redis_time(connection):
    seconds, microseconds = connection.time()
    return seconds + microseconds / 1_000_000


def test_a_wait_that_is_too_long_is_refused_and_takes_no_token(limiters, connection):
    for _ in range(50):
        reserve(limiters[0], kind="calls")
    before = connection.hget("meterpost:limiter:default:calls", "next")

    with pytest.raises(Throttled, match="calls of default"):
        reserve(limiters[1], kind="calls", wait_s_max=0.1)

    assert connection.hget("meterpost:limiter:default:calls", "next") == before


def test_kinds_and_accounts_have_buckets_of_their_own(limiters, connection):
    for _ in range(100):
        reserve(limiters[0], kind="calls")

    assert reserve(limiters[0]) <= 0
    assert reserve(Limiter(connection, "other", rates={"calls": 25}), kind="calls") <= 0


def test_a_limiter_whose_redis_forgot_begins_anew(limiters, connection):
    limiters[0].begin_anew("meter_events")
    connection.flushall()

    assert reserve(limiters[0]) <= 0
    assert rate_now(connection) == pytest.approx(0.9 * RATE)


def test_a_clock_that_goes_back_an_hour_stops_nothing(limiters, connection):
    waits = [reserve(limiters[0], kind="calls") for _ in range(50)]
    set_back_an_hour(connection, "calls")

    assert reserve(limiters[1], kind="calls") == pytest.approx(waits[-1], abs=0.5)


def test_a_clock_that_goes_back_leaves_no_call_refused_for_longer_than_those_that_wait_already(limiters, connection):
    for _ in range(50):
        reserve(limiters[0], kind="calls")
    set_back_an_hour(connection, "calls")

    with pytest.raises(Throttled):
        reserve(limiters[0], kind="calls", wait_s_max=0.1)

    ahead_us = float(connection.hget("meterpost:limiter:default:calls", "next")) - redis_time(connection) * 1_000_000
    assert ahead_us < 3_000_000


def set_back_an_hour(connection, kind):
    """As the bucket looks to a clock that was an hour ahead so far."""
    for name in connection.hkeys(f"meterpost:limiter:default:{kind}"):
        if name in {b"next", b"seen", b"since"}:
            connection.hincrbyfloat(f"meterpost:limiter:default:{kind}", name, 3_600_000_000)


def test_a_persons_command_takes_half_the_rate():
    steady, began = Steady(200), time.monotonic()
    for _ in range(6):
        steady.take("calls")
    assert time.monotonic() - began >= 5 * 2 / 200
