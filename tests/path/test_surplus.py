"""A copy too many: a call that was made a day after its lease counts a second time, is found, and is cancelled."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from cli.row import command
from local.sandbox import ask_sandbox
from service.ledger.cancelling import lease_lanes_to_cancel
from service.limiter import Unlimited
from service.timing import STANDARD
from workers._cancelling import Canceller
from workers._second_readings import SecondReader

ADJUSTMENTS = "/v1/billing/meter_event_adjustments"


def test_a_call_made_26_hours_late_is_found_and_cancelled_and_billed_once(path, books):
    customer = doubled(path)

    books.live_on(hours=20)

    assert path.states() == {"confirmed": 1}
    assert path.counted() == {(customer, "tokens"): "5"}
    assert path.ask("SELECT outcome, status FROM cancellation") == [("accepted", 200)]
    assert path.ask("SELECT verdict FROM second_reading WHERE length = '1 minute' ORDER BY read_at") == [
        "surplus",
        "agreed",
    ]
    assert path.ask("SELECT ending FROM surplus") == ["cancelled"]


def test_everything_of_a_cancellation_is_told(path, books):
    doubled(path)

    books.live_on(hours=20)

    told = story(path)
    assert "read again: counted 10, expected 5: one counts twice" in told
    assert ": Stripe took it, status 200" in told.partition("asked Stripe to cancel one copy of mp-")[2]
    assert "read again: counted 5, expected 5: they agree" in told


def test_a_copy_whose_answer_nobody_heard_is_found_by_a_later_reading(path, books):
    customer = doubled(path, is_heard=False)
    assert path.ask("SELECT outcome FROM attempt ORDER BY attempt_id") == ["unknown", "accepted"]
    a_draft(path, finalizes_in="20 minutes")

    books.live_on(hours=2)

    assert path.counted() == {(customer, "tokens"): "5"}
    assert path.states() == {"confirmed": 1}


def test_a_copy_that_was_received_more_than_a_day_ago_is_a_conflict_with_figures(path, books):
    doubled(path)
    path.pass_time(hours=24)

    books.live_on(hours=2)

    reason = "Stripe counts 10 in its minute, where 5 was confirmed; received too long ago to be cancelled"
    assert path.ask("SELECT state, reason FROM meter_event") == [("conflict", reason)]
    assert path.ask("SELECT 1 FROM cancellation") == []


def test_a_surplus_that_no_call_of_ours_explains_is_a_conflict_with_figures(path, books):
    customer = path.sealed(5)
    path.walk()
    foreign(path, customer, value=5)

    books.live_on(hours=3)

    reason = "Stripe counts 10 in its minute, where 5 was confirmed"
    assert path.ask("SELECT state, reason FROM meter_event") == [("conflict", reason)]
    assert path.calls(ADJUSTMENTS) == []


def test_a_cancellation_whose_answer_is_lost_is_asked_for_again_under_the_same_key(path, books):
    customer = doubled(path)
    path.fault("reply_lost", path=ADJUSTMENTS, times=1)

    books.live_on(hours=2)

    assert path.ask("SELECT outcome, is_replayed FROM cancellation ORDER BY cancellation_id") == [
        ("unknown", False),
        ("accepted", True),
    ]
    assert len({call["idempotency_key"] for call in path.calls(ADJUSTMENTS)}) == 1
    assert len(path.audit()["cancelled"]) == 1
    assert path.counted() == {(customer, "tokens"): "5"}


@pytest.mark.parametrize("is_called", [False, True])
def test_a_worker_killed_between_writing_and_closing_a_cancellation_leaves_one_effect(path, books, is_called):
    customer = doubled(path)
    books.reader.read_again_due()
    killed = books.another_canceller()
    (lease,) = books.leases()
    call = killed._open(lease)
    assert call is not None
    _ = killed._make(call) if is_called else None

    books.live_on(hours=2)

    assert path.ask("SELECT code, outcome FROM cancellation ORDER BY cancellation_id") == [
        ("lost", "unknown"),
        (None, "accepted"),
    ]
    assert path.counted() == {(customer, "tokens"): "5"}
    assert len(path.audit()["cancelled"]) == 1


def test_a_cancellation_that_stripe_refuses_is_a_conflict_with_its_words(path, books, said):
    doubled(path)
    books.reader.read_again_due()
    path.sandbox.clock(advance=24 * 3600)

    books.canceller.cancel_due()

    ((state, reason),) = path.ask("SELECT state, reason FROM meter_event")
    assert state == "conflict"
    assert reason.startswith("Stripe counts it twice and refuses to cancel one: No event with identifier")
    assert path.ask("SELECT ending FROM surplus") == ["contradicted"]
    assert len(said("surplus.contradicted")) == 1


def test_a_cancellation_without_effect_is_a_conflict_once_no_lag_explains_it(path, books):
    switch(path, adjustment_validation="silently")
    doubled(path)
    books.reader.read_again_due()
    path.sandbox.clock(advance=24 * 3600)

    books.live_on(hours=27)

    reason = "Stripe counts 10 in its minute, where 5 was confirmed and a copy of 5 was to be cancelled"
    assert path.ask("SELECT state, reason FROM meter_event") == [("conflict", reason)]
    assert len(path.calls(ADJUSTMENTS)) == 1


def test_a_cancellation_that_takes_out_both_copies_is_a_conflict(path, books):
    customer = doubled(path)
    books.reader.read_again_due()
    books.canceller.cancel_due()
    foreign(path, customer, value=-5)

    books.live_on(hours=2)

    reason = "Stripe counts 0 in its minute, where 5 was confirmed and a copy of 5 was to be cancelled"
    assert path.ask("SELECT state, reason FROM meter_event") == [("conflict", reason)]


@pytest.mark.parametrize(
    "stopped",
    [
        "INSERT INTO pause VALUES ('default', 'tokens', ledger_now(), 'ada', 'because')",
        "UPDATE account SET openings = 1, paused_until = ledger_now()",
    ],
    ids=["by a person", "by the breaker"],
)
def test_nothing_is_cancelled_while_nothing_is_sent(path, books, stopped):
    doubled(path)
    path.write(stopped)

    books.live_on(hours=2)

    assert path.calls(ADJUSTMENTS) == []


@pytest.mark.parametrize("is_sent_anew", [True, False])
def test_what_was_taken_under_an_identifier_given_up_is_billed_once_and_confirmed(path, books, is_sent_anew):
    customer, stopped, lease, call = given_up(path)
    next_generation(path)
    if is_sent_anew:
        path.walk()
    stopped._close(call, stopped._make(call), lease=lease)
    assert path.ask("SELECT state FROM meter_event WHERE value = 5") == ["conflict"]

    books.live_on(hours=2)

    assert path.ask("SELECT state, reason FROM meter_event WHERE value = 5") == [("confirmed", None)]
    assert path.counted()[customer, "tokens"] == "5"
    assert len(path.calls(ADJUSTMENTS)) == is_sent_anew


def test_a_surplus_that_shows_before_the_first_confirmation_is_cancelled_as_well(path, books):
    customer, stopped, _, call = given_up(path)
    next_generation(path)
    path.send()
    stopped._make(call)

    path.walk()
    books.live_on(hours=2)
    path.walk()

    assert path.ask("SELECT state FROM meter_event WHERE value = 5") == ["confirmed"]
    assert path.counted()[customer, "tokens"] == "5"


class Books:
    """The steps that read Stripe's books, as rarely as in earnest."""

    def __init__(self, path):
        self.path = path
        self.timing = replace(
            path.settings.timing,
            second_readings_s=STANDARD.second_readings_s,
            before_finalization_s=STANDARD.before_finalization_s,
            cancel_settle_s=STANDARD.cancel_settle_s,
        )
        self.reader = SecondReader(path.ledger, path.gateway, "default", timing=self.timing)
        self.canceller = self.another_canceller()

    def another_canceller(self):
        return Canceller(self.path.ledger, self.path.gateway, Unlimited(), account="default", timing=self.timing)

    def leases(self):
        with self.path.ledger.transaction() as tx:
            return lease_lanes_to_cancel(tx, "default", timing=self.timing)

    def live_on(self, *, hours):
        for _ in range(2 * hours):
            while self.reader.read_again_due() + self.canceller.cancel_due():
                pass
            self.path.pass_time(minutes=31)


