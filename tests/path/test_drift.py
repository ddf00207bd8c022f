"""Where Stripe's books and ours differ: what is waited for, what is told apart, and what stands before a person."""

import pytest

from service.gateway import Gateway, StripeUnavailable
from workers.reconcile import Reconciler


def test_where_an_hours_sums_differ_each_minute_is_looked_at_by_itself(path):
    path.sealed(1, 2, 4)
    path.send()
    pretend_accepted(path, value=8)

    path.walk()

    assert path.ask("SELECT value, state FROM meter_event ORDER BY value") == [
        (1, "confirmed"),
        (2, "confirmed"),
        (4, "confirmed"),
        (8, "accepted"),
    ]


def test_what_is_missing_after_25_hours_is_held(path):
    path.sealed(1)
    path.send()
    pretend_accepted(path, value=8)
    path.walk()
    path.pass_time(hours=26)

    path.walk()

    assert path.ask("SELECT value, state, reason FROM meter_event ORDER BY value") == [
        (1, "confirmed", None),
        (8, "held", "accepted by Stripe, but missing from its summary"),
    ]


@pytest.mark.parametrize("formula", ["count", "last"])
def test_what_cannot_be_told_apart_by_minutes_is_held_after_25_hours_with_its_minute(path, formula):
    path.make_meter("tokens", formula=formula)
    path.sealed(1)
    path.send()
    pretend_accepted(path, value=8, minutes=0, owns_minute=False)
    path.walk()
    assert path.states() == {"accepted": 2}

    path.pass_time(hours=26)
    path.walk()

    assert path.states() == {"held": 2}


@pytest.mark.parametrize(("counted_too", "state"), [(5, "conflict"), (-2, "held")])
def test_what_stripe_counts_otherwise_for_25_hours_stands_before_a_person_with_both_figures(path, counted_too, state):
    customer = path.sealed(5)
    path.send()
    foreign(path, customer, value=counted_too)
    path.reconciler.confirm_due()
    path.pass_time(hours=26)

    path.reconciler.confirm_due()

    reason = f"Stripe counts {5 + counted_too}, we reported 5"
    assert path.ask("SELECT state, reason FROM meter_event") == [(state, reason)]


@pytest.mark.parametrize(("formula", "state"), [("count", "conflict"), ("last", "held")])
def test_what_owns_no_minute_is_compared_by_the_whole_set_of_its_minute(path, formula, state):
    path.make_meter("tokens", formula=formula)
    customer = path.sealed(5, 6)
    path.send()
    foreign(path, customer, value=9, number=1)
    path.pass_time(hours=26)

    path.reconciler.confirm_due()

    assert path.ask("SELECT value, state FROM meter_event ORDER BY value") == [(5, "confirmed"), (6, state)]


def test_sums_that_share_a_minute_are_compared_as_one(path):
    path.sealed(5, 6)
    path.send()
    pretend_accepted(path, value=8)
    path.write("ALTER TABLE meter_event DISABLE TRIGGER meter_event_is_immutable")
    path.write("UPDATE meter_event SET minute = NULL, stamped_at = bucket WHERE value <> 6")
    path.pass_time(hours=26)

    path.reconciler.confirm_due()

    assert path.ask("SELECT value, state, reason FROM meter_event ORDER BY value") == [
        (5, "held", "Stripe counts 5, we reported 13"),
        (6, "confirmed", None),
        (8, "held", "Stripe counts 5, we reported 13"),
    ]


def test_a_surplus_is_said_once_and_at_once(path, said):
    customer = path.sealed(5)
    path.send()
    foreign(path, customer, value=5)

    path.reconciler.confirm_due()
    path.pass_time(seconds=1)
    path.reconciler.confirm_due()

    assert [line["reason"] for line in said("meter_event.drifted")] == ["Stripe counts 10, we reported 5"]
    assert path.states() == {"accepted": 1}


def test_a_surplus_that_is_gone_again_leaves_no_trace(path):
    customer = path.sealed(5)
    path.send()
    foreign(path, customer, value=5)
    path.reconciler.confirm_due()
    foreign(path, customer, value=-5)

    path.reconciler.confirm_due()

    assert path.ask("SELECT state, reason FROM meter_event") == [("confirmed", None)]


