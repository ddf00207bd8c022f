"""What is wrong is asked again and again; the alarms are the difference."""

import threading
from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from service.ledger import LedgerUnavailable
from service.ledger.actions import Order
from service.ledger.alarms import alarm_questions, alarms_by_kind, waive_alarm
from service.timing import STANDARD
from workers._watching import Watcher

LATER = replace(STANDARD, watch_s=50)


def test_what_is_wrong_is_one_alarm_however_often_it_is_asked(world: Any) -> None:
    world.wrong(rows=3, units="4.5")

    world.watch()
    world.watch()

    alarm = world.alarm()
    assert (alarm.kind, alarm.subject, alarm.rows, alarm.units) == ("wrong", "one", 3, Decimal("4.5"))
    assert (alarm.state, alarm.said) == ("open", "a test says so")


def test_what_changed_is_renewed_and_what_did_not_is_left_alone(world: Any) -> None:
    world.wrong(rows=3)
    world.wrong("other")
    world.watch()
    before = {alarm.subject: alarm for alarm in world.alarms()}
    world.wrong(rows=4)

    world.watch()

    after = {alarm.subject: alarm for alarm in world.alarms()}
    assert (after["one"].rows, after["one"].alarm_id) == (4, before["one"].alarm_id)
    assert after["one"].renewed_at > before["one"].renewed_at
    assert after["other"] == before["other"]


def test_what_is_gone_is_cleared_and_keeps_its_last_figures(world: Any) -> None:
    world.wrong(rows=3)
    world.watch()
    world.right()

    world.watch()

    (alarm,) = world.alarms(with_cleared=True)
    assert (alarm.state, alarm.rows) == ("cleared", 3)
    assert world.alarms() == []


def test_what_is_wrong_again_is_another_alarm(world: Any) -> None:
    world.wrong()
    world.watch()
    world.right()
    world.watch()
    world.wrong()

    world.watch()

    assert [alarm.state for alarm in world.alarms(with_cleared=True)] == ["open", "cleared"]


