"""Step 6 where held meter events share their minute: all of them count, or none does, or a person decides."""

from datetime import UTC, datetime, timedelta

import pytest


def test_all_of_a_shared_minute_that_had_landed_are_billed_once(path, send_each):
    customer = counted_in_one_minute(path, rows=3)
    send_each("reply_lost", "reply_lost", "reply_lost")

    path.pass_time(hours=23)
    path.walk()

    assert path.states() == {"confirmed": 3}
    assert path.counted() == {(customer, "calls"): "3"}
    assert path.ask("SELECT DISTINCT verdict, counted, expected, settled FROM reading") == [("present", 3, 3, 0)]


def test_none_of_a_shared_minute_that_had_landed_are_sent_anew_and_billed_once(path, send_each):
    customer = counted_in_one_minute(path, rows=3)
    send_each("conflict", "conflict", "conflict")
    wait_for_proof(path)

    path.walk()

    assert path.states() == {"confirmed": 4}
    assert path.counted()[customer, "calls"] == "3"
    assert path.ask("SELECT generation, count(*) FROM meter_event GROUP BY generation ORDER BY 1") == [(1, 1), (2, 3)]
    assert path.audit()["applied_twice"] == []


def test_a_part_of_a_shared_minute_is_a_conflict_and_none_is_guessed(path, send_each):
    counted_in_one_minute(path, rows=3)
    send_each("reply_lost", "conflict", "conflict")
    wait_for_proof(path)

    path.walk()

    assert path.states() == {"conflict": 3, "confirmed": 1}
    assert path.ask("SELECT DISTINCT reason FROM meter_event WHERE state = 'conflict'") == [
        "Stripe counts 1 in its minute, where 3 is held"
    ]
    assert path.ask("SELECT max(generation) FROM generation") == [1]


def test_a_held_one_among_accepted_ones_is_told_by_what_is_left(path, send_each):
    customer = counted_in_one_minute(path, rows=2)
    send_each("conflict")
    path.send()
    path.write("UPDATE meter_event SET due_at = ledger_now() + '20 hours' WHERE state = 'unknown'")
    wait_for_proof(path)

    path.walk()

    assert path.states() == {"confirmed": 3}
    assert path.counted()[customer, "calls"] == "2"
    assert path.ask("SELECT counted, settled, expected FROM reading ORDER BY reading_id DESC LIMIT 1") == [(1, 1, 1)]


def test_what_is_accepted_in_a_minute_in_conflict_stands_before_a_person_too(path, send_each):
    customer = counted_in_one_minute(path, rows=2)
    send_each("reply_lost")
    path.send()
    (stamped_at,) = path.ask("SELECT DISTINCT stamped_at FROM meter_event")
    told = {"payload": {"stripe_customer_id": customer, "value": "1"}, "timestamp": int(stamped_at.timestamp())}
    path.stripe.v1.billing.meter_events.create({"event_name": "calls", **told})
    path.write("UPDATE meter_event SET due_at = ledger_now() + '20 hours' WHERE state = 'unknown'")
    path.pass_time(hours=23)

    path.walk()

    assert path.states() == {"conflict": 2}


def test_opposite_values_that_share_a_minute_are_a_persons(path, send_each):
    path.sealed(5, -5)
    send_each("conflict", "conflict")
    share_the_minute(path)
    wait_for_proof(path, meter="tokens")

    path.walk()

    assert path.states() == {"held": 2, "confirmed": 1}
    (reason,) = path.ask("SELECT DISTINCT reason FROM meter_event WHERE state = 'held'")
    assert reason.startswith("window_closed; not read back: it shares its minute with one of the opposite sign")


def test_sums_that_share_a_minute_are_sent_anew_together(path, send_each):
    customer = path.sealed(5, 6)
    send_each("conflict", "conflict")
    share_the_minute(path)
    wait_for_proof(path, meter="tokens")

    path.walk()

    assert path.states() == {"confirmed": 3}
    assert path.counted()[customer, "tokens"] == "11"


def test_a_minute_in_which_something_is_still_sent_is_not_read(path, send_each):
    counted_in_one_minute(path, rows=2)
    send_each("conflict", "conflict")
    path.write("UPDATE meter_event SET due_at = ledger_now() + '2 days' WHERE meter_event_id = 2")
    path.pass_time(hours=23)

    path.walk()

    assert path.states() == {"held": 1, "unknown": 1}
    assert path.ask("SELECT 1 FROM reading") == []


def test_the_last_value_of_a_minute_is_never_read_back(path, send_each):
    path.make_meter("calls", formula="last")
    path.sealed(5, meter="calls")
    send_each("reply_lost")
    wait_for_proof(path)

    path.walk()

    ((state, reason),) = path.ask("SELECT state, reason FROM meter_event WHERE value = 5")
    assert state == "held"
    assert reason == (
        "window_closed; not read back: the summary of a `last` meter shows no single meter event; a person decides"
    )


def test_what_a_person_discarded_is_asked_about_no_more(path, send_each):
    counted_in_one_minute(path, rows=1)
    send_each("conflict")
    path.pass_time(hours=23)
    path.send()
    discard(path, 1)

    wait_for_proof(path)
    path.walk()

    assert path.states() == {"held": 1, "confirmed": 1}
    assert path.ask("SELECT 1 FROM reading") == []


def test_one_that_shares_its_minute_with_a_discarded_one_is_a_persons(path, send_each):
    counted_in_one_minute(path, rows=2)
    send_each("conflict", "conflict")
    path.pass_time(hours=23)
    path.send()
    discard(path, 1)

    wait_for_proof(path)
    path.walk()

    reasons = path.ask("SELECT reason FROM meter_event WHERE state = 'held' ORDER BY meter_event_id")
    assert reasons[0] == "window_closed"
    assert "in conflict" in reasons[1]


@pytest.fixture
def send_each(path, patient_submitter):
    """Calls for one meter event after the other; each call goes wrong in the way that is named."""

    def send(*faults):
        for fault in faults:
            path.fault(fault, times=1)
            patient_submitter.drain("default", 0)
            path.pass_time(seconds=2)

    return send


def counted_in_one_minute(path, *, rows):
    """Rows of a `count` meter in one minute, sealed; returns their customer."""
    path.make_meter("calls", formula="count")
    customer = path.make_customer()
    minute = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    with path.client.batch() as batch:
        for _ in range(rows):
            batch.usage(customer, "calls", 1, occurred_at=minute)
    path.record()
    path.seal()
    return customer


def wait_for_proof(path, *, meter="calls"):
    """The window closes, a canary shows, an absence is read once, and half an hour is over."""
    path.pass_time(hours=23)
    path.walk()
    path.pass_time(hours=3)
    path.sealed(1, meter=meter)
    path.walk()
    path.write("UPDATE meter_event SET read_back_at = NULL")
    path.walk()
    path.pass_time(minutes=31)


def share_the_minute(path):
    """As sums do whose hour is full."""
    path.write("ALTER TABLE meter_event DISABLE TRIGGER meter_event_is_immutable")
    path.write("UPDATE meter_event SET minute = NULL, stamped_at = date_trunc('hour', stamped_at)")
    path.write("ALTER TABLE meter_event ENABLE TRIGGER meter_event_is_immutable")


def discard(path, meter_event_id):
    path.write(
        "INSERT INTO operator_action (actor, verb, subject, reason, state_before, state_after)"
        f" VALUES ('ada', 'discard', 'me-{meter_event_id}', 'a test says so', 'held', 'discarded')"
    )
