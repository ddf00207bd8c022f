"""What the ledger knows of a minute in which meter events are held, and of what could prove them absent."""

from datetime import timedelta

import pytest

from service.ledger import reading_back
from service.ledger.reading_back import MinuteToRead
from service.timing import FAST


@pytest.fixture
def minute(books):
    """Makes meter events of a `count` meter in one minute, in the states named; their calls ended 30 hours ago."""

    def make(*states, formula="count", meter="calls", value=1):
        customer = books.customer()
        books.meter(meter, formula=formula)
        books.record(*[books.row(customer, value, at=0, meter=meter) for _ in states])
        books.seal(customer)
        made = books.ask(
            "SELECT meter_event_id FROM meter_event JOIN lane USING (lane_id) WHERE customer = %s", customer
        )
        for meter_event_id, state in zip(sorted(made), states, strict=True):
            put(books, meter_event_id, state)
        (lane_id,) = books.ask("SELECT lane_id FROM lane WHERE customer = %s", customer)
        return MinuteToRead(lane_id, customer, meter, f"mtr_{meter}", formula, books.hour)

    return make


def put(books, meter_event_id, state):
    """In that state at once, as sealed and called for 30 hours ago."""
    books.write("ALTER TABLE meter_event DISABLE TRIGGER USER")
    books.write(
        "UPDATE meter_event SET state = %s, reason = 'a test says so', sealed_at = ledger_now() - interval '31 hours',"
        " due_at = CASE WHEN %s THEN ledger_now() END,"
        " accepted_at = CASE WHEN %s THEN ledger_now() - interval '30 hours' END"
        " WHERE meter_event_id = %s",
        state,
        state in {"sealed", "unknown"},
        state in {"accepted", "confirmed"},
        meter_event_id,
    )
    books.write("ALTER TABLE meter_event ENABLE TRIGGER USER")
    attempt(books, meter_event_id, hours_ago=30)


def attempt(books, meter_event_id, *, hours_ago):
    books.write(
        "INSERT INTO attempt"
        " (lane_id, meter_event_id, generation, idempotency_key, fence, started_at, ended_at, outcome)"
        " SELECT lane_id, meter_event_id, generation, 'key', 1, at, at, 'unknown'"
        " FROM meter_event, make_interval(hours => %s) AS ago, LATERAL (SELECT ledger_now() - ago AS at) AS tried"
        " WHERE meter_event_id = %s",
        hours_ago,
        meter_event_id,
    )


def read(books, meter_event_id, verdict, *, minutes_ago):
    books.write(
        "INSERT INTO reading (meter_event_id, generation, minute, read_at, counted, settled, expected, verdict)"
        " SELECT meter_event_id, generation, stamped_at, ledger_now() - make_interval(mins => %s), 0, 0, 1, %s"
        " FROM meter_event WHERE meter_event_id = %s",
        minutes_ago,
        verdict,
        meter_event_id,
    )


def look(books, minute):
    with books.ledger.transaction() as tx:
        return reading_back.look(tx, minute, timing=FAST)


def absent_minutes(books, minute):
    """For how many minutes all that is held was absent; None: not known to be."""
    seen = look(books, minute)
    return None if seen.absent_since is None else round((seen.now - seen.absent_since) / timedelta(minutes=1))


def test_every_state_has_its_place_in_the_figures(books, minute):
    seen = look(books, minute("held", "held", "accepted", "confirmed", "refused"))

    assert (seen.settled, seen.held, seen.held_least) == (2, 2, 1)
    assert (seen.low, seen.high) == (1, 4)
    assert (seen.held_ids, seen.accepted_ids) == ([1, 2], [3])
    assert (seen.is_alone, seen.is_mixed, seen.is_moving, seen.is_contested) == (False, False, False, False)


@pytest.mark.parametrize("states", [["held"], ["held", "confirmed"], ["held", "refused"]])
def test_what_no_lag_can_hide_leaves_a_held_one_alone(books, minute, states):
    assert look(books, minute(*states)).is_alone


@pytest.mark.parametrize("other", ["sealed", "unknown"])
def test_a_minute_in_which_something_is_still_sent_is_moving(books, minute, other):
    assert look(books, minute("held", other)).is_moving


def test_a_minute_with_an_open_call_is_moving(books, minute, an_open_attempt):
    found = minute("held")
    an_open_attempt(1)

    assert look(books, found).is_moving


def test_a_minute_without_anything_held_is_nothing_to_look_at(books, minute):
    assert look(books, minute("accepted", "conflict")) is None


@pytest.mark.parametrize(("state", "is_mixed"), [("held", True), ("accepted", True), ("confirmed", False)])
def test_meter_events_of_both_signs_are_mixed_unless_they_are_seen_to_count(books, minute, state, is_mixed):
    found = minute("held", formula="sum")
    another = minute(state, formula="sum", value=-3)
    books.write("ALTER TABLE meter_event DISABLE TRIGGER USER")
    books.write("UPDATE meter_event SET lane_id = %s, minute = NULL WHERE lane_id = %s", found.lane_id, another.lane_id)

    seen = look(books, found)

    assert seen.is_mixed is is_mixed
    assert (seen.low, seen.high) == (-3, -2 if state == "confirmed" else 1)


