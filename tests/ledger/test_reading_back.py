"""Which held meter events are read back next, and by whom."""

import pytest

from service.ledger import reading_back
from service.timing import FAST


def claimed(books):
    with books.ledger.transaction() as tx:
        return [minute.lane_id for minute in reading_back.claim_held_minutes(tx, "default", timing=FAST)]


def lane_of(books, meter_event_id):
    return books.ask("SELECT lane_id FROM meter_event WHERE meter_event_id = %s", meter_event_id)[0]


def test_only_what_is_held_is_read_back(a_meter_event, books):
    held = a_meter_event("held")
    for states in ([], ["unknown"], ["accepted"], ["refused"], ["held", "conflict"]):
        a_meter_event(*states)

    assert claimed(books) == [lane_of(books, held)]


def test_the_longest_unread_comes_first_and_a_pass_is_bounded(a_meter_event, books, monkeypatch):
    monkeypatch.setattr(reading_back, "HELD_MAX", 2)
    late, never, early = [a_meter_event("held") for _ in range(3)]
    books.write("UPDATE meter_event SET read_back_at = ledger_now() - interval '1 h' WHERE meter_event_id = %s", late)
    books.write("UPDATE meter_event SET read_back_at = ledger_now() - interval '2 h' WHERE meter_event_id = %s", early)

    assert {*claimed(books)} == {lane_of(books, never), lane_of(books, early)}
    assert claimed(books) == [lane_of(books, late)]


def test_what_is_read_by_one_is_not_claimed_by_another_until_its_claim_runs_out(a_meter_event, books):
    a_meter_event("held")

    assert len(claimed(books)) == 1
    assert claimed(books) == []
    books.write("UPDATE ledger_clock SET ahead_by = make_interval(secs => %s)", FAST.drain_s)
    assert len(claimed(books)) == 1


def test_two_that_claim_at_once_do_not_wait_for_each_other(a_meter_event, books):
    a_meter_event("held")

    with books.ledger.transaction() as tx:
        assert len(reading_back.claim_held_minutes(tx, "default", timing=FAST)) == 1
        assert claimed(books) == []


@pytest.mark.parametrize("account", ["default", "another"])
def test_held_meter_events_are_read_with_their_own_accounts_key(a_meter_event, books, account):
    a_meter_event("held")

    with books.ledger.transaction() as tx:
        found = reading_back.claim_held_minutes(tx, account, timing=FAST)

    assert len(found) == (account == "default")


def test_a_reason_is_added_once_and_keeps_what_was_there(a_meter_event, books):
    held = a_meter_event("held")

    with books.ledger.transaction() as tx:
        news = [reading_back.leave_to_person(tx, [held], why=why) for why in ("a", "a", "b")]

    assert news == [1, 0, 1]
    assert books.sent("reason") == ["a test says so; not read back: b; a person decides"]
