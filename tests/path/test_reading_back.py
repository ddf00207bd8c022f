"""Step 6 for what is held: Stripe's books tell what became of it, or a person does; nothing is billed twice."""

import pytest

from local.sandbox import ask_sandbox
from service.gateway import StripeUnavailable
from service.settings import load
from workers._reading_back import Reader

SUMMARIES = "*/event_summaries"


def test_what_had_landed_before_its_reply_was_lost_is_billed_once(path):
    customer = held(path, "reply_lost")

    path.walk()

    assert path.states() == {"confirmed": 1}
    assert path.counted() == {(customer, "tokens"): "5"}
    assert path.ask("SELECT verdict, counted, expected FROM reading") == [("present", 5, 5)]
    assert len(path.calls()) == 1


def test_what_never_landed_is_sent_under_a_new_identifier_and_billed_once(path):
    customer = unseen(path)
    other = canary(path)
    read_now(path)

    path.pass_time(minutes=31)
    path.walk()

    assert path.states() == {"confirmed": 2}
    assert path.counted() == {(customer, "tokens"): "5", (other, "tokens"): "1"}
    assert path.ask("SELECT verdict FROM reading ORDER BY reading_id") == [
        "unseen",
        "unseen",
        "absent",
        "proven_absent",
    ]
    assert path.ask("SELECT count(DISTINCT identifier) FROM generation WHERE reason LIKE 'absent from%%'") == [1]
    assert path.audit()["applied_twice"] == []


def test_what_is_sent_anew_keeps_its_time(path):
    unseen(path)
    canary(path)
    (before,) = path.ask("SELECT stamped_at FROM meter_event ORDER BY meter_event_id LIMIT 1")
    read_now(path)

    path.pass_time(minutes=31)
    path.walk()

    assert path.ask("SELECT stamped_at FROM meter_event WHERE generation = 2") == [before]


def test_without_a_canary_it_stays_held_for_days(path):
    unseen(path)

    for _ in range(20):
        path.pass_time(hours=12)
        path.walk()

    assert path.states() == {"held": 1}
    assert set(path.ask("SELECT verdict FROM reading")) == {"unseen"}
    assert len(path.ask("SELECT 1 FROM reading")) > 10


def test_a_canary_that_was_asked_for_before_the_last_attempt_proves_nothing(path):
    path.fault("reply_lost", times=1)
    path.sealed(1)
    path.submitter.turn(path.lease())
    path.write("UPDATE lane SET due_at = NULL")
    held(path, "conflict")
    path.write("UPDATE lane SET due_at = ledger_now()")
    path.walk()

    for _ in range(4):
        path.pass_time(hours=13)
        path.reader.read_back_due()

    assert path.states() == {"confirmed": 1, "held": 1}


def test_an_absence_read_once_is_no_proof(path):
    held(path, "conflict")
    path.pass_time(hours=3)
    canary(path)

    assert path.states() == {"confirmed": 1, "held": 1}
    assert path.ask("SELECT count(*) FROM reading WHERE verdict = 'absent'") == [1]


def test_an_absence_read_while_stripe_remembers_is_no_proof(path):
    held(path, "conflict")
    canary(path)
    path.pass_time(minutes=59)
    read_now(path)

    path.pass_time(minutes=59)
    read_now(path)

    assert path.states() == {"confirmed": 1, "held": 1}


def test_a_reading_from_before_the_25th_hour_is_none_of_the_two(path):
    held(path, "conflict")
    path.pass_time(hours=1, minutes=30)
    canary(path)
    path.pass_time(minutes=31)

    read_now(path)

    assert path.states() == {"confirmed": 1, "held": 1}


def test_summaries_that_are_30_hours_late_do_not_pass_for_absence(path):
    settings(path, summary_lag_s=30 * 3600)
    customer = held(path, "reply_lost")
    path.walk()
    for _ in range(10):
        path.sealed(1)
        path.pass_time(hours=1)
        read_now(path)

    path.walk()

    assert path.ask("SELECT state FROM meter_event WHERE value = 5") == ["confirmed"]
    assert path.counted()[customer, "tokens"] == "5"
    assert path.ask("SELECT max(generation) FROM generation") == [1]


def test_where_summaries_are_30_hours_late_an_absence_is_proven_once_a_canary_shows(path):
    settings(path, summary_lag_s=30 * 3600)
    customer = held(path, "conflict")
    for _ in range(16):
        path.sealed(1)
        path.pass_time(hours=3)
        read_now(path)

    assert path.ask("SELECT generation, state FROM meter_event WHERE value = 5")[0][0] == 2
    assert path.ask(
        "SELECT min(read_at - started_at) >= '30 hours' FROM reading, attempt WHERE canary_id IS NOT NULL"
        " AND attempt_id = 1"
    ) == [True]
    assert path.counted()[customer, "tokens"] == "5"


