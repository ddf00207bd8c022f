"""Step 4 under Stripe's faults: whatever a call ends like, each meter event is counted once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.outcomes import Answer, Reach, Refused

LATER_THAN_A_LEASE = {"seconds": 30}


def attempts(path):
    return path.ask("SELECT outcome, status FROM attempt ORDER BY attempt_id")


@pytest.mark.parametrize("reason", ["global-rate", "endpoint-rate", None])
def test_three_of_ten_calls_answered_429_change_nothing_but_time(path, reason):
    path.fault("rate_limited", share=0.3, reason=reason)
    customer = path.sealed(*range(1, 21))

    path.walk()

    assert path.states() == {"confirmed": 20}
    assert path.counted() == {(customer, "tokens"): "210"}
    assert path.audit()["by_status"]["429"] > 0


@pytest.mark.parametrize("kind", ["reply_lost", "error_before", "error_after", "conflict", "lock_timeout"])
def test_a_call_that_went_wrong_is_billed_once(path, kind):
    path.fault(kind, times=2)
    customer = path.sealed(5)

    path.walk()

    assert path.states() == {"confirmed": 1}
    assert path.counted() == {(customer, "tokens"): "5"}
    assert path.audit()["applied_twice"] == []


def test_an_answer_lost_on_the_way_back_is_not_billed_twice(path):
    path.fault("reply_lost", times=1)
    customer = path.sealed(5)

    path.walk()

    assert attempts(path) == [("unknown", None), ("accepted", 200)]
    assert path.counted() == {(customer, "tokens"): "5"}


def test_a_call_slower_than_its_deadline_is_billed_once(path):
    path.fault("latency", delay_s=2.5, times=1)
    customer = path.sealed(5)

    path.walk()

    assert attempts(path)[0] == ("unknown", None)
    assert path.states() == {"confirmed": 1}
    assert path.counted() == {(customer, "tokens"): "5"}


def test_a_stored_500_that_is_replayed_changes_the_key_and_not_the_identifier(path):
    path.fault("error_after", times=1)
    path.sealed(5)

    path.walk()

    (identifier,) = path.ask("SELECT identifier FROM generation")
    assert attempts(path) == [("unknown", 500), ("unknown", 500), ("accepted", 400)]
    assert path.ask("SELECT idempotency_key FROM attempt ORDER BY attempt_id") == [
        identifier,
        identifier,
        f"{identifier}.1",
    ]


def test_a_refused_connection_applies_nothing_and_leaves_no_doubt(path, submitter_to_nowhere):
    path.sealed(5)

    submitter_to_nowhere.turn(path.lease())

    assert attempts(path) == [("unavailable", None)]
    assert path.states() == {"sealed": 1}
    assert path.ask("SELECT ambiguous_since FROM generation") == [None]


def test_a_refused_key_opens_the_breaker_and_refuses_nothing(path):
    path.fault("unauthorized")
    path.sealed(1, 2, 3)

    path.send()
    path.send()

    assert path.states() == {"sealed": 3}
    assert attempts(path) == [("unavailable", 401)]
    assert path.ask("SELECT paused_until > ledger_now(), pause_reason LIKE '401: %%' FROM account") == [(True, True)]


def test_after_a_refused_key_the_account_goes_on_by_itself(path):
    path.fault("unauthorized", times=2)
    customer = path.sealed(1, 2, 3)
    path.send()
    path.pass_time(seconds=path.settings.timing.breaker_s + 1)
    path.send()
    path.pass_time(seconds=path.settings.timing.breaker_s + 1)

    path.walk()

    assert path.states() == {"confirmed": 3}
    assert path.counted() == {(customer, "tokens"): "6"}


def test_a_permanent_refusal_stands_before_a_person_in_stripes_words(path):
    path.sealed(5, customer="cus_nobody")

    path.walk()

    assert path.ask("SELECT state, reason FROM meter_event") == [("refused", "No such customer: 'cus_nobody'")]
    assert len(path.calls()) == 1


def test_a_refusal_after_a_call_that_may_have_counted_is_held(path):
    path.fault("conflict", times=1)
    path.sealed(5, customer="cus_nobody")

    path.walk()

    ((state, reason),) = path.ask("SELECT state, reason FROM meter_event")
    assert state == "held"
    assert reason.startswith("refused after a call that may have counted: No such customer: 'cus_nobody'; not read")


@pytest.mark.parametrize("is_called", [False, True])
def test_a_holder_that_dies_leaves_an_attempt_that_is_lost_and_then_sent_again_once(path, is_called):
    customer = path.sealed(5)
    dying = path.another_submitter()
    call = dying._open(path.lease())
    if is_called:
        dying._make(call)
    path.pass_time(**LATER_THAN_A_LEASE)

    path.walk()

    assert path.ask("SELECT code FROM attempt ORDER BY attempt_id")[0] == "lost"
    assert [outcome for outcome, _ in attempts(path)] == ["unknown", "accepted"]
    assert path.counted() == {(customer, "tokens"): "5"}
    assert path.states() == {"confirmed": 1}


def test_a_holder_that_died_leaves_its_lane_alone_while_the_lease_runs(path):
    path.sealed(5)
    path.another_submitter()._open(path.lease())

    path.send()

    assert path.ask("SELECT outcome FROM attempt") == [None]


def test_a_zombies_late_acceptance_counts(path):
    path.sealed(5)
    zombie, heir, call, lease = two_holders(path)
    heir._close_dead_attempts(path.lease())

    zombie._close(call, zombie._make(call), lease=lease)

    assert attempts(path) == [("accepted", 200)]
    assert path.states() == {"accepted": 1}


def test_a_zombies_late_refusal_does_not_count(path):
    path.sealed(5)
    zombie, heir, call, lease = two_holders(path)
    heir._close_dead_attempts(path.lease())

    zombie._close(
        call, Refused(answer=Answer(reach=Reach.ANSWERED, status=400, message="No such customer")), lease=lease
    )

    assert path.states() == {"unknown": 1}


def test_a_zombies_doubt_counts_although_its_heir_has_not_yet_looked(path):
    path.sealed(5)
    path.fault("reply_lost", times=1)
    zombie, heir, call, lease = two_holders(path)
    newer = path.lease()

    zombie._close(call, zombie._make(call), lease=lease)
    heir._close_dead_attempts(newer)

    assert path.ask("SELECT ambiguous_since = started_at FROM generation JOIN attempt USING (meter_event_id)") == [True]


def test_an_answer_that_came_before_its_heir_looked_is_not_called_lost(path):
    path.sealed(5)
    path.fault("rate_limited", times=1)
    zombie, heir, call, lease = two_holders(path)
    newer = path.lease()

    zombie._close(call, zombie._make(call), lease=lease)
    heir.turn(newer)

    assert attempts(path) == [("unavailable", 429), ("accepted", 200)]
    assert path.ask("SELECT ambiguous_since FROM generation") == [None]


def two_holders(path):
    """A holder with an open call whose lease has run out, and the one that comes after it."""
    zombie, heir = path.another_submitter(), path.another_submitter()
    lease = path.lease()
    call = zombie._open(lease)
    path.pass_time(**LATER_THAN_A_LEASE)
    return zombie, heir, call, lease


def test_four_submitters_at_once_never_have_two_calls_in_flight_on_a_lane(path):
    path.fault("latency", delay_s=0.02, share=0.3)
    path.fault("reply_lost", share=0.1, seed=2)
    customers = [path.sealed(*range(1, 11)) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda submitter: submitter.drain("default", 0), [path.another_submitter() for _ in range(4)]))
    path.walk()

    assert path.audit()["in_flight_max_per_lane"] == 1
    assert path.counted() == {(customer, "tokens"): "55" for customer in customers}


def test_23_hours_after_the_first_doubt_it_is_held_and_no_call_is_made(path):
    path.fault("conflict", times=1)
    path.sealed(5)
    path.submitter.turn(path.lease())
    path.pass_time(hours=23)

    path.walk()

    assert path.ask("SELECT state, reason FROM meter_event") == [("held", "window_closed")]
    assert len(path.calls()) == 1


def test_a_day_of_refused_keys_holds_nothing(path):
    path.fault("unauthorized", times=3)
    customer = path.sealed(5)
    for _ in range(3):
        path.send()
        path.pass_time(hours=12)

    path.walk()

    assert path.states() == {"confirmed": 1}
    assert path.counted() == {(customer, "tokens"): "5"}


def test_every_attempt_with_a_status_is_one_call_at_stripe(path):
    for seed, kind in enumerate(["rate_limited", "error_before", "error_after", "reply_lost", "conflict"]):
        path.fault(kind, share=0.15, seed=seed)
    path.sealed(*range(1, 31))

    path.walk()

    answered = path.ask("SELECT request_id FROM attempt WHERE status IS NOT NULL")
    heard = [call["request_id"] for call in path.calls() if call["fate"] != "lost"]
    assert sorted(answered) == sorted(heard)
    assert len(path.calls()) == path.ask("SELECT count(*) FROM attempt")[0]
    assert path.states() == {"confirmed": 30}


def test_an_attempt_is_committed_before_its_call(path, gateway_that_looks):
    path.sealed(1, 2, 3)

    path.another_submitter(gateway=gateway_that_looks).turn(path.lease())

    assert gateway_that_looks.open_attempts == [1, 1, 1]
    assert path.states() == {"accepted": 3}


def test_one_meter_event_that_backs_off_does_not_hold_up_the_others_of_its_lane(path, patient_submitter):
    path.fault("error_before", times=1)
    path.sealed(1, 2, 3)
    patient_submitter.drain("default", 0)
    path.pass_time(seconds=2)

    patient_submitter.drain("default", 0)

    assert path.ask("SELECT state FROM meter_event ORDER BY meter_event_id") == ["unknown", "accepted", "accepted"]
