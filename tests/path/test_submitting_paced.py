"""Step 4 where no call should be made: the limiter is full or away, Stripe cannot be reached, a turn fails."""

import time
from dataclasses import replace

import pytest
from redis.exceptions import ConnectionError as RedisAway

from service.gateway import Gateway
from service.ledger import lanes
from service.limiter import Throttled, Unlimited
from service.timing import FAST
from workers._brakes import Brakes


class Empty(Unlimited):
    """Gives `tokens`, then raises; slowing it down raises as well."""

    def __init__(self, error, *, tokens=0):
        self._error = error
        self._tokens = tokens

    def reserve(self, kind, *, wait_s_max, late_s=0):
        del kind, wait_s_max, late_s
        if self._tokens == 0:
            raise self._error
        self._tokens -= 1
        return 0.0

    def slow_down(self, kind):
        del kind
        raise self._error


class Counting(Unlimited):
    """Counts the tokens that it gives."""

    def __init__(self):
        self.tokens = 0

    def reserve(self, kind, *, wait_s_max, late_s=0):
        self.tokens += 1
        return super().reserve(kind, wait_s_max=wait_s_max, late_s=late_s)


class Failing(Gateway):
    """Breaks at the calls of one customer."""

    def __init__(self, path, customer):
        super().__init__(path.settings)
        self._customer = customer

    def send_meter_event(self, event_name, **told):
        if told["payload"]["stripe_customer_id"] == self._customer:
            raise RuntimeError(self._customer)
        return super().send_meter_event(event_name, **told)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """No token is void because the machine is busy."""
    monkeypatch.setattr("workers._brakes.TOKEN_LATE_S_MAX", 60)


ERRORS = [Throttled("full"), RedisAway("away")]


def attempts(path):
    return path.ask("SELECT outcome, status FROM attempt ORDER BY attempt_id")


@pytest.mark.parametrize("error", ERRORS)
def test_without_a_token_no_attempt_is_made_and_the_lane_rests(path, error):
    path.sealed(5)
    due = path.ask("SELECT due_at FROM meter_event")

    path.another_submitter(limiter=Empty(error)).turn(path.lease())

    assert attempts(path) == []
    assert path.ask("SELECT due_at FROM meter_event") == due
    assert path.ask("SELECT lease_until IS NULL AND due_at > ledger_now() FROM lane") == [True]


@pytest.mark.parametrize("error", ERRORS)
def test_a_turn_whose_tokens_end_leaves_no_attempt_open_and_the_lane_rests(path, error):
    path.sealed(1, 2, 3)

    path.another_submitter(limiter=Empty(error, tokens=2)).turn(path.lease())

    assert attempts(path) == [("accepted", 200)] * 2
    assert path.states() == {"accepted": 2, "sealed": 1}
    assert path.ask("SELECT lease_until IS NULL AND due_at > ledger_now() FROM lane") == [True]


def test_waiting_for_the_limiter_does_not_back_off_a_meter_event(path):
    customer = path.sealed(5)
    for _ in range(5):
        path.another_submitter(limiter=Empty(Throttled("full"))).turn(path.lease())
        path.pass_time(seconds=FAST.token_wait_max_s + 1)

    path.walk()

    assert attempts(path) == [("accepted", 200)]
    assert path.counted() == {(customer, "tokens"): "5"}


def test_a_limiters_429_is_written_down_although_redis_is_away(path):
    path.fault("rate_limited", times=1, reason="global-rate")
    path.sealed(5)

    path.another_submitter(limiter=Empty(RedisAway("away"), tokens=1)).turn(path.lease())

    assert attempts(path) == [("unavailable", 429)]


def test_a_turn_that_has_made_all_its_calls_leaves_no_attempt_open(path, monkeypatch):
    monkeypatch.setattr("workers.submit.CALLS_A_TURN_MAX", 2)
    path.sealed(1, 2, 3)

    path.submitter.turn(path.lease())

    assert attempts(path) == [("accepted", 200)] * 2
    assert path.states() == {"accepted": 2, "sealed": 1}