def test_a_surplus_in_its_minute_is_a_conflict_with_both_figures(path):
    customer = held(path, "reply_lost")
    foreign(path, customer, value=7)

    path.walk()

    reason = "Stripe counts 12 in its minute, where 5 is held"
    assert path.ask("SELECT state, reason FROM meter_event") == [("conflict", reason)]
    assert path.ask("SELECT verdict, counted, expected FROM reading") == [("contradicted", 12, 5)]


def test_after_34_days_what_does_not_count_is_a_persons_and_keeps_its_time(path):
    unseen(path)
    path.pass_time(days=33, hours=10)
    canary(path)
    read_now(path)

    path.pass_time(minutes=31)
    path.walk()

    ((state, reason),) = path.ask("SELECT state, reason FROM meter_event WHERE value = 5")
    assert state == "refused"
    assert "no meter event older than 35 days" in reason
    assert path.ask("SELECT max(generation) FROM generation") == [1]


def test_where_others_report_to_the_meter_a_person_decides(path):
    held(path, "conflict")
    reader = Reader(path.ledger, path.gateway, "default", timing=path.settings.timing, is_only_writer=False)
    path.send()

    reader.read_back_due()
    path.pass_time(hours=12)
    reader.read_back_due()

    ((state, reason),) = path.ask("SELECT state, reason FROM meter_event")
    assert state == "held"
    assert reason.startswith("window_closed; not read back: METERPOST_ONLY_WRITER is false")
    assert path.calls("/v1/billing/meters/*") == []


def test_a_setting_says_whether_others_report_to_our_meters(path, monkeypatch):
    assert path.settings.is_only_writer
    monkeypatch.setenv("METERPOST_ONLY_WRITER", "false")

    assert not load().is_only_writer


def test_what_stripe_refuses_to_tell_is_a_persons_too(path):
    path.sealed(5, customer="cus_nobody")
    path.write("UPDATE lane SET due_at = NULL")
    path.write("UPDATE meter_event SET state = 'held', reason = 'window_closed', due_at = NULL")

    path.reader.read_back_due()

    assert path.ask("SELECT state, reason FROM meter_event") == [
        ("held", "window_closed; not read back: Stripe refuses to tell its minute's summary; a person decides")
    ]


def test_a_lane_with_a_held_meter_event_goes_on_sending(path):
    customer = held(path, "conflict")

    path.sealed(1, 2, 3, customer=customer)
    path.walk()

    assert path.states() == {"held": 1, "confirmed": 3}


def test_what_stripe_took_and_dropped_is_sent_anew(path):
    customer = path.sealed(5)
    path.write("UPDATE meter_event SET state = 'accepted', due_at = NULL, accepted_at = ledger_now()")
    path.write("UPDATE lane SET due_at = NULL, confirm_at = ledger_now()")
    path.pass_time(hours=26)
    path.walk()
    canary(path)
    read_now(path)

    path.pass_time(minutes=31)
    path.walk()

    assert path.states() == {"confirmed": 2}
    assert path.counted()[customer, "tokens"] == "5"


def test_summaries_that_cannot_be_read_leave_it_held_and_are_asked_for_again(path):
    held(path, "reply_lost")
    path.send()
    path.fault("error_before", path=SUMMARIES, times=1)

    with pytest.raises(StripeUnavailable):
        path.reader.read_back_due()

    assert path.states() == {"held": 1}
    path.pass_time(seconds=path.settings.timing.unread_wait_s)
    path.walk()
    assert path.states() == {"confirmed": 1}


def test_a_reading_of_books_that_changed_meanwhile_counts_for_nothing(path):
    held(path, "reply_lost")
    path.send()
    with path.ledger.transaction() as tx:
        (minute,) = path.reader._claim(tx)
        seen = path.reader._look(tx, minute)
    path.write("UPDATE meter_event SET state = 'accepted', accepted_at = ledger_now()")

    assert path.reader._conclude(minute, seen, counted=seen.held) == 0
    assert path.ask("SELECT 1 FROM reading") == []


def held(path, fault):
    """A meter event of 5 whose only call went wrong, 23 hours ago; the next look at it holds it."""
    path.fault(fault, times=1)
    customer = path.sealed(5)
    path.submitter.turn(path.lease())
    path.pass_time(hours=23)
    return customer


def unseen(path):
    """As before, but nothing of it landed, and it was read a day after that."""
    customer = held(path, "conflict")
    path.walk()
    path.pass_time(hours=3)
    path.walk()
    return customer


def canary(path):
    """Another customer's meter event of the same meter, confirmed."""
    customer = path.sealed(1)
    path.walk()
    return customer


def read_now(path):
    path.walk()
    path.write("UPDATE meter_event SET read_back_at = NULL")
    path.walk()


def settings(path, **wanted):
    ask_sandbox(path.sandbox.url, "/_sandbox/settings", {"account": path.stripe_account, **wanted})


def foreign(path, customer, *, value):
    """Somebody else reports usage of the same minute."""
    (stamped_at,) = path.ask("SELECT stamped_at FROM meter_event")
    told = {"payload": {"stripe_customer_id": customer, "value": str(value)}, "timestamp": int(stamped_at.timestamp())}
    path.stripe.v1.billing.meter_events.create({"event_name": "tokens", **told})
