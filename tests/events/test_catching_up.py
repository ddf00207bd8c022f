"""What Stripe lists and did not push is recorded all the same, once, and is said."""

import json
from datetime import timedelta

import pytest

from local.sandbox import ask_sandbox
from service.catching_up import KEPT, OVERLAP
from service.ledger.catching_up import event_gaps

GRACE = timedelta(minutes=1)


def test_what_was_never_pushed_is_found_with_no_delivery(shop):
    made = shop.make_customers(3)

    assert shop.catch_up_all() == 3
    assert shop.events() == dict.fromkeys(made, 0)
    assert shop.ask("SELECT DISTINCT found_by, state FROM event") == [("catch_up", "received")]


def test_thin_events_are_found_in_their_own_list(shop):
    report = shop.make_thin()

    assert shop.catch_up_all() == 1
    assert shop.events() == {report: 0}


def test_what_was_pushed_is_not_found_again(shop):
    pushed, dropped = shop.make_customers(2)
    shop.push(pushed)

    assert shop.catch_up_all() == 1
    assert shop.events() == {pushed: 1, dropped: 0}


def test_a_push_that_comes_later_counts_as_a_delivery_and_changes_nothing_else(shop):
    (late,) = shop.make_customers(1)
    shop.catch_up_all()
    before = shop.ask("SELECT body, received_at, found_by, state FROM event")

    assert shop.push(late) == 1
    assert shop.ask("SELECT body, received_at, found_by, state FROM event") == before


def test_more_than_a_page_is_read_page_by_page(shop):
    made = shop.make_customers(230)

    assert shop.catch_up_all() == 230
    assert shop.events().keys() == set(made)


def test_other_types_are_not_asked_for(shop):
    shop.stripe.v1.products.create({"name": "Tokens"})

    assert shop.catch_up_all() == 0


def test_what_is_listed_late_is_found_within_the_overlap(shop):
    """Its time is of before the last look."""
    shop.catch_up_all()
    shop.ask(f"UPDATE event_cursor SET read_to = read_to + interval '{OVERLAP.total_seconds() - 60} s'")
    made = shop.make_customers(1)

    assert shop.catch_up_all() == 1
    assert shop.events() == {made[0]: 0}


def test_a_backlog_is_read_day_by_day_up_to_the_present(shop):
    made = shop.make_customers(2)
    shop.catch_up.catch_up_due()
    shop.pass_time(timedelta(days=5, hours=1))  # so that the last span is no whole day, and ends in the present itself
    made += shop.make_customers(1)
    shop.catch_up_all()

    now, read_to = shop.ask("SELECT ledger_now(), min(read_to) FROM event_cursor")[0]
    assert (shop.events().keys(), now - read_to < GRACE) == (set(made), True)


def test_a_bounded_pass_keeps_its_place_for_the_next_one(shop, monkeypatch):
    monkeypatch.setattr("workers._catching_up.PAGES_A_PASS_MAX", 1)
    shop.make_customers(230)

    found = [shop.catch_up.catch_up_due(), shop.catch_up.catch_up_due()]
    place = shop.cursor("v1")

    assert (found, place[2], place[3] is not None) == ([101, 101], 0, True)
    assert (shop.catch_up_all(), shop.cursor("v1")[1:]) == (30, (None, 0, None))


def test_another_process_that_reads_the_same_page_changes_nothing(shop):
    shop.make_customers(3)
    other = shop.another_catch_up()

    assert (shop.catch_up.catch_up_due(), other.catch_up_due()) == (3, 0)


def test_a_page_that_stripe_has_forgotten_is_read_from_the_beginning(shop):
    shop.catch_up_all()
    shop.make_customers(1)
    shop.ask("UPDATE event_cursor SET read_until = ledger_now(), page = 'evt_forgotten' WHERE stream = 'v1'")

    assert [shop.catch_up.catch_up_due(), shop.catch_up.catch_up_due()] == [0, 1]


@pytest.mark.parametrize("kind", ["error_before", "rate_limited", "unauthorized"])
def test_a_list_that_cannot_be_read_now_is_read_later_and_stops_nobody(shop, sandbox_server, kind):
    shop.make_customers(1)
    sandbox_server.fault(kind=kind, path="/v1/events", times=1, account=shop.stripe_account)

    assert [shop.catch_up.catch_up_due(), shop.catch_up.catch_up_due()] == [0, 1]


def test_nothing_is_asked_while_the_breaker_waits(shop):
    shop.make_customers(1)
    shop.ask("UPDATE account SET openings = 1, paused_until = ledger_now() + interval '1 hour'")

    assert shop.catch_up_all() == 0


def test_events_of_the_other_mode_are_left_out_and_said(shop, alarms):
    shop.make_customers(1)
    shop.ask("SET session_replication_role = replica; UPDATE account SET is_live = true")

    assert (shop.catch_up_all(), shop.events()) == (0, {})
    assert alarms() == ["event.foreign"]


def test_what_no_delivery_follows_is_an_alarm_once(shop, alarms):
    shop.make_customers(2)
    shop.catch_up_all()
    shop.pass_time(GRACE)
    shop.catch_up_all()
    shop.catch_up_all()

    assert alarms() == ["event.missed"]
    assert shop.ask("SELECT count(*) FROM event WHERE missed_at IS NOT NULL") == [(2,)]


def test_what_is_pushed_within_the_grace_is_no_alarm(shop):
    (late,) = shop.make_customers(1)
    shop.catch_up_all()
    shop.push(late)
    shop.pass_time(GRACE)
    shop.catch_up_all()

    assert shop.ask("SELECT missed_at FROM event") == [(None,)]


def test_what_stripe_forgot_before_it_was_read_is_a_fact_and_said(shop, alarms):
    shop.catch_up_all()
    shop.pass_time(KEPT + timedelta(days=2))
    shop.catch_up_all()
    shop.catch_up_all()

    gaps = shop.ask("SELECT stream, round(extract(epoch FROM gap_to - gap_from) / 86400) FROM event_gap ORDER BY 1")
    assert [(stream, int(days)) for stream, days in gaps] == [("v1", 2), ("v2", 2)]
    assert alarms() == ["event.gap"] * 2


def test_what_is_found_says_what_was_listed(shop):
    (made,) = shop.make_customers(1)
    shop.catch_up_all()

    (listed,) = [event for event in shop.listed() if event["id"] == made]
    assert json.loads(shop.ask("SELECT body FROM event")[0][0]) == listed


def test_stripe_is_asked_for_at_most_twenty_types(shop):
    shop.catch_up_all()

    asked = ask_sandbox(shop.url, f"/_sandbox/audit/calls?account={shop.stripe_account}&path=/v1/events")["data"]
    assert [call["status"] for call in asked if call["method"] == "GET"] == [200, 200]


def test_a_gap_in_pieces_is_told_as_one(shop, sandbox_server):
    shop.catch_up_all()
    shop.pass_time(KEPT + timedelta(days=1))
    sandbox_server.fault(kind="error_before", path="/v1/events", times=1, account=shop.stripe_account)
    shop.catch_up.catch_up_due()
    shop.pass_time(timedelta(hours=1))
    shop.catch_up_all()

    with shop.ledger.transaction() as tx:
        gaps = [gap for gap in event_gaps(tx, "default") if gap.stream == "v1"]
    assert [round((gap.gap_to - gap.gap_from) / timedelta(hours=1)) for gap in gaps] == [25]
