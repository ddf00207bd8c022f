"""How the rate follows Stripe's answers: worlds of a minute, lived through call by call on a clock of their own."""

import heapq
import itertools
import math
from bisect import bisect_left
from collections import Counter
from random import Random

import pytest

from service import wakeups
from service.limiter import Limiter, Throttled

RATE = 100
PACED = 90.0  # of it, so that calls that come late exceed it in no second
CALLERS = 40
LATENCY_S = 0.05
LATE_S = 0.02  # from then on a token is void
EPOCH_US = 1_000_000_000_000_000


class Limit:
    """Stripe's: a bucket of one second."""

    def __init__(self, per_s):
        self._per_s = per_s
        self._tokens = per_s
        self._filled_at_s = 0.0

    def __call__(self, at_s):
        self._tokens = min(self._per_s, self._tokens + (at_s - self._filled_at_s) * self._per_s)
        self._filled_at_s = at_s
        has_passed = self._tokens >= 1
        self._tokens -= has_passed
        return has_passed


class Chance:
    """Refuses a share of the calls, however few they are."""

    def __init__(self, share):
        self._share = share
        self._chance = Random(1)

    def __call__(self, at_s):
        del at_s
        return self._chance.random() >= self._share


class Closed:
    """Refuses every call of its first seconds."""

    def __init__(self, for_s):
        self._for_s = for_s

    def __call__(self, at_s):
        return at_s >= self._for_s


class World:
    """Callers who want to call all the time; `calls` and `refused` are counted by second."""

    def __init__(self, connection, rate=RATE):
        self.now_s = 0.0
        self.calls = Counter()
        self.refused = Counter()
        self.limiter = Limiter(connection, "default", rates={"calls": rate}, clock=self._clock)

    def live(self, stripe, *, seconds):
        numbers = itertools.count()
        until = self.now_s + seconds
        agenda = [(self.now_s, next(numbers), "reserve") for _ in range(CALLERS)]
        while agenda[0][0] < until:
            self.now_s, _, step = heapq.heappop(agenda)
            heapq.heappush(agenda, self._next(step, stripe, next(numbers)))
        self.now_s = until

    def share_of_429s(self, seconds):
        return sum(self.refused[second] for second in seconds) / sum(self.calls[second] for second in seconds)

    def per_s(self, seconds):
        return sum(self.calls[second] for second in seconds) / len(seconds)

    def _next(self, step, stripe, number):
        if step == "reserve":
            return self.now_s + self._reserve(), number, "call"
        if step == "call":
            self.calls[int(self.now_s)] += 1
            return self.now_s + LATENCY_S, number, "passed" if stripe(self.now_s) else "limited"
        if step == "passed":
            self.limiter.passed("calls")
        else:
            self.refused[int(self.now_s)] += 1
            self.limiter.slow_down("calls")
        return self.now_s, number, "reserve"

    def _reserve(self):
        return self.limiter.reserve("calls", wait_s_max=60)

    def _clock(self):
        return int(EPOCH_US + self.now_s * 1_000_000)


class Busy(World):
    """Its callers come up to `late_s_max` after their tokens, and give those back of which it is too long ago."""

    def __init__(self, connection, *, late_s_max, until_s=math.inf):
        super().__init__(connection)
        self._late_s_max = late_s_max
        self._until_s = until_s
        self._chance = Random(1)
        self.instants = []

    def highest(self):
        """The most calls within any second."""
        return max(bisect_left(self.instants, start + 1) - n for n, start in enumerate(self.instants))

    def _next(self, step, stripe, number):
        match step:
            case "reserve":
                ready_s = self.now_s + self._reserve()
                late_s_max = self._late_s_max if self.now_s < self._until_s else 0
                return ready_s + self._chance.uniform(0, late_s_max), number, ready_s
            case float() as ready_s if self.now_s - ready_s > LATE_S:
                wait_s = self.limiter.reserve("calls", wait_s_max=60, late_s=self.now_s - ready_s)
                return self.now_s + wait_s, number, self.now_s + wait_s
            case float():
                self.instants.append(self.now_s)
                return super()._next("call", stripe, number)
        return super()._next(step, stripe, number)


@pytest.fixture
def connection(valkey_url):
    with wakeups.connect(valkey_url) as connection:
        yield connection


