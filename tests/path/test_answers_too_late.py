"""Step 5 where a worker was stopped for long: no call outside its lease, and no belief in what came late."""

from dataclasses import replace

import pytest

from service.outcomes import Answer, Reach, Unknown


def test_a_worker_stopped_beyond_its_lease_does_not_call(path):
    customer = path.sealed(5)
    stopped = path.another_submitter()
    lease = path.lease()
    call = asleep(stopped._open(lease))

    stopped._close(call, stopped._make(call), lease=lease)

    assert path.calls() == []
    assert path.ask("SELECT outcome, code, status FROM attempt") == [("unavailable", "not_made", None)]
    assert path.ask("SELECT state, ambiguous_since FROM meter_event JOIN generation USING (meter_event_id)") == [
        ("sealed", None)
    ]
    path.pass_time(seconds=30)
    path.walk()
    assert path.counted() == {(customer, "tokens"): "5"}


def test_a_call_that_was_not_made_slows_down_nothing_but_its_lane(path):
    path.sealed(5)
    stopped = path.another_submitter()
    call = asleep(stopped._open(path.lease()))

    stopped._brakes.slow_down("default", stopped._make(call))

    assert path.ask("SELECT paused_until FROM account") == [None]


def test_a_call_that_was_not_made_stays_a_doubt_where_its_heir_has_called_it_lost(path):
    path.sealed(5)
    stopped, lease, call = given_up(path)

    stopped._close(call, stopped._make(asleep(call)), lease=lease)

    assert path.states() == {"unknown": 1}
    assert path.ask("SELECT ambiguous_since IS NOT NULL FROM generation") == [True]


@pytest.mark.parametrize("is_sent_anew", [False, True])
def test_an_acceptance_of_a_generation_that_was_given_up_is_a_conflict(path, is_sent_anew):
    path.sealed(5)
    stopped, lease, call = given_up(path)
    next_generation(path)
    if is_sent_anew:
        path.walk()

    stopped._close(call, stopped._make(call), lease=lease)
    path.walk()

    ((state, reason, generation),) = path.ask("SELECT state, reason, generation FROM meter_event WHERE value = 5")
    assert (state, generation) == ("conflict", 2)
    assert "under an identifier that was given up" in reason
    assert len(path.calls()) == 2 + is_sent_anew


def test_a_late_acceptance_of_what_is_held_counts(path):
    customer = path.sealed(5)
    stopped, lease, call = given_up(path)
    path.pass_time(hours=23)
    path.send()
    assert path.states() == {"held": 1}

    stopped._close(call, stopped._make(call), lease=lease)
    path.walk()

    assert path.states() == {"confirmed": 1}
    assert path.counted() == {(customer, "tokens"): "5"}


def test_a_late_acceptance_of_what_was_refused_as_absent_and_too_old_is_a_conflict(path):
    customer = path.sealed(5)
    stopped, lease, call = given_up(path)
    path.write("UPDATE meter_event SET state = 'held', reason = 'window_closed', due_at = NULL")
    path.write("UPDATE meter_event SET state = 'refused', reason = 'it does not count, and is too old'")

    stopped._close(call, stopped._make(call), lease=lease)

    assert path.counted() == {(customer, "tokens"): "5"}
    told = "Stripe took it under an identifier that was given up as absent; it may count twice"
    assert path.ask("SELECT state, reason FROM meter_event") == [("conflict", told)]


def test_a_late_doubt_about_a_generation_that_was_given_up_is_none_of_the_next(path):
    path.sealed(5)
    stopped, lease, call = given_up(path)
    next_generation(path)

    stopped._close(call, Unknown(answer=Answer(reach=Reach.MAYBE_SENT)), lease=lease)

    assert path.ask("SELECT ambiguous_since FROM generation WHERE generation = 2") == [None]


def asleep(call):
    """As if the process had been stopped for a minute before it calls."""
    return replace(call, leased_at_s=call.leased_at_s - 60)


def given_up(path):
    """A worker with an open call, whose heir has called it lost."""
    stopped, lease = path.another_submitter(), path.lease()
    call = stopped._open(lease)
    path.pass_time(seconds=30)
    path.submitter._close_dead_attempts(path.lease())
    path.pass_time(seconds=30)
    return stopped, lease, call


def next_generation(path):
    """The meter event is held, proven absent with a canary's aid, and sealed anew."""
    path.pass_time(hours=23)
    path.walk()
    path.pass_time(hours=3)
    path.sealed(1)
    path.walk()
    path.write("UPDATE meter_event SET read_back_at = NULL")
    path.walk()
    path.pass_time(minutes=31)
    assert path.reader.read_back_due() == 1
