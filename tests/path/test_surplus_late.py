"""A copy too many that comes in while Stripe's summaries are 30 hours late: no turn passes before it could show."""

from dataclasses import replace

import pytest

from local.sandbox import ask_sandbox
from service.ledger.generations import next_generation
from service.limiter import Unlimited
from service.timing import STANDARD
from workers._cancelling import Canceller
from workers._second_readings import SecondReader

ADJUSTMENTS = "/v1/billing/meter_event_adjustments"
TOO_LATE = "Stripe counts 10 in its minute, where 5 was confirmed; received too long ago to be cancelled"


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_copy_that_a_late_summary_does_not_show_yet_is_found_by_a_later_turn(path, is_confirmed):
    stopped, lease, call = given_up(path)
    path.send()
    if is_confirmed:
        path.reconciler.confirm_due()
    path.pass_time(hours=32)
    late_by(path, hours=30)

    stopped._close(call, stopped._make(call), lease=lease)

    live_on(path, hours=56)
    assert path.ask("SELECT state, reason FROM meter_event WHERE value = 5") == [("conflict", TOO_LATE)]


def test_a_copy_that_one_old_answer_hides_from_who_was_away_is_told_days_later(path):
    stopped, lease, call = given_up(path)
    path.walk()
    path.pass_time(hours=32)
    stopped._close(call, stopped._make(call), lease=lease)
    late_by(path, hours=72)
    path.pass_time(hours=47)

    live_on(path, hours=56)

    assert path.ask("SELECT state, reason FROM meter_event WHERE value = 5") == [("conflict", TOO_LATE)]


def test_a_late_answer_has_its_hour_read_soon(path):
    stopped, lease, call = given_up(path)
    path.walk()
    path.pass_time(hours=50)
    stopped._close(call, stopped._make(call), lease=lease)

    SecondReader(path.ledger, path.gateway, "default", timing=path.settings.timing).read_again_due()

    assert path.ask("SELECT count(*) FROM surplus") == [1]


@pytest.mark.parametrize("way_back", ["latency", "reply_lost"])
def test_a_late_answer_begins_the_turns_of_its_hour_anew_even_if_it_is_lost(path, way_back):
    stopped, lease, call = given_up(path)
    path.walk()
    path.pass_time(hours=56)
    path.fault(way_back)

    stopped._close(call, stopped._make(call), lease=lease)

    assert path.ask("SELECT accepted_at > ledger_now() - interval '1 minute' FROM confirmed_hour") == [True]


def test_a_late_answer_begins_the_turns_anew_also_where_what_followed_is_held(path):
    stopped, lease, call = given_up(path)
    path.walk()
    path.pass_time(hours=26)
    proven_absent_and_sent_anew(path)
    path.pass_time(hours=26)
    path.write("UPDATE meter_event SET state = 'held', reason = 'missing'")

    stopped._close(call, stopped._make(call), lease=lease)

    assert path.states() == {"conflict": 1}
    assert path.ask("SELECT accepted_at > ledger_now() - interval '1 minute' FROM confirmed_hour") == [True]


def test_what_was_contradicted_is_not_confirmed_by_an_old_answer(path):
    path.sealed(5)
    path.fault("rejected_later", times=1)
    path.send()
    proven_absent_and_sent_anew(path)
    path.walk()
    path.write("UPDATE meter_event SET state = 'conflict', reason = 'Stripe counts 10 in its minute'")

    live_on(path, hours=2)

    assert path.ask("SELECT state, generation FROM meter_event") == [("conflict", 2)]


@pytest.mark.parametrize(
    "stopped",
    [
        "INSERT INTO pause VALUES ('default', 'tokens', ledger_now(), 'ada', 'because')",
        "UPDATE account SET openings = 1, paused_until = ledger_now()",
    ],
    ids=["by a person", "by the breaker"],
)
def test_a_copy_for_which_it_is_too_late_is_told_while_nothing_is_sent(path, stopped):
    copies_too_many(path, 5, 6, cancel_until="ledger_now() + (value - 5.5) * interval '1 hour'")
    path.write(stopped)

    Canceller(path.ledger, path.gateway, Unlimited(), account="default", timing=path.settings.timing).cancel_due()

    assert path.calls(ADJUSTMENTS) == []
    told = "Stripe counts it twice, and no call could cancel one"
    assert path.ask("SELECT value, reason FROM meter_event ORDER BY value") == [(5, told), (6, None)]
    assert path.ask("SELECT count(*) FROM surplus WHERE due_at IS NOT NULL") == [1]


def copies_too_many(path, *values, cancel_until):
    """Confirmed meter events of one lane, of each of which Stripe counts a copy too many."""
    path.sealed(*values)
    path.walk()
    path.write(
        "INSERT INTO surplus (meter_event_id, generation, cancel_until, due_at)"
        f" SELECT meter_event_id, generation, {cancel_until}, ledger_now() FROM meter_event"
    )


def proven_absent_and_sent_anew(path):
    path.write("ALTER TABLE meter_event DISABLE TRIGGER meter_event_moves_forward")
    path.write("UPDATE meter_event SET state = 'held', reason = 'missing'")
    path.write(
        "INSERT INTO reading (meter_event_id, generation, minute, read_at, counted, settled, expected, verdict)"
        " SELECT meter_event_id, generation, stamped_at, ledger_now(), 0, 0, value, 'proven_absent' FROM meter_event"
    )
    with path.ledger.transaction() as tx:
        next_generation(tx, path.ask("SELECT meter_event_id FROM meter_event")[0], reason="absent")
    path.send()


def given_up(path):
    """A worker stopped within a call, which its heir has called lost."""
    path.sealed(5)
    stopped, lease = path.another_submitter(), path.lease()
    call = stopped._open(lease)
    path.pass_time(seconds=30)
    path.submitter._close_dead_attempts(path.lease())
    path.pass_time(seconds=30)
    return stopped, lease, call


def late_by(path, *, hours):
    settings = {"account": path.stripe_account, "summary_lag_s": hours * 3600}
    ask_sandbox(path.sandbox.url, "/_sandbox/settings", settings)


def live_on(path, *, hours):
    timing = replace(path.settings.timing, second_readings_s=STANDARD.second_readings_s)
    reader = SecondReader(path.ledger, path.gateway, "default", timing=timing)
    for _ in range(2 * hours):
        path.reconciler.confirm_due()
        reader.read_again_due()
        path.pass_time(minutes=31)