def test_minutes_that_cannot_be_settled_do_not_starve_the_others(path):
    customer = path.sealed(*[5] * 40)
    path.send()
    for number in range(30):
        foreign(path, customer, value=5, number=number)

    path.reconciler.confirm_due()
    path.pass_time(seconds=1)
    path.reconciler.confirm_due()

    assert path.states() == {"accepted": 30, "confirmed": 10}


def test_what_was_read_before_a_failure_is_confirmed(path, meanwhile):
    path.sealed(1, 2, 4)
    path.send()
    pretend_accepted(path, value=8)

    reconciler = meanwhile(path, lambda: path.fault("error_before", path="*/event_summaries", times=1), at=4)
    with pytest.raises(StripeUnavailable):
        reconciler.confirm_due()

    assert path.states() == {"accepted": 3, "confirmed": 1}


def test_an_hour_that_changes_while_it_is_read_is_not_confirmed_by_accident(path, meanwhile):
    customer = path.sealed(5)
    pretend_sent(path)

    meanwhile(path, lambda: (path.sealed(5, customer=customer), path.send())).confirm_due()

    assert path.states() == {"accepted": 2}


def test_a_minute_that_changes_while_it_is_read_is_no_surplus(path, meanwhile, said):
    customer = path.sealed(5)
    path.send()
    foreign(path, customer, value=5)

    meanwhile(path, lambda: pretend_accepted(path, value=8, minutes=0, owns_minute=False), at=2).confirm_due()

    assert path.states() == {"accepted": 2}
    assert said("meter_event.drifted") == []


def pretend_accepted(path, *, value, owns_minute=True, minutes=1):
    """A meter event that Stripe took and then dropped: accepted here, and nowhere in its books."""
    stamped = f"stamped_at + interval '{minutes} minutes'"
    minute = stamped if owns_minute else "NULL"
    path.write(
        "INSERT INTO meter_event (lane_id, meter_stripe_id, formula, bucket, stamped_at, minute, value, entries,"
        " payload, is_unbilled, state, accepted_at)"
        f" SELECT lane_id, meter_stripe_id, formula, bucket, {stamped}, {minute}, {value}, 1, payload, false,"
        " 'accepted', ledger_now() FROM meter_event ORDER BY meter_event_id LIMIT 1"
    )
    path.write(
        "INSERT INTO generation (meter_event_id, generation, identifier) SELECT meter_event_id, 1, 'pretended'"
        " FROM meter_event ORDER BY meter_event_id DESC LIMIT 1"
    )


def pretend_sent(path):
    """What was sealed is accepted here, and nowhere in Stripe's books."""
    path.write("UPDATE meter_event SET state = 'accepted', due_at = NULL, accepted_at = ledger_now()")
    path.write("UPDATE lane SET due_at = NULL, confirm_at = ledger_now()")


def foreign(path, customer, *, value, number=0):
    """Somebody else reports usage of the same minute, and the lane is due again."""
    stamped_at = path.ask(f"SELECT stamped_at FROM meter_event ORDER BY stamped_at OFFSET {number} LIMIT 1")[0]
    told = {"payload": {"stripe_customer_id": customer, "value": str(value)}, "timestamp": int(stamped_at.timestamp())}
    path.stripe.v1.billing.meter_events.create({"event_name": "tokens", **told})
    path.write("UPDATE lane SET confirm_at = ledger_now()")


class GatewayMeanwhile(Gateway):
    """Something happens just before the n-th reading of a summary."""

    def __init__(self, path, act, *, at):
        super().__init__(path.settings)
        self._act = act
        self._left = at

    def read_summaries(self, *args, **more):
        self._left -= 1
        if self._left == 0:
            self._act()
        return super().read_summaries(*args, **more)


@pytest.fixture
def meanwhile():
    """A reconciler that is slow to read."""

    def make(path, act, *, at=1):
        gateway = GatewayMeanwhile(path, act, at=at)
        return Reconciler(path.ledger, gateway, "default", timing=path.settings.timing)

    return make


@pytest.fixture
def said(caplog):
    """The lines of one name that were said so far."""
    return lambda name: [
        record.msg for record in caplog.records if isinstance(record.msg, dict) and record.msg["event"] == name
    ]
