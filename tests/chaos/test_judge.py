"""The judge finds each thing that can be wrong, and nothing where nothing is."""

import pytest

from chaos.calls import CallLog, CallsForgotten
from local.sandbox import ask_sandbox


def test_what_was_billed_once_is_judged_clean(case):
    assert case.verdict().wrongs() == []
    assert case.verdict().is_clean


def test_a_row_that_was_told_and_not_billed_is_lost(case):
    case.tell(5)
    assert (case.verdict().lost, case.verdict().extra, case.verdict().is_clean) == (5, 0, False)


def test_units_that_stripe_counted_twice_are_extra(case):
    case.report(7)
    assert (case.verdict().lost, case.verdict().extra) == (0, 7)


def test_a_loss_does_not_hide_behind_a_doubling_of_another_hour(case):
    case.report(7)
    case.told[case.customer, "tokens", 0] = 7
    assert (case.verdict().lost, case.verdict().extra) == (7, 7)


def test_a_call_that_nobody_wrote_down_is_found(case):
    case.report(7)
    assert [call.call_id for call in case.verdict().joined.unwritten] == [None]


def test_a_second_call_of_one_attempt_is_found(case):
    name = case.verdict().joined
    case.report(0, **{"X-Request-Id": case.calls.calls[0].call_id})
    assert (len(name.unwritten), len(case.verdict().joined.unwritten)) == (0, 2)


def test_an_answered_attempt_that_was_no_call_is_found(case):
    case.write("""
        INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence, ended_at, outcome, status)
        SELECT lane_id, meter_event_id, generation, idempotency_key, 99, now(), 'accepted', 200 FROM attempt
    """)
    assert [attempt.status for attempt in case.verdict().joined.uncalled] == [200]


def test_an_attempt_that_nobody_heard_of_need_not_have_been_a_call(case):
    case.write("""
        INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence, ended_at, outcome, code)
        SELECT lane_id, meter_event_id, generation, idempotency_key, 99, now(), 'unknown', 'lost' FROM attempt
    """)
    assert case.verdict().joined.uncalled == ()


def test_a_breach_of_the_ledgers_own_rules_is_named(case):
    case.write("DELETE FROM entry")
    assert {breach.invariant for breach in case.verdict().breaches} >= {"rows", "sums"}


def test_calls_that_the_log_forgot_are_not_passed_over(sandbox_url):
    ask_sandbox(sandbox_url, "/_sandbox/audit/calls")
    log = CallLog(sandbox_url=sandbox_url, account="acct_none")
    with pytest.raises(CallsForgotten):
        log._take({"number": 2})