@pytest.fixture
def world(connection):
    return World(connection)


@pytest.fixture
def rate_now(connection):
    return lambda: float(connection.hget("meterpost:limiter:default:calls", "rate"))


def test_429s_that_come_whatever_the_rate_leave_the_permitted_rate_used_and_never_exceeded(world):
    world.live(Chance(0.3), seconds=40)

    assert world.per_s(range(40)) >= 0.9 * PACED
    assert max(world.calls.values()) <= RATE


def test_a_rest_before_429s_is_not_taken_for_a_lower_rate(world, rate_now):
    world.live(Limit(1_000), seconds=2.5)
    world.now_s += 2.5
    world.live(Chance(0.3), seconds=1.5)

    assert rate_now() > 0.5 * PACED


def test_a_limit_of_stripes_below_ours_is_found_and_then_seldom_met(world):
    world.live(Limit(50), seconds=40)

    assert 45 <= world.per_s(range(10, 40)) <= 55
    assert world.share_of_429s(range(10, 40)) < 0.05


def test_a_limit_a_fortieth_of_ours_is_found_within_seconds(connection):
    world = World(connection, rate=1_000)

    world.live(Limit(25), seconds=30)

    assert 20 <= world.per_s(range(5, 30)) <= 30
    assert world.share_of_429s(range(5, 30)) < 0.1


def test_a_limit_that_is_lifted_is_noticed_by_itself(world, rate_now):
    world.live(Limit(50), seconds=20)
    world.live(Limit(1_000), seconds=40)

    assert rate_now() == PACED


def test_429s_that_were_somebody_elses_are_believed_for_a_minute_and_then_tried_anew(world):
    world.live(Chance(0.3), seconds=20)
    world.live(Limit(60), seconds=100)

    assert world.share_of_429s(range(95, 120)) < 0.05


def test_where_nobody_is_let_in_next_to_nothing_is_called(world):
    world.live(Closed(for_s=60), seconds=60)

    assert world.per_s(range(20, 60)) <= 2


def test_a_few_429s_slow_down_nothing(world, rate_now):
    world.live(Chance(0.02), seconds=10)

    assert rate_now() == PACED


def test_a_rate_that_begins_anew_grows_back_within_a_minute_and_not_at_once(world):
    world.limiter.begin_anew("calls")
    world.live(Limit(1_000), seconds=60)

    assert world.per_s(range(2)) < RATE / 4
    assert world.per_s(range(50, 60)) >= 0.9 * RATE


def test_many_429s_at_once_slow_down_once(connection):
    world = World(connection)
    world.limiter.reserve("calls", wait_s_max=60)
    world.now_s = 1.0

    assert [world.limiter.slow_down("calls") for _ in range(100)].count(True) == 1


def test_a_call_that_would_wait_too_long_still_tells_what_passed(world, connection):
    world.limiter.reserve("calls", wait_s_max=60)
    world.limiter.passed("calls")
    world.limiter.reserve("calls", wait_s_max=60)

    with pytest.raises(Throttled):
        world.limiter.reserve("calls", wait_s_max=0)

    assert connection.hget("meterpost:limiter:default:calls", "passed") == b"1"


def test_callers_who_are_late_use_most_of_the_permitted_rate_and_exceed_it_in_no_second(connection):
    world = Busy(connection, late_s_max=0.3)

    world.live(Limit(1_000), seconds=20)

    assert world.per_s(range(20)) >= 0.85 * PACED
    assert world.highest() <= RATE


def test_callers_who_are_late_no_more_do_not_come_together_with_what_was_given_back(connection):
    world = Busy(connection, late_s_max=0.3, until_s=3)

    world.live(Limit(1_000), seconds=10)

    assert world.highest() <= RATE


def test_a_token_of_longer_ago_than_a_second_is_given_for_none_now(world):
    for _ in range(50):
        world.limiter.reserve("calls", wait_s_max=60)
    world.now_s += 0.1

    assert world.limiter.reserve("calls", wait_s_max=60, late_s=1.5) > 0


def test_what_was_never_given_is_exchanged_for_nothing(world):
    for _ in range(50):
        world.limiter.reserve("calls", wait_s_max=60)

    assert world.limiter.reserve("calls", wait_s_max=60, late_s=0.9) > 0
