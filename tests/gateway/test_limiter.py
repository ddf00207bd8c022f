"""Stripe's rate limits, kept by all workers together; asserted on the waits that are handed out, not on a clock."""

import pytest

from service import wakeups
from service.limiter import Limiter, Throttled

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


def test_a_limiters_429_halves_the_rate_for_all_and_many_at_once_halve_it_once(limiters, connection):
    assert [limiter.slow_down("meter_events") for limiter in limiters * 3] == [True, False, False, False, False, False]

    assert rate_now(connection) == RATE / 2


def test_the_rate_never_falls_below_a_sixteenth(limiters, connection):
    for _ in range(10):
        limiters[0].slow_down("meter_events")
        connection.hset(KEY, "halved", 0)  # as if a second had passed

    assert rate_now(connection) == RATE / 16


def test_a_halved_rate_grows_back_by_a_tenth_a_second_and_not_beyond_the_full_one(limiters, connection):
    limiters[0].slow_down("meter_events")
    grown = [a_second_later(limiters[1], connection) for _ in range(7)]

    assert grown[0] == pytest.approx(RATE * 0.6, rel=0.05)
    assert grown[2] == pytest.approx(RATE * 0.8, rel=0.05)
    assert grown[-1] == RATE


def a_second_later(limiter, connection):
    connection.hincrbyfloat(KEY, "grown", -1_000_000)
    reserve(limiter)
    return rate_now(connection)


def test_kinds_and_accounts_have_buckets_of_their_own(limiters, connection):
    for _ in range(100):
        reserve(limiters[0], kind="calls")

    assert reserve(limiters[0]) == 0
    assert reserve(Limiter(connection, "other", rates={"calls": 25}), kind="calls") == 0


def test_a_limiter_whose_redis_forgot_begins_anew(limiters, connection):
    limiters[0].slow_down("meter_events")
    connection.flushall()

    assert reserve(limiters[0]) == 0
    assert rate_now(connection) == RATE


def test_a_clock_that_goes_back_an_hour_stops_nothing(limiters, connection):
    waits = [reserve(limiters[0], kind="calls") for _ in range(50)]
    set_back_an_hour(connection, "calls")
    limiters[1].slow_down("calls")

    assert reserve(limiters[1], kind="calls") == pytest.approx(waits[-1], abs=0.5)


def test_a_clock_that_goes_back_leaves_no_call_refused_for_longer_than_those_that_wait_already(limiters, connection):
    for _ in range(50):
        reserve(limiters[0], kind="calls")
    set_back_an_hour(connection, "calls")

    with pytest.raises(Throttled):
        reserve(limiters[0], kind="calls", wait_s_max=0.1)

    ahead_us = float(connection.hget("meterpost:limiter:default:calls", "next")) - redis_time(connection) * 1_000_000
    assert ahead_us < 3_000_000


def test_a_clock_that_goes_back_lets_a_limiters_429_halve_the_rate(limiters, connection):
    limiters[0].slow_down("meter_events")
    set_back_an_hour(connection, "meter_events")

    assert limiters[0].slow_down("meter_events")
    assert rate_now(connection) == RATE / 4


def set_back_an_hour(connection, kind):
    """As the bucket looks to a clock that was an hour ahead so far."""
    for name in connection.hkeys(f"meterpost:limiter:default:{kind}"):
        if name != b"rate":
            connection.hincrbyfloat(f"meterpost:limiter:default:{kind}", name, 3_600_000_000)
