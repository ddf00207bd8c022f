"""Corrections against the sandbox: cancelled within a day, entered beside it afterwards, and Stripe's totals follow."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from service import agreement, invariants
from service.correcting import Change
from service.ledger.actions import Order
from service.ledger.answers import Acted, Declined, Unneeded
from service.ledger.correcting import Target, correct
from service.limiter import Unlimited
from service.timing import STANDARD
from workers._cancelling import Canceller
from workers._second_readings import SecondReader

ADA = Order(actor="ada", reason="a test export")
WHOLE = Change()
ADJUSTMENTS = "/v1/billing/meter_event_adjustments"


class Desk:
    """Where corrections are ordered, and the steps that follow from them."""

    def __init__(self, path):
        self.path = path
        timing = replace(path.settings.timing, second_readings_s=STANDARD.second_readings_s)
        self.reader = SecondReader(path.ledger, path.gateway, "default", timing=timing)
        self.canceller = Canceller(path.ledger, path.gateway, Unlimited(), account="default", timing=timing)

    def correct(self, target, change=WHOLE, *, is_only_writer=True):
        timing = self.path.settings.timing
        with self.path.ledger.transaction() as tx:
            return correct(tx, target, change, order=ADA, is_only_writer=is_only_writer, timing=timing)

    def live_on(self, *, minutes=10):
        for _ in range(minutes):
            while self.canceller.cancel_due() + self.reader.read_again_due():
                pass
            self.path.walk()
            self.path.pass_time(minutes=1)


@pytest.fixture
def desk(path):
    return Desk(path)


@pytest.fixture
def confirmed(path):
    """A customer whose meter events of these values are confirmed."""

    def make(*values, **more):
        customer = path.sealed(*values, **more)
        path.walk()
        return customer

    return make


def of(path, value):
    (meter_event_id,) = path.ask(f"SELECT meter_event_id FROM meter_event WHERE value = {value}")
    return Target(name=f"me-{meter_event_id}", meter_event_id=meter_event_id)


def row(path, value):
    (entry_id,) = path.ask(f"SELECT entry_id FROM entry WHERE value = {value}")
    return Target(name=f"entry-{entry_id}", entry_id=entry_id)


def breaches(path):
    with path.ledger.transaction() as tx:
        return invariants.check(tx, timing=path.settings.timing)


def test_what_stripe_received_within_a_day_is_cancelled_there(path, desk, confirmed):
    customer = confirmed(5, 7)

    corrected = desk.correct(of(path, 5))
    desk.live_on()

    assert isinstance(corrected.answer, Acted)
    assert corrected.preview.way == "cancelled at Stripe"
    assert path.ask("SELECT value, state FROM meter_event ORDER BY value") == [(5, "cancelled"), (7, "confirmed")]
    assert path.counted() == {(customer, "tokens"): "7"}
    assert len(path.audit()["cancelled"]) == 1
    assert breaches(path) == []


def test_a_row_that_is_alone_in_its_meter_event_is_cancelled_as_well(path, desk, confirmed):
    customer = confirmed(5, 7)
    desk.correct(row(path, 7))
    desk.live_on()
    assert path.counted() == {(customer, "tokens"): "5"}
    assert path.states() == {"cancelled": 1, "confirmed": 1}


def test_after_a_day_an_entry_takes_it_back(path, desk, confirmed):
    customer = confirmed(5, 7)
    path.pass_time(hours=24)

    corrected = desk.correct(of(path, 5))
    desk.live_on()

    assert corrected.preview.why == "Stripe received it too long ago to cancel it"
    assert path.counted() == {(customer, "tokens"): "7"}
    assert path.calls(ADJUSTMENTS) == []
    assert path.ask("SELECT value, state FROM meter_event ORDER BY value") == [
        (-5, "confirmed"),
        (5, "confirmed"),
        (7, "confirmed"),
    ]


@pytest.mark.parametrize("change", [Change(by=Decimal(-2)), Change(to=Decimal(3))])
def test_a_part_is_taken_back_by_an_entry(path, desk, confirmed, change):
    customer = confirmed(5)
    corrected = desk.correct(of(path, 5), change)
    desk.live_on()
    assert (corrected.preview.units_before, corrected.preview.units_after) == (5, 3)
    assert path.counted() == {(customer, "tokens"): "3"}


@pytest.mark.parametrize("hours", [0, 24])
def test_asked_twice_it_is_done_once(path, desk, confirmed, hours):
    customer = confirmed(5, 7)
    path.pass_time(hours=hours)
    desk.correct(of(path, 5))

    again = desk.correct(of(path, 5))
    desk.live_on()
    once_more = desk.correct(of(path, 5))

    assert isinstance(again.answer, Unneeded)
    assert isinstance(once_more.answer, Unneeded)
    assert path.counted() == {(customer, "tokens"): "7"}
    assert path.ask("SELECT count(*) FROM operator_action") == [1]


def test_second_thoughts_about_an_entry_are_a_correction_of_it(path, desk, confirmed):
    customer = confirmed(5)
    desk.correct(of(path, 5), Change(to=Decimal(3)))

    declined = desk.correct(of(path, 5), Change(to=Decimal(4)))
    desk.correct(row(path, -2), Change(to=Decimal(-1)))
    desk.live_on()

    assert isinstance(declined.answer, Declined)
    assert declined.answer.text.endswith(f"to change that, correct the row correct-{of(path, 5).name}")
    assert path.counted() == {(customer, "tokens"): "4"}


def test_second_thoughts_about_a_cancellation_enter_it_anew(path, desk, confirmed):
    customer = confirmed(5)
    desk.correct(of(path, 5))
    desk.live_on()

    desk.correct(of(path, 5), Change(to=Decimal(4)))
    desk.live_on()

    assert path.counted() == {(customer, "tokens"): "4"}
    assert path.states() == {"cancelled": 1, "confirmed": 1}


def test_an_entry_takes_the_place_of_a_cancellation_that_stripe_refuses(path, desk, confirmed):
    customer = confirmed(5, 7)
    desk.correct(of(path, 5))
    path.sandbox.clock(advance=24 * 3600)
    desk.canceller.cancel_due()
    path.sandbox.clock(offset=0)
    desk.live_on()

    assert path.ask("SELECT ending FROM surplus") == ["replaced"]
    assert path.counted() == {(customer, "tokens"): "7"}
    assert path.ask("SELECT kind FROM correction ORDER BY correction_id") == ["cancelled", "corrected"]


def test_no_entry_takes_back_what_stripe_has_rejected_itself(path, desk, confirmed):
    confirmed(5)
    desk.correct(of(path, 5))
    path.write("UPDATE meter_event SET state = 'refused', reason = 'an error report names it'")
    path.sandbox.clock(advance=24 * 3600)

    desk.canceller.cancel_due()

    assert path.ask("SELECT ending FROM surplus") == ["replaced"]
    assert path.ask("SELECT value FROM entry") == [5]


def test_a_lost_answer_to_a_cancellation_is_asked_for_again_and_cancels_once(path, desk, confirmed):
    customer = confirmed(5, 7)
    path.fault("reply_lost", path=ADJUSTMENTS, times=1)
    desk.correct(of(path, 5))
    desk.live_on()
    assert path.counted() == {(customer, "tokens"): "7"}
    assert len(path.audit()["cancelled"]) == 1


def test_a_count_is_cancelled_within_a_day_and_never_by_an_entry(path, desk):
    path.make_meter("calls", formula="count")
    path.sealed(1, 1, 1, meter="calls")
    path.walk()
    made = path.ask("SELECT meter_event_id FROM meter_event ORDER BY meter_event_id")
    early, late = (Target(name=f"me-{one}", meter_event_id=one) for one in made[:2])

    desk.correct(early)
    desk.live_on()
    path.pass_time(hours=24)
    declined = desk.correct(late)

    assert set(path.counted().values()) == {"2"}
    assert declined.answer.text.endswith("only Stripe can cancel one: Stripe received it too long ago to cancel it")


def test_where_others_report_too_nothing_is_cancelled(path, desk, confirmed):
    confirmed(5)
    corrected = desk.correct(of(path, 5), is_only_writer=False)
    assert corrected.preview.why.startswith("others report to the meter")


def test_a_cancelled_meter_event_that_shows_again_is_a_conflict(path, desk, confirmed):
    customer = confirmed(5)
    desk.correct(of(path, 5))
    desk.live_on()
    foreign(path, customer)
    path.pass_time(hours=1)
    desk.live_on(minutes=40)

    reason = "Stripe counts 5 in its minute, where 0 was confirmed"
    assert path.ask("SELECT state, reason FROM meter_event") == [("conflict", reason)]


def test_the_doctor_finds_what_stripe_counts_of_a_cancelled_meter_event(path, desk, confirmed):
    customer = confirmed(5)
    desk.correct(of(path, 5))
    desk.live_on()
    foreign(path, customer)

    with path.ledger.transaction() as tx:
        (lane,) = agreement.confirmed_lanes(tx, "default")
        (breach,) = agreement.compare(tx, path.gateway, lane).breaches

    assert breach.said.endswith("Stripe counts 5, confirmed is 0")


def test_a_closed_period_is_corrected_in_the_open_one(path, desk):
    customer = path.make_customer()
    path.sealed(5, customer=customer)
    path.walk()
    close(path, customer)

    corrected = desk.correct(of(path, 5), Change(by=Decimal(-2)))

    assert "it counts in the period of now" in corrected.preview.why
    assert corrected.preview.counts_at > datetime.now(UTC) - timedelta(minutes=1)


def foreign(path, customer):
    """Somebody else reports five in the minute of the only meter event."""
    (stamped_at,) = path.ask("SELECT stamped_at FROM meter_event")
    told = {"payload": {"stripe_customer_id": customer, "value": "5"}, "timestamp": int(stamped_at.timestamp())}
    path.stripe.v1.billing.meter_events.create({"event_name": "tokens", **told})


def close(path, customer):
    """The stretch of the usage is on a final invoice, and another one bills now."""
    (meter,) = path.ask("SELECT DISTINCT meter_stripe_id FROM meter_event")
    for since, until, invoice in (("-9 days", "-1 hour", "'in_1'"), ("-1 hour", "9 days", "NULL")):
        path.write(
            "INSERT INTO stretch (account, item, price, starts_at, ends_at, subscription, customer, meter_stripe_id,"
            f" is_trial, invoice, closed_at) SELECT 'default', 'si_1', 'price_1', now() + interval '{since}', now() +"
            f" interval '{until}', 'sub_1', '{customer}', '{meter}', false, {invoice},"
            f" CASE WHEN {invoice} IS NOT NULL THEN ledger_now() END"
        )