def test_where_nobody_is_reached_one_call_pauses_the_account(path, submitter_to_nowhere):
    for _ in range(3):
        path.sealed(1, 2)

    path.another_submitter(gateway=submitter_to_nowhere._gateway, threads=1).drain("default", 0)

    assert attempts(path) == [("unavailable", None)]
    assert path.states() == {"sealed": 6}
    assert path.ask("SELECT paused_until > ledger_now(), pause_reason ~ 'reached' FROM account") == [(True, True)]


def test_after_an_outage_the_account_goes_on_by_itself(path, submitter_to_nowhere):
    customer = path.sealed(1, 2)
    submitter_to_nowhere.drain("default", 0)
    path.pass_time(seconds=FAST.unreachable_s + 1)

    path.walk()

    assert path.states() == {"confirmed": 2}
    assert path.counted() == {(customer, "tokens"): "3"}


def test_a_lane_whose_turn_fails_stops_no_other_and_is_told_at_the_end(path):
    failing, *others = [path.sealed(1, 2) for _ in range(4)]
    submitter = path.another_submitter(gateway=Failing(path, failing), threads=2)

    with pytest.raises(RuntimeError, match=failing):
        submitter.drain("default", 0)

    assert path.counted() == {(customer, "tokens"): "3" for customer in others}
    assert path.states() == {"accepted": 6, "sealed": 2}


def test_every_failure_of_a_drain_is_told(path):
    failing = path.sealed(1)
    another = path.make_customer()
    path.sealed(1, customer=another)
    broken = Failing(path, failing)
    broken.send_meter_event = lambda _, **told: {}[told["payload"]["stripe_customer_id"]]

    with pytest.raises(KeyError) as raised:
        path.another_submitter(gateway=broken, threads=2).drain("default", 0)

    told = f"{raised.value!r} {raised.value.__notes__}"
    assert failing in told
    assert another in told


def test_a_lane_with_one_meter_event_takes_no_token_for_a_next_one(path):
    path.sealed(5)
    path.sealed(7)
    counting = Counting()

    path.another_submitter(limiter=counting).drain("default", 0)

    assert (counting.tokens, path.states()) == (2, {"accepted": 2})


def test_of_many_attempts_only_what_deciding_asks_for_is_loaded(path):
    path.sealed(5)
    path.write(
        "INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence, ended_at, outcome, status,"
        " is_replayed) SELECT 1, 1, 1, 'key', n, ledger_now(), 'unknown', 500, n <= 3 FROM generate_series(1, 500) AS n"
    )

    with path.ledger.transaction() as tx:
        found = lanes.attempts_of(tx, 1)

    assert [attempt.is_replayed for attempt in found] == [True] * 3 + [False] * 20


class Told(Counting):
    """Remembers what it was told of answers."""

    def __init__(self):
        super().__init__()
        self.answers = []

    def passed(self, kind):
        self.answers.append((kind, "passed"))

    def slow_down(self, kind):
        self.answers.append((kind, "limited"))
        return False


@pytest.mark.parametrize("kind", ["lock_timeout", "conflict"])
def test_what_is_busy_at_stripe_slows_down_its_lane_and_not_the_account(path, kind):
    path.fault(kind, times=1)
    path.sealed(5)
    told = Told()

    path.another_submitter(limiter=told, timing=replace(FAST, backoff_base_s=1)).turn(path.lease())

    assert told.answers == [("meter_events", "passed")]
    assert path.ask("SELECT paused_until, openings FROM account") == [(None, 0)]
    assert path.ask("SELECT due_at > ledger_now() FROM lane") == [True]


def test_a_limiters_429_is_told_to_the_limiter_and_rests_no_lane(path):
    path.fault("rate_limited", times=1, reason="global-rate")
    path.sealed(5, 6)
    told = Told()

    path.another_submitter(limiter=told).turn(path.lease())

    assert told.answers == [("meter_events", "limited")]
    assert path.ask("SELECT due_at <= ledger_now() FROM lane") == [True]


def test_a_token_that_was_ready_too_long_ago_is_void_and_another_is_taken(path):
    counting = Counting()

    Brakes(path.ledger, counting, timing=FAST).use(time.monotonic() - 3_600)

    assert counting.tokens == 1
