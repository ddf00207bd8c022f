"""What is confirmed is read again, by the hour, until it can hardly change; what differs stands before a person."""

from dataclasses import replace

import pytest

from service.gateway import StripeUnavailable
from service.timing import STANDARD
from workers._second_readings import SecondReader

SUMMARIES = "*/event_summaries"


def test_what_is_confirmed_is_read_again_five_times_and_no_more(path, reader):
    path.sealed(1, 2, 4)
    path.walk()

    read = [(path.pass_time(hours=1), reader.read_again_due())[1] for _ in range(120)]

    assert [hour for hour, found in enumerate(read, 1) if found] == [1, 20, 45, 46, 96]
    assert path.ask("SELECT due_at FROM confirmed_hour") == [None]
    assert path.ask("SELECT counted, expected, verdict FROM second_reading") == [(7, 7, "agreed")] * 5


def test_hours_of_a_lane_are_read_with_one_call_for_a_hundred(path, reader):
    hours_of_usage(path, 100)
    before = summaries_read(path)

    path.pass_time(hours=1)

    assert reader.read_again_due() == 100
    assert summaries_read(path) - before == 1


def test_a_pass_reads_so_many_hours_at_most_and_goes_on_with_the_next(path, reader):
    hours_of_usage(path, 210)
    path.pass_time(hours=1)

    assert [reader.read_again_due() for _ in range(3)] == [200, 10, 0]


def test_a_worker_that_was_away_reads_once_what_it_missed(path, reader):
    path.sealed(5)
    path.walk()

    path.pass_time(hours=30)

    assert [reader.read_again_due() for _ in range(2)] == [1, 0]
    path.pass_time(hours=16)
    assert reader.read_again_due() == 1


def test_what_is_confirmed_later_in_an_hour_has_readings_of_its_own(path, reader):
    customer = path.sealed(1)
    path.walk()
    path.pass_time(hours=46)
    reader.read_again_due()
    path.sealed(2, customer=customer)
    in_the_hour_of_the_first(path)
    path.walk()

    path.pass_time(hours=1)

    assert reader.read_again_due() == 1
    assert path.ask("SELECT expected, verdict FROM second_reading ORDER BY 1") == [(1, "agreed"), (3, "agreed")]


def test_what_vanishes_is_a_conflict_once_two_readings_show_it(path, reader, said):
    path.sealed(5)
    path.walk()
    vanish(path)
    path.pass_time(hours=1)
    reader.read_again_due()
    assert path.states() == {"confirmed": 1}

    path.pass_time(minutes=31)
    reader.read_again_due()

    reason = "Stripe counts 0 in its minute, where 5 was confirmed"
    assert path.ask("SELECT state, reason FROM meter_event") == [("conflict", reason)]
    assert path.ask("SELECT verdict, counted FROM second_reading ORDER BY read_at") == [
        ("differs", 0),
        ("contradicted", 0),
    ]
    assert [line["reason"] for line in said("minute.contradicted")] == [reason]


def test_what_one_old_answer_did_not_show_stays_confirmed(path, reader):
    customer = path.sealed(5)
    path.walk()
    foreign(path, customer, value=-5)
    path.pass_time(hours=1)
    reader.read_again_due()
    foreign(path, customer, value=5)

    path.pass_time(minutes=31)
    reader.read_again_due()

    assert path.states() == {"confirmed": 1}
    assert path.ask("SELECT verdict FROM second_reading ORDER BY read_at, length") == ["differs", "agreed"]


def test_of_an_hour_that_differs_the_minutes_that_agree_stay_confirmed(path, reader):
    customer = path.sealed(5, 6)
    path.walk()
    foreign(path, customer, value=3)
    path.pass_time(hours=1)
    reader.read_again_due()

    path.pass_time(minutes=31)
    reader.read_again_due()

    assert path.ask("SELECT value, state, reason FROM meter_event ORDER BY value") == [
        (5, "conflict", "Stripe counts 8 in its minute, where 5 was confirmed"),
        (6, "confirmed", None),
    ]


def test_a_difference_in_no_minute_of_ours_is_said_and_changes_nothing(path, reader, said):
    customer = path.sealed(5)
    path.walk()
    foreign(path, customer, value=3, minutes_later=7)
    path.pass_time(hours=1)

    reader.read_again_due()

    assert path.states() == {"confirmed": 1}
    assert path.ask("SELECT verdict, counted, expected FROM second_reading ORDER BY length") == [
        ("agreed", 5, 5),
        ("elsewhere", 8, 5),
    ]
    assert len(said("hour.differed")) == 1


def test_where_others_report_to_the_meter_nothing_is_read_again(path):
    path.sealed(5)
    path.walk()
    path.pass_time(hours=1)

    reader = SecondReader(path.ledger, path.gateway, "default", timing=slow(path), is_only_writer=False)

    assert reader.read_again_due() == 0
    assert path.ask("SELECT 1 FROM second_reading") == []


@pytest.mark.parametrize(("formula", "readings"), [("count", [(2, "agreed")]), ("last", [])])
def test_a_count_is_counted_again_and_a_last_value_tells_nothing(path, reader, formula, readings):
    path.make_meter("tokens", formula=formula)
    path.sealed(5, 6)
    path.walk()
    path.pass_time(hours=1)

    reader.read_again_due()

    assert path.ask("SELECT counted, verdict FROM second_reading") == readings