@pytest.mark.parametrize(("state", "hours"), [("held", 2), ("accepted", 2), ("confirmed", 30), ("refused", 2)])
def test_the_last_attempt_is_of_all_that_is_not_confirmed(books, minute, state, hours):
    found = minute("held", state)
    attempt(books, 2, hours_ago=2)

    seen = look(books, found)

    assert round((seen.now - seen.last_attempt_at) / timedelta(hours=1)) == hours


def test_an_absence_begins_with_its_first_reading_that_was_late_enough(books, minute):
    found = minute("held")
    for minutes_ago in (6 * 60, 4 * 60, 2 * 60):
        read(books, 1, "absent", minutes_ago=minutes_ago)

    assert absent_minutes(books, found) == 4 * 60


def test_a_reading_that_showed_something_ends_an_absence(books, minute):
    found = minute("held")
    for verdict, minutes_ago in (("absent", 120), ("part", 90), ("absent", 60)):
        read(books, 1, verdict, minutes_ago=minutes_ago)

    assert absent_minutes(books, found) == 60


def test_an_absence_is_of_all_that_is_held_in_the_minute(books, minute):
    found = minute("held", "held")
    read(books, 1, "absent", minutes_ago=120)
    assert absent_minutes(books, found) is None

    read(books, 2, "absent", minutes_ago=60)

    assert absent_minutes(books, found) == 60


def test_an_absence_of_an_older_generation_is_none_of_the_present_one(books, minute):
    found = minute("held")
    read(books, 1, "absent", minutes_ago=60)
    books.write("INSERT INTO generation (meter_event_id, generation, identifier) VALUES (1, 2, 'another')")
    books.write("UPDATE meter_event SET generation = 2")

    assert absent_minutes(books, found) is None


@pytest.mark.parametrize(
    ("state", "meter", "is_canary"),
    [("confirmed", "calls", True), ("accepted", "calls", False), ("confirmed", "tokens", False)],
)
def test_a_canary_is_a_later_confirmed_one_of_the_same_meter(books, minute, state, meter, is_canary):
    found = minute("held")
    minute(state, meter=meter)
    late(books, 2)

    assert (look(books, found).canary_id == 2) is is_canary


def test_an_earlier_attempt_makes_a_later_acceptance_no_canary(books, minute):
    found = minute("held")
    minute("confirmed")
    late(books, 2)
    attempt(books, 2, hours_ago=31)

    assert look(books, found).canary_id is None


def test_what_was_confirmed_without_a_call_is_no_canary(books, minute):
    found = minute("held")
    minute("confirmed")
    late(books, 2)
    books.write("UPDATE meter_event SET accepted_at = NULL WHERE meter_event_id = 2")

    assert look(books, found).canary_id is None


def restored(books, *, hours_ago):
    """A restore of the ledger was noticed so long ago; calls of before may be forgotten."""
    books.write(
        "INSERT INTO epoch (began_at, cause, gap_from, compared_at, confirmed_at)"
        " SELECT at, 'a restore', at, at, at FROM make_interval(hours => %s) AS ago,"
        " LATERAL (SELECT ledger_now() - ago AS at) AS noticed",
        hours_ago,
    )


def test_a_restored_ledger_may_have_forgotten_calls_until_the_restore_was_noticed(books, minute):
    found = minute("held")
    restored(books, hours_ago=5)
    read(books, 1, "absent", minutes_ago=60)

    seen = look(books, found)

    assert round((seen.now - seen.last_attempt_at) / timedelta(hours=1)) == 5
    assert seen.absent_since is None


def test_what_was_called_for_before_a_restore_is_no_canary(books, minute):
    found = minute("held")
    minute("confirmed")
    late(books, 2)
    restored(books, hours_ago=1)

    assert look(books, found).canary_id is None


def test_what_the_ledger_remembers_no_call_of_is_no_canary(books, minute):
    found = minute("held")
    minute("confirmed")
    late(books, 2)
    forget_calls(books, 2)

    assert look(books, found).canary_id is None


def late(books, meter_event_id):
    """As if first called for and accepted two hours ago."""
    books.write(
        "UPDATE meter_event SET accepted_at = ledger_now() - interval '2 hours' WHERE meter_event_id = %s"
        " AND accepted_at IS NOT NULL",
        meter_event_id,
    )
    forget_calls(books, meter_event_id)
    attempt(books, meter_event_id, hours_ago=2)


def forget_calls(books, meter_event_id):
    books.write("ALTER TABLE attempt DISABLE TRIGGER USER")
    books.write("DELETE FROM attempt WHERE meter_event_id = %s", meter_event_id)
    books.write("ALTER TABLE attempt ENABLE TRIGGER USER")
