"""Each invariant holds for what our own statements wrote, and each is broken by one change behind their back."""

import pytest

from service import invariants
from service.invariants import INVARIANTS
from service.timing import FAST

ATTEMPT = (
    "INSERT INTO attempt (lane_id, meter_event_id, generation, fence, started_at, ended_at, idempotency_key, outcome)"
    " SELECT lane_id, meter_event_id, 1, 1, now(), now(), {}"
    " FROM meter_event JOIN generation USING (meter_event_id, generation)"
)

SIGNUP = (
    "INSERT INTO signup_lane (account, customer) VALUES ('default', 'cus_1');"
    " INSERT INTO signup (signup_id, signup_lane_id, intake_id, source, row_id, price, said, identifier)"
    " SELECT 99, signup_lane_id, 1, 'a', 'b', 'price_1', '{}', 'mps-1' FROM signup_lane"
)
CREATION = (
    "INSERT INTO signup_attempt (signup_lane_id, signup_id, step, idempotency_key, fence, ended_at, outcome)"
    " SELECT signup_lane_id, 99, 'create', '{}', 1, now(), 'unknown' FROM signup_lane"
)

SABOTAGE = {
    "intakes": "UPDATE intake SET recorded = recorded + 1, rows = rows + 1",
    "rows": "DELETE FROM entry",
    "bells": "UPDATE entry SET meter_event_id = NULL",
    "sums": "UPDATE meter_event SET value = value + 1",
    "attempts": ATTEMPT.format("identifier || '-2', 'unavailable'"),
    "window": (
        ATTEMPT.format("identifier, 'unavailable'") + ";"
        "UPDATE generation SET ambiguous_since = now() - interval '1 day'"
    ),
    "doubts": ATTEMPT.format("identifier, 'unknown'"),
    "generations": (
        "UPDATE generation SET ambiguous_since = now();"
        " INSERT INTO generation SELECT meter_event_id, 2, identifier || '-2' FROM generation"
    ),
    "acceptances": ATTEMPT.format("identifier, 'accepted'"),
    "reports": (
        "INSERT INTO error_report VALUES ('default', 'evt_1', NULL, now(), now(), 1, 'no_meter', NULL, now());"
        " INSERT INTO error_sample"
        " SELECT 'default', 'evt_1', 1, 'no_meter', 'No', identifier, meter_event_id, generation FROM generation"
    ),
    "corrections": (
        "INSERT INTO correction (action_id, kind, meter_event_id, units, source, row_id, entry_id)"
        " SELECT 9, 'corrected', meter_event_id, 1, source, row_id, entry_id FROM entry"
    ),
    "backfills": (
        "INSERT INTO backfill (account, name, state, opened_by, close_action_id)"
        " VALUES ('default', 'march', 'closed', 'ada', 9);"
        " INSERT INTO backfill_row (backfill_id, source, row_id, content_hash, customer, meter, value, occurred_at)"
        " SELECT backfill_id, 'a', 'b', '', 'cus_1', 'tokens', 1, now() FROM backfill"
    ),
    "cancelled": "UPDATE meter_event SET state = 'cancelled', due_at = NULL",
    "signups": SIGNUP,
    "signup_keys": ";".join([SIGNUP, CREATION.format("mps-1"), CREATION.format("mps-1.1")]),
    "wanted": "UPDATE lane SET due_at = NULL",
    "overdue": "UPDATE lane SET due_at = now() - interval '1 hour'",
}


def breaches(books):
    with books.ledger.transaction() as tx:
        return {breach.invariant for breach in invariants.check(tx, timing=FAST)}


def sabotage(books, statements):
    with books.ledger.transaction() as tx:
        tx.execute(b"SET LOCAL session_replication_role = replica")  # no trigger and no foreign key sees it
        for statement in statements.split(";"):
            tx.execute(statement.encode())


@pytest.mark.parametrize("states", [(), ("unknown",), ("accepted", "confirmed"), ("refused",), ("held",)])
def test_what_our_statements_write_breaches_nothing(books, a_meter_event, states):
    a_meter_event(*states)
    assert breaches(books) == set()


@pytest.mark.parametrize("invariant", SABOTAGE)
def test_a_change_behind_the_ledgers_back_is_found(books, a_meter_event, invariant):
    a_meter_event()
    sabotage(books, SABOTAGE[invariant])
    assert invariant in breaches(books)


def test_every_invariant_was_broken_once():
    assert {*SABOTAGE, "actions"} == set(INVARIANTS)


def test_a_changed_action_is_found(books, a_meter_event, desk):
    desk.discarded(f"me-{a_meter_event('refused')}")
    sabotage(books, "UPDATE operator_action SET reason = 'no'")
    assert breaches(books) == {"actions"}


def test_what_a_person_discarded_is_not_overdue_for_a_reading(books, a_meter_event, desk):
    desk.discarded(f"me-{a_meter_event('held')}")
    books.write("UPDATE meter_event SET read_back_at = now() - interval '1 hour'")
    assert breaches(books) == set()


def test_what_is_held_and_was_not_read_back_is_overdue(books, a_meter_event):
    a_meter_event("held")
    books.write("UPDATE meter_event SET read_back_at = now() - interval '1 hour'")
    assert breaches(books) == {"overdue"}
