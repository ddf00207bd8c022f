"""The kinds of alarm that the ledger itself gives cause for; each question can be asked of any ledger."""

from dataclasses import replace
from typing import Any

import pytest

from service.alarms import KINDS
from service.ledger.alarms import alarm_questions

NOTHING_SENT = """
INSERT INTO account (account, stripe_account, is_live, openings, paused_until, pause_reason)
VALUES ('default', 'acct_1', false, %s, now(), %s)
"""
EVENT = """
INSERT INTO event (account, event_id, type, is_live, created_at, body, deliveries, found_by, missed_at)
SELECT 'default', 'evt_' || n, 'invoice.created', false, now() - interval '1 hour' * n, '{}', 0, 'catch_up', now()
FROM generate_series(1, 3) AS n
"""
QUARANTINED = """
WITH told AS (
    INSERT INTO intake (messages, rows, recorded, duplicates, conflicts, quarantined) VALUES (1, 2, 0, 0, 0, 2)
    RETURNING intake_id
)
INSERT INTO quarantine (intake_id, raw, reason) SELECT intake_id, raw, 'bad' FROM told, unnest('{a,b}'::bytea[]) AS raw
"""


def _kinds(world: Any) -> list[tuple[str, bool, int]]:
    world.watch(kinds=[replace(kind, rarity=1) for kind in KINDS])
    return [(alarm.kind, alarm.is_urgent, alarm.rows) for alarm in world.alarms()]


def test_on_an_empty_ledger_every_question_is_answered_and_nothing_is_wrong(world: Any) -> None:
    assert _kinds(world) == []
    with world.ledger.transaction() as tx:
        asked = alarm_questions(tx, "default")
    assert {one.kind for one in asked} == {kind.name for kind in KINDS}
    assert [one.reason for one in asked if one.failures] == []


@pytest.mark.parametrize(
    ("openings", "reason", "alarms"),
    [
        (1, "401: Invalid API Key", [("stopped", True, 0)]),
        (1, "Stripe fails: 503: away", []),
        (5, "Stripe fails: 503: away", [("stopped", False, 0)]),
    ],
)
def test_a_key_that_is_refused_is_urgent_at_once_and_an_outage_an_alarm_once_it_lasts(
    world: Any, openings: int, reason: str, alarms: Any
) -> None:
    world.write(NOTHING_SENT, openings, reason)
    assert _kinds(world) == alarms


def test_a_restored_ledger_is_urgent_until_a_person_has_confirmed_it(world: Any) -> None:
    world.write("INSERT INTO epoch (cause, gap_from) VALUES ('another server', now() - interval '1 hour')")
    found = _kinds(world)
    world.write("UPDATE epoch SET compared_at = now(), confirmed_at = now()")

    assert found == [("restored", True, 0)]
    assert _kinds(world) == []


def test_events_that_were_never_pushed_are_one_alarm_that_counts_them(world: Any) -> None:
    world.write(EVENT)
    found = _kinds(world)
    world.write("UPDATE event SET deliveries = 1")

    assert found == [("missed", False, 3)]
    assert _kinds(world) == []


def test_what_is_on_the_desk_for_a_day_is_one_alarm_a_class(world: Any) -> None:
    world.write(QUARANTINED)
    on_the_first_day = _kinds(world)
    world.write("UPDATE ledger_clock SET ahead_by = '25 hours'")

    found = _kinds(world)

    assert (on_the_first_day, found) == ([], [("waiting", False, 2)])
    assert world.alarm().said.startswith("2 quarantined wait for a person for too long, the first since 20")