@pytest.fixture
def books(path):
    return Books(path)


@pytest.fixture
def said(caplog):
    """The lines of one name that were said so far."""
    return lambda name: [one.msg for one in caplog.records if isinstance(one.msg, dict) and one.msg["event"] == name]


def doubled(path, *, is_heard=True):
    """A meter event of 5 that is confirmed, and a call for it that was stopped for 26 hours just before it was sent."""
    customer, stopped, lease, call = given_up(path)
    path.walk()
    for hours in (1, 19, 6):
        path.pass_time(hours=hours)
        Books(path).reader.read_again_due()
    outcome = stopped._make(call)
    if is_heard:
        stopped._close(call, outcome, lease=lease)
    return customer


def given_up(path):
    """A worker with an open call, whose heir has called it lost."""
    customer = path.sealed(5)
    stopped, lease = path.another_submitter(), path.lease()
    call = stopped._open(lease)
    path.pass_time(seconds=30)
    path.submitter._close_dead_attempts(path.lease())
    path.pass_time(seconds=30)
    return customer, stopped, lease, call


def next_generation(path):
    """The meter event is held, proven absent with a canary's aid, and sealed anew."""
    path.write("UPDATE lane SET due_at = NULL")
    path.pass_time(hours=23)
    path.write("UPDATE lane SET due_at = ledger_now()")
    path.walk()
    path.pass_time(hours=3)
    path.sealed(1)
    path.walk()
    path.write("UPDATE meter_event SET read_back_at = NULL")
    path.walk()
    path.pass_time(minutes=31)
    assert path.reader.read_back_due() == 1


def story(path):
    """What `meterpost row show` tells of the only row."""
    (row_id,) = path.ask("SELECT row_id FROM entry")
    return CliRunner().invoke(command, ["show", row_id]).output


def foreign(path, customer, *, value):
    """Somebody else reports usage of the same minute."""
    (stamped_at,) = path.ask("SELECT stamped_at FROM meter_event")
    told = {"payload": {"stripe_customer_id": customer, "value": str(value)}, "timestamp": int(stamped_at.timestamp())}
    path.stripe.v1.billing.meter_events.create({"event_name": "tokens", **told})


def a_draft(path, *, finalizes_in):
    path.write(
        "INSERT INTO mirror SELECT account, 'invoice', 'in_1', customer, ledger_now(), NULL, false, jsonb_build_object("
        "'status', 'draft', 'period_start', 'epoch', 'period_end', ledger_now(), 'automatically_finalizes_at',"
        f" ledger_now() + interval '{finalizes_in}'), '{{}}' FROM lane"
    )


def switch(path, **wanted):
    ask_sandbox(path.sandbox.url, "/_sandbox/settings", {"account": path.stripe_account, **wanted})