def test_what_an_invoice_is_about_to_bill_is_read_before_it_is_finalized(path, reader):
    path.sealed(5)
    path.walk()
    path.pass_time(hours=46)
    reader.read_again_due()
    a_draft(path, finalizes_in="31 minutes")
    assert reader.read_again_due() == 0

    path.pass_time(minutes=2)

    assert [reader.read_again_due() for _ in range(2)] == [1, 0]


def test_where_no_invoice_is_known_the_periods_end_says_when_it_is_finalized(path, reader):
    path.sealed(5)
    path.walk()
    path.pass_time(hours=46)
    reader.read_again_due()
    path.write(
        "INSERT INTO period_edge SELECT account, customer, meter, ledger_now() - interval '29 minutes' FROM lane"
    )
    assert reader.read_again_due() == 0

    path.pass_time(minutes=2)

    assert [reader.read_again_due() for _ in range(2)] == [1, 0]


def test_summaries_that_cannot_be_read_are_asked_for_again(path, reader):
    path.sealed(5)
    path.walk()
    path.pass_time(hours=1)
    path.fault("error_before", path=SUMMARIES, times=1)

    with pytest.raises(StripeUnavailable):
        reader.read_again_due()

    path.pass_time(seconds=path.settings.timing.drain_s)
    assert reader.read_again_due() == 1


def test_a_claim_of_a_worker_that_died_comes_back(path, reader):
    path.sealed(5)
    path.walk()
    path.pass_time(hours=1)
    reader._read_again = lambda _: 0
    reader.read_again_due()

    path.pass_time(seconds=path.settings.timing.drain_s)

    assert SecondReader(path.ledger, path.gateway, "default", timing=slow(path)).read_again_due() == 1


def test_a_reading_of_books_that_changed_meanwhile_counts_for_nothing(path, reader):
    path.sealed(5)
    path.walk()
    path.pass_time(hours=1)
    read = reader._read
    reader._read = lambda of, **asked: (
        path.write("UPDATE meter_event SET state = 'conflict', reason = 'a person'"),
        read(of, **asked),
    )[1]

    reader.read_again_due()

    assert path.ask("SELECT 1 FROM second_reading") == []


@pytest.fixture
def reader(path):
    """Reads as rarely as in earnest."""
    return SecondReader(path.ledger, path.gateway, "default", timing=slow(path))


@pytest.fixture
def said(caplog):
    """The lines of one name that were said so far."""
    return lambda name: [one.msg for one in caplog.records if isinstance(one.msg, dict) and one.msg["event"] == name]


def slow(path):
    return replace(
        path.settings.timing,
        second_readings_s=STANDARD.second_readings_s,
        before_finalization_s=STANDARD.before_finalization_s,
        cancel_settle_s=STANDARD.cancel_settle_s,
    )


def hours_of_usage(path, hours):
    """A customer's confirmed usage in so many hours, of which all but the first's cancels itself out."""
    path.sealed(5)
    path.walk()
    path.write(
        "INSERT INTO meter_event (lane_id, meter_stripe_id, formula, bucket, stamped_at, value, entries, payload,"
        " is_unbilled, state, accepted_at, confirmed_at) SELECT lane_id, meter_stripe_id, formula, bucket,"
        " stamped_at - n * interval '1 hour', 0, 1, payload, false, 'confirmed', accepted_at, confirmed_at"
        f" FROM meter_event, generate_series(1, {hours - 1}) AS n"
    )
    path.write(
        "INSERT INTO confirmed_hour SELECT lane_id, meter_stripe_id, formula, hour - n * interval '1 hour',"
        f" accepted_at, read_at, due_at FROM confirmed_hour, generate_series(1, {hours - 1}) AS n"
    )


def summaries_read(path):
    return path.audit()["by_path"]["GET /v1/billing/meters/{id}/event_summaries"]


def in_the_hour_of_the_first(path):
    path.write("ALTER TABLE meter_event DISABLE TRIGGER meter_event_is_immutable")
    path.write(
        "UPDATE meter_event SET minute = first.stamped_at + interval '1 minute', stamped_at = first.stamped_at +"
        " interval '1 minute' FROM (SELECT stamped_at FROM meter_event ORDER BY meter_event_id LIMIT 1) AS first"
        " WHERE state = 'sealed'"
    )


def vanish(path):
    """Stripe counts it no more, and says nothing."""
    (identifier,) = path.ask("SELECT identifier FROM generation")
    told = {"type": "cancel", "event_name": "tokens", "cancel": {"identifier": identifier}}
    path.stripe.v1.billing.meter_event_adjustments.create(told)


def foreign(path, customer, *, value, minutes_later=0):
    """Somebody else reports usage of the same hour."""
    (stamped_at,) = path.ask("SELECT min(stamped_at) FROM meter_event")
    told = {"payload": {"stripe_customer_id": customer, "value": str(value)}}
    stamped = int(stamped_at.timestamp()) + 60 * minutes_later
    path.stripe.v1.billing.meter_events.create({"event_name": "tokens", "timestamp": stamped, **told})


def a_draft(path, *, finalizes_in):
    path.write(
        "INSERT INTO mirror SELECT account, 'invoice', 'in_1', customer, ledger_now(), NULL, false, jsonb_build_object("
        "'status', 'draft', 'period_start', 'epoch', 'period_end', ledger_now(), 'automatically_finalizes_at',"
        f" ledger_now() + interval '{finalizes_in}'), '{{}}' FROM lane"
    )
