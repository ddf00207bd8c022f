"""Days of faults that no retry outlives: what is held comes to an end by Stripe's books, and is billed once."""

import pytest

from local.sandbox import ask_sandbox

FAULTS = ["reply_lost", "conflict", "error_before", "error_after", "lock_timeout"]


@pytest.mark.parametrize("lag_h", [0, 30])
def test_after_an_outage_longer_than_the_window_everything_is_billed_once(path, patient_submitter, lag_h):
    lag(path, hours=lag_h)
    billed = landed_or_not(path, patient_submitter)
    billed |= {path.sealed(number, 2 * number): str(3 * number) for number in range(1, 7)}
    for seed, fault in enumerate(FAULTS):
        path.fault(fault, share=0.25, seed=seed)
    for _ in range(4):
        patient_submitter.drain("default", 0)
        path.pass_time(seconds=2)
    path.pass_time(hours=24)
    end_outage(path)

    live_on(path, hours=100)
    come_to_rest(path, hours=60)

    assert set(path.states()) == {"confirmed"}
    assert {customer: path.counted()[customer, "tokens"] for customer in billed} == billed
    assert set(path.ask("SELECT DISTINCT verdict FROM reading")) == {"present", "unseen", "absent", "proven_absent"}


def landed_or_not(path, submitter):
    """Two customers' meter events whose only calls went wrong: the first one's were counted, the other's were not."""
    billed = {}
    for fault in ("reply_lost", "conflict"):
        path.fault(fault, times=2)
        billed[path.sealed(20, 22)] = "42"
        submitter.drain("default", 0)
        path.pass_time(seconds=2)
        submitter.drain("default", 0)
    return billed


def lag(path, *, hours):
    wanted = {"account": path.stripe_account, "summary_lag_s": hours * 3600}
    ask_sandbox(path.sandbox.url, "/_sandbox/settings", wanted)


def end_outage(path):
    ask_sandbox(path.sandbox.url, "/_sandbox/faults", method="DELETE")


def live_on(path, *, hours):
    """Usage goes on, a little every five hours."""
    for _ in range(0, hours, 5):
        path.sealed(1)
        path.walk()
        path.pass_time(hours=5)


def come_to_rest(path, *, hours):
    """No more usage; what is known late comes in."""
    for _ in range(0, hours, 5):
        path.walk()
        path.pass_time(hours=5)
    path.walk()