@pytest.mark.parametrize("question", ["garbled", "slow", "twice"])
def test_a_question_that_fails_stops_no_other_and_is_said(
    world: Any, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.ledger.alarms.QUESTION_S_MAX", 0.1)
    world.wrong()

    world.watch(question, "wrong")
    world.watch(question, "wrong")

    assert [alarm.kind for alarm in world.alarms()] == ["wrong"]
    with world.ledger.transaction() as tx:
        failing, answered = alarm_questions(tx, "default")
    assert (failing.kind, failing.failures, answered.failures) == (question, 2, 0)
    assert failing.reason


def test_while_a_question_fails_its_alarms_stay_and_afterwards_they_follow_it(world: Any) -> None:
    world.wrong()
    world.watch()
    world.write("ALTER TABLE mirror RENAME COLUMN facts TO hidden")
    world.watch()
    still_open = world.alarms()
    world.write("ALTER TABLE mirror RENAME COLUMN hidden TO facts")
    world.right()

    world.watch()

    assert [alarm.subject for alarm in still_open] == ["one"]
    assert world.alarms() == []
    assert world.ask("SELECT failures, reason FROM alarm_question") == [(0, None)]


def test_two_who_watch_at_once_raise_once(world: Any) -> None:
    watchers = [threading.Thread(target=world.watch, args=["unhurried"]) for _ in range(4)]

    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join()

    assert world.ask("SELECT count(*) FROM alarm") == [(1,)]
    assert world.ask("SELECT failures FROM alarm_question") == [(0,)]


def test_more_than_may_be_open_are_counted_and_none_that_is_open_is_cleared_for_them(world: Any) -> None:
    for number in range(3):
        world.wrong(f"old-{number}")
    world.watch(open_max=3)
    for number in range(4):
        world.wrong(f"a-new-{number}", is_urgent=True)

    world.watch(open_max=3)

    assert [alarm.subject for alarm in world.alarms()] == ["old-0", "old-1", "old-2"]
    with world.ledger.transaction() as tx:
        (of_kind,) = alarms_by_kind(tx, "default")
    assert (of_kind.alarms, of_kind.left_out) == (3, 4)


def test_where_some_are_cleared_the_urgent_take_their_place(world: Any) -> None:
    world.wrong("old")
    world.watch(open_max=1)
    world.wrong("new")
    world.wrong("urgent", is_urgent=True)
    world.right("old")

    world.watch(open_max=1)
    world.watch(open_max=1)

    assert [alarm.subject for alarm in world.alarms()] == ["urgent"]


def test_a_death_before_the_commit_leaves_all_as_it_was(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.wrong()
    watcher: Watcher = world.watcher()
    with monkeypatch.context() as dying:
        dying.setattr("service.ledger.connection.before_commit", _die_with_an_alarm)
        with pytest.raises(LedgerUnavailable):
            watcher.watch_due()
    left = world.ask("SELECT (SELECT count(*) FROM alarm), (SELECT count(*) FROM alarm_post)")

    watcher.watch_due()

    assert left == [(0, 0)]
    assert world.ask("SELECT count(*) FROM alarm_post") == [(1,)]
    assert world.alarm().subject == "one"


def _die_with_an_alarm(connection: Any) -> None:
    if connection.execute("SELECT count(*) FROM alarm").fetchone() != (0,):
        connection.close()
        raise psycopg.OperationalError("the server closed the connection")


def test_what_was_asked_just_now_is_not_asked_again(world: Any) -> None:
    world.wrong()
    world.watch(timing=LATER)
    world.right()

    world.watch(timing=LATER)

    assert world.alarm().state == "open"


def test_what_cannot_be_rated_is_raised_all_the_same(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.ledger.alarms.RATED_MAX", -1)  # which PostgreSQL refuses
    world.wrong(customer="cus_1", meter="tokens")

    world.watch()

    assert (world.alarm().subject, world.alarm().amount) == ("one", None)
    assert world.ask("SELECT failures FROM alarm_question") == [(0,)]


def test_a_kind_that_can_wait_is_asked_more_rarely(world: Any) -> None:
    watcher = world.watcher("wrong", "unhurried", timing=LATER)
    watcher._kinds["wrong"] = replace(watcher._kinds["wrong"], rarity=2)
    watcher.watch_due()
    world.write("UPDATE ledger_clock SET ahead_by = '51 seconds'")

    watcher.watch_due()

    assert world.ask("SELECT kind FROM alarm_question WHERE asked_at > now() + interval '50 s'") == [("unhurried",)]


def test_what_a_person_waived_clears_and_is_an_alarm_again_with_other_figures(world: Any) -> None:
    world.wrong(rows=3)
    world.watch()
    waive(world)
    world.wrong(rows=4)

    world.watch()

    assert world.alarm().rows == 4


def waive(world: Any) -> None:
    with world.ledger.transaction() as tx:
        assert waive_alarm(tx, "default", world.alarm().alarm_id, order=Order(actor="ada", reason="credited"))
    world.watch()
    assert world.alarms() == []


def test_as_many_units_of_another_time_than_those_waived_are_an_alarm(world: Any) -> None:
    world.wrong(rows=3, since="2026-11-01T10:10Z", until="2026-11-01T12:20Z")
    world.watch()
    waive(world)
    world.wrong(rows=3, since="2026-11-01T10:10Z", until="2026-11-01T13:00Z")

    world.watch()

    assert world.alarm().rows == 3
    waive(world)


@pytest.mark.parametrize("since", ["2026-11-01T10:00Z", "2026-11-01T10:59:59Z"])
def test_what_was_waived_stays_so_when_its_sealing_moves_it_within_its_hour(world: Any, since: str) -> None:
    world.wrong(rows=3, since="2026-11-01T10:10Z", until="2026-11-01T12:20Z")
    world.watch()
    waive(world)
    world.wrong(rows=3, since=since, until="2026-11-01T12:00Z")

    world.watch()

    assert world.alarms() == []


def test_a_question_that_fails_is_asked_more_rarely(world: Any) -> None:
    world.watch("garbled", timing=LATER)
    world.write("UPDATE ledger_clock SET ahead_by = '51 seconds'")
    world.watch("garbled", timing=LATER)
    after_the_usual_pause = world.ask("SELECT failures FROM alarm_question")
    world.write("UPDATE ledger_clock SET ahead_by = '101 seconds'")

    world.watch("garbled", timing=LATER)

    assert (after_the_usual_pause, world.ask("SELECT failures FROM alarm_question")) == ([(1,)], [(2,)])
