"""Step 4 while Stripe fails: one call at a time tries whether it still does, whoever calls, until one is answered."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from local.sandbox import ask_sandbox
from service.gateway import Gateway
from service.ledger import lanes
from service.ledger.breaker import ANSWERS_MAX
from service.limiter import Unlimited
from service.outcomes import Answer, Reach
from service.timing import FAST
from workers._watching import Watcher


class Remembering(Unlimited):
    """Counts how often calls began anew."""

    def __init__(self):
        self.beginnings = 0

    def begin_anew(self, kind):
        del kind
        self.beginnings += 1


class Poisoned(Gateway):
    """Answers 500 for one customer, however often it is asked."""

    def __init__(self, path, customer):
        super().__init__(path.settings)
        self._customer = customer

    def send_meter_event(self, event_name, **told):
        if told["payload"]["stripe_customer_id"] == self._customer:
            return Answer(reach=Reach.ANSWERED, status=500, message="poisoned")
        return super().send_meter_event(event_name, **told)


def openings(path):
    return path.ask("SELECT openings FROM account")[0]


def attempts(path):
    return path.ask("SELECT count(*) FROM attempt")[0]


def trials(path):
    """As two processes would take them at the same time."""
    taken = []
    for _ in range(2):
        with path.ledger.transaction() as tx:
            taken += lanes.lease_lanes(tx, "default", lanes_max=8, timing=FAST)
    return taken


def wait_is_over(path):
    path.write("UPDATE account SET paused_until = ledger_now()")


@pytest.fixture
def many(path, an_hour_ago):
    """Twelve lanes with two meter events each, of rows that came together."""
    path.make_meter("tokens")
    customers = [path.make_customer() for _ in range(12)]
    with path.client.batch() as batch:
        for customer, (value, minute) in product(customers, [(1, 0), (2, 5)]):
            batch.usage(customer, "tokens", value, occurred_at=an_hour_ago + timedelta(minutes=minute))
    path.record()
    path.seal()
    return customers


@pytest.fixture
def outage(path, many):
    """Stripe fails, and the breaker has been opened by it."""
    path.fault("error_before")
    path.another_submitter(threads=2).drain("default", 0)
    assert openings(path) == 1, "it opens"


def end_outage(path):
    ask_sandbox(path.sandbox.url, f"/_sandbox/faults?account={path.stripe_account}", method="DELETE")


@pytest.mark.parametrize("kind", ["error_before", "bad_gateway_before", "connection_reset", "reply_lost"])
def test_where_most_lanes_fail_no_other_is_called(path, many, kind):
    path.fault(kind)

    path.another_submitter(threads=2).drain("default", 0)

    assert openings(path) == 1
    assert attempts(path) < 8


def test_one_lane_that_always_fails_stops_nobody(path, many):
    poisoned = path.sealed(*range(1, 9))
    path.write(f"UPDATE lane SET due_at = ledger_now() - interval '1 h' WHERE customer = '{poisoned}'")
    submitter = path.another_submitter(gateway=Poisoned(path, poisoned), threads=2, timing=FAST)

    for _ in range(2 * ANSWERS_MAX):
        submitter.drain("default", 0)
        path.pass_time(seconds=FAST.lane_backoff_max_s)

    assert attempts(path) > 24 + ANSWERS_MAX  # of the last ones all were the poisoned lane's
    assert openings(path) == 0
    assert path.ask("SELECT count(*) FROM meter_event WHERE state = 'accepted'") == [24]


def test_nothing_is_called_before_the_wait_is_over(path, outage):
    before = attempts(path)

    path.send()

    assert (attempts(path), trials(path)) == (before, [])


def test_one_process_makes_the_trial_with_one_lane(path, outage):
    wait_is_over(path)

    (trial,) = trials(path)

    assert trial.is_trial


def test_a_trial_is_one_call(path, outage):
    wait_is_over(path)
    end_outage(path)
    before = attempts(path)

    path.submitter.turn(*trials(path))

    assert attempts(path) == before + 1


def test_a_trial_that_fails_opens_the_breaker_for_longer(path, outage):
    wait_is_over(path)

    path.submitter.turn(*trials(path))

    assert path.ask("SELECT openings, paused_until > ledger_now(), trial_lane FROM account") == [(2, True, None)]


def test_a_trial_that_is_answered_closes_the_breaker_and_calls_begin_anew(path, outage):
    wait_is_over(path)
    end_outage(path)
    limiter = Remembering()

    path.another_submitter(limiter=limiter).turn(*trials(path))

    assert path.ask("SELECT openings, paused_until, pause_reason, trial_lane FROM account") == [(0, None, None, None)]
    assert limiter.beginnings == 1


def test_a_trial_whose_process_died_is_made_by_another_when_its_lease_has_run_out(path, outage):
    wait_is_over(path)
    (dead,) = trials(path)
    path.pass_time(seconds=FAST.lease_s + 1)

    (another,) = trials(path)

    assert another.is_trial
    assert dead.fence >= 1


def test_a_trial_without_a_token_leaves_it_to_the_next(path, outage):
    wait_is_over(path)
    lease = trials(path)[0]
    path.another_submitter()._release(lease, rest_s=0)

    assert len(trials(path)) == 1


def test_a_call_that_was_under_way_neither_closes_nor_prolongs_an_open_breaker(path, outage):
    before = path.ask("SELECT openings, paused_until FROM account")
    path.write("UPDATE lane SET lease_until = NULL, due_at = ledger_now()")
    lease = lanes.Lease(*path.ask("UPDATE lane SET fence = fence + 1 WHERE lane_id = 1 RETURNING lane_id, fence")[0])

    path.submitter.turn(lease)

    assert path.ask("SELECT openings, paused_until FROM account") == before


def stopped(path):
    Watcher(path.ledger, path.gateway, "default", timing=replace(FAST, watch_s=0)).watch_due()
    return path.ask("SELECT said FROM alarm WHERE kind = 'stopped' AND cleared_at IS NULL")


def call_for(path, seconds):
    """Every ten seconds."""
    for _ in range(0, seconds, 10):
        path.submitter.turn(path.lease())
        path.pass_time(seconds=10)


def test_an_outage_that_one_lane_alone_meets_is_an_alarm_after_half_a_minute(path):
    path.sealed(1)
    path.fault("error_before")
    call_for(path, 20)
    early = stopped(path)
    call_for(path, 20)
    during = stopped(path)
    end_outage(path)
    call_for(path, 10)

    (said,) = during
    assert (early, stopped(path), openings(path)) == ([], [], 0)
    assert said.startswith("nothing is sent: Stripe fails: 500")


def test_an_outage_of_half_a_minute_is_an_alarm_also_where_the_breaker_is_open(path, outage):
    path.pass_time(seconds=FAST.unreachable_max_s)
    path.submitter.drain("default", 0)
    path.pass_time(seconds=31)

    assert 0 < openings(path) < 5
    assert [said.partition(":")[0] for said in stopped(path)] == ["nothing is sent"]


def test_one_lane_that_fails_beside_others_that_succeed_is_no_alarm(path, many):
    poisoned = path.sealed(7)
    submitter = path.another_submitter(gateway=Poisoned(path, poisoned), threads=2, timing=FAST)
    for _ in range(4):
        path.sealed(1)
        submitter.drain("default", 0)
        path.pass_time(seconds=15)

    assert stopped(path) == []


def test_an_outage_of_three_hours_is_asked_about_a_bounded_number_of_times(path, many):
    path.fault("error_before")
    for _ in range(180):
        path.submitter.drain("default", 0)
        path.pass_time(minutes=1)

    assert attempts(path) < 200


def test_after_an_outage_everything_is_counted_once(path, outage, many):
    for _ in range(5):
        wait_is_over(path)
        path.submitter.drain("default", 0)
    end_outage(path)
    path.pass_time(seconds=FAST.unreachable_max_s + 1)

    path.walk()

    assert path.counted() == dict.fromkeys(((customer, "tokens") for customer in many), "3")
    assert path.states() == {"confirmed": 24}
