"""What the ledger itself refuses, whatever the code asks of it."""

import itertools
import re
from pathlib import Path

import psycopg
import pytest

from service.ledger import accounts
from service.ledger.accounts import OtherAccount

STATES = ["sealed", "unknown", "accepted", "confirmed", "refused", "held", "conflict", "cancelled"]
ALLOWED = {
    ("sealed", "accepted"),
    ("sealed", "unknown"),
    ("sealed", "refused"),
    ("sealed", "held"),
    ("sealed", "conflict"),
    ("unknown", "accepted"),
    ("unknown", "refused"),
    ("unknown", "held"),
    ("unknown", "conflict"),
    ("held", "accepted"),
    ("held", "sealed"),
    ("held", "refused"),
    ("held", "conflict"),
    ("refused", "sealed"),
    ("refused", "conflict"),
    ("accepted", "confirmed"),
    ("accepted", "held"),
    ("accepted", "refused"),
    ("accepted", "conflict"),
    ("confirmed", "refused"),
    ("confirmed", "conflict"),
    ("confirmed", "cancelled"),
    ("cancelled", "conflict"),
    ("conflict", "confirmed"),
}
WAYS = {
    "sealed": [],
    "unknown": ["unknown"],
    "accepted": ["accepted"],
    "confirmed": ["accepted", "confirmed"],
    "refused": ["refused"],
    "held": ["held"],
    "conflict": ["held", "conflict"],
    "cancelled": ["accepted", "confirmed", "cancelled"],
}
FORBIDDEN = sorted(set(itertools.permutations(STATES, 2)) - ALLOWED)
FACTS = {
    "meter_event": "value = 2|entries = 7|stamped_at = now()|minute = NULL|payload = '{}'|bucket = now()",
    "entry": "value = 2|occurred_at = now()|row_id = 'x'|source = 'x'|lane_id = 9|intake_id = 9|meter_event_id = NULL",
    "generation": "identifier = 'x'|generation = 2|reason = 'x'|made_at = now()",
    "account": "stripe_account = 'acct_2'|is_live = true|pinned_at = now()|account = 'x'",
    "attempt": "idempotency_key = 'x'|fence = 9|started_at = now()|generation = 2|lane_id = 9",
}


@pytest.mark.parametrize(("before", "after"), sorted(ALLOWED))
def test_a_meter_event_may_move_from_one_state_to_the_next(a_meter_event, books, before, after):
    a_meter_event(*WAYS[before], after)

    assert books.sent("state") == [after]


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_no_other_step_between_states_is_possible(a_meter_event, before, after):
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="no such step"):
        a_meter_event(*WAYS[before], after)


@pytest.mark.parametrize(
    ("table", "change"), [(table, change) for table, changes in FACTS.items() for change in changes.split("|")]
)
def test_a_fact_never_changes(a_meter_event, an_open_attempt, books, table, change):
    an_open_attempt(a_meter_event())

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        books.write(f"UPDATE {table} SET {change}")


@pytest.mark.parametrize("table", ["meter_event", "attempt"])
def test_what_was_reported_or_asked_stays_on_the_books(a_meter_event, an_open_attempt, books, table):
    an_open_attempt(a_meter_event())

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="stays on the books"):
        books.write(f"DELETE FROM {table}")


def test_a_lane_has_one_open_attempt_at_most(a_meter_event, an_open_attempt):
    meter_event = a_meter_event()
    an_open_attempt(meter_event)

    with pytest.raises(psycopg.errors.UniqueViolation, match="one_open_attempt_a_lane"):
        an_open_attempt(meter_event)


def test_an_answer_is_given_once_but_an_assumption_gives_way_to_it(a_meter_event, an_open_attempt, books):
    an_open_attempt(a_meter_event())
    close = "UPDATE attempt SET ended_at = ledger_now(), outcome = %s, code = %s"
    books.write(close, "unknown", "lost")
    books.write(close, "accepted", None)

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="an answer is given once"):
        books.write(close, "refused", None)


def test_an_ended_attempt_has_an_outcome_and_an_open_one_has_none(a_meter_event, an_open_attempt, books):
    an_open_attempt(a_meter_event())

    with pytest.raises(psycopg.errors.CheckViolation, match="ended_with_an_outcome"):
        books.write("UPDATE attempt SET ended_at = ledger_now()")


def test_the_first_doubt_is_never_moved(a_meter_event, books):
    a_meter_event()
    books.write("UPDATE generation SET ambiguous_since = ledger_now()")

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="first doubt"):
        books.write("UPDATE generation SET ambiguous_since = NULL")


def test_a_minute_of_a_lane_has_one_owner(a_meter_event, books):
    a_meter_event()

    with pytest.raises(psycopg.errors.UniqueViolation, match="a_minute_has_one_owner"):
        books.write(
            "INSERT INTO meter_event (lane_id, meter_stripe_id, formula, bucket, stamped_at, minute, value, entries,"
            " payload, is_unbilled, state) SELECT lane_id, meter_stripe_id, formula, bucket, stamped_at, minute, 1, 1,"
            " payload, false, 'confirmed' FROM meter_event"
        )


def test_an_identifier_is_used_once_in_all_generations(a_meter_event, books):
    a_meter_event()

    with pytest.raises(psycopg.errors.UniqueViolation, match="identifier"):
        books.write("INSERT INTO generation SELECT meter_event_id, 2, identifier FROM generation")


def test_an_intake_whose_counts_do_not_add_up_cannot_be_written(books):
    with pytest.raises(psycopg.errors.CheckViolation, match="intake_balances"):
        books.write(
            "INSERT INTO intake (messages, rows, recorded, duplicates, conflicts, quarantined)"
            " VALUES (1, 5, 1, 1, 1, 1)"
        )


@pytest.mark.parametrize("state", ["refused", "held", "conflict"])
def test_what_stands_before_a_person_has_a_reason(a_meter_event, books, state):
    a_meter_event(*WAYS[state])

    with pytest.raises(psycopg.errors.CheckViolation, match="have_a_reason"):
        books.write("UPDATE meter_event SET reason = NULL")


def test_only_what_can_be_sent_is_due(a_meter_event, books):
    a_meter_event("accepted")

    with pytest.raises(psycopg.errors.CheckViolation, match="due_while_it_can_be_sent"):
        books.write("UPDATE meter_event SET due_at = ledger_now()")


@pytest.mark.parametrize("key", [("acct_2", False), ("acct_1", True)])
def test_a_key_of_another_account_or_mode_is_refused_and_both_are_named(books, key):
    stripe_account, is_live = key

    with (
        books.ledger.transaction() as tx,
        pytest.raises(OtherAccount, match=r"acct_1 \(test mode\).*STRIPE_SECRET_KEY"),
    ):
        accounts.pin_account(tx, "default", stripe_account=stripe_account, is_live=is_live)


def test_every_state_of_the_schema_is_among_those_tried_here():
    schema = Path(accounts.__file__).parents[1] / "migrations" / "0015_corrections.sql"
    (told,) = re.findall(r"meter_event_state_check CHECK \(state IN\s+\(([^)]*)\)\)", schema.read_text())

    assert re.findall(r"'(\w+)'", told) == STATES
