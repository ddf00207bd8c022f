"""A row's whole story, whatever became of it."""

from collections.abc import Callable
from typing import Any

import pytest

from cli.row import OUTCOMES, STATES
from meterpost.subscription import from_said

Command = Callable[..., Any]
MakeRow = Callable[..., Any]

SEALED = """
    INSERT INTO meter_event (lane_id, meter_stripe_id, formula, bucket, stamped_at, value, entries, payload,
        is_unbilled, state, due_at)
    SELECT lane_id, 'mtr_1', 'sum', bucket, date_trunc('second', occurred_at), value, 1, '{}', false, 'sealed',
        ledger_now() FROM entry;
    UPDATE entry SET meter_event_id = (SELECT meter_event_id FROM meter_event);
    INSERT INTO generation (meter_event_id, generation, identifier) SELECT meter_event_id, 1, 'idt_1' FROM meter_event;
"""
CALLED = """
    INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence, ended_at, outcome, request_id)
    SELECT lane_id, meter_event_id, 1, 'idt_1', 1, ledger_now(), 'unavailable', 'req_1' FROM meter_event;
    INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence, ended_at, outcome, request_id)
    SELECT lane_id, meter_event_id, 1, 'idt_1', 1, ledger_now(), 'accepted', 'req_2' FROM meter_event;
    UPDATE meter_event SET state = 'accepted', due_at = NULL, accepted_at = ledger_now();
"""
CONFIRMED = "UPDATE meter_event SET state = 'confirmed', confirmed_at = ledger_now()"
WAIVED = """
    INSERT INTO operator_action (action_id, actor, verb, subject, reason, state_before, state_after, hash)
    VALUES (1, 'ada', 'waive', 'me-1', 'too little', 'late', 'waived', 'hash');
    INSERT INTO correction (action_id, kind, meter_event_id, units, state_before)
    VALUES (1, 'waived', 1, 0, 'refused')
"""
HELD = "UPDATE meter_event SET state = 'held', due_at = NULL, reason = 'window_closed'"


def test_a_recorded_row_waits_for_the_end_of_its_bucket(command: Command, books: Any, usage_row: MakeRow) -> None:
    books.record(usage_row("a"))

    ran = command("row", "show", "a")

    assert ran.out.startswith("Row a of app: 3 api_requests of cus_1")
    assert "Recorded: it joins the bucket" in ran.out


def test_a_confirmed_row_shows_every_call_with_its_request_id(command: Command, books: Any, usage_row: MakeRow) -> None:
    books.record(usage_row("a"))
    for statement in (SEALED, CALLED, CONFIRMED):
        books.execute(statement)

    out = command("row", "show", "a").out

    assert out.index("idt_1") < out.index("req_1") < out.index("req_2") < out.index("Confirmed: ")


def test_a_persons_decision_stands_where_it_happened_and_a_waiver_tells_no_units(
    command: Command, books: Any, usage_row: MakeRow
) -> None:
    books.record(usage_row("a"))
    for statement in (SEALED, CALLED, WAIVED):
        books.execute(statement)

    out = command("row", "show", "a").out

    assert out.index("req_1") < out.index("req_2") < out.index("me-1 was waived by ada: too little\n")
    assert "0 units" not in out


def test_a_held_meter_event_says_why(command: Command, books: Any, usage_row: MakeRow) -> None:
    books.record(usage_row("a"))
    books.execute(SEALED)
    books.execute(HELD)

    assert "Held: Whether it counts cannot be decided" in command("row", "show", "a").out
    assert "Reason: window_closed." in command("row", "show", "a").out


def test_a_row_told_with_other_content_shows_both(command: Command, books: Any, usage_row: MakeRow) -> None:
    books.record(usage_row("a", value=3))
    books.record(usage_row("a", value=4))

    out = command("row", "show", "a").out

    assert "Row a of app: 3 api_requests" in out
    assert "told again by app with other content: 4 api_requests" in out


def test_a_subscription_told_under_the_id_of_usage_is_shown_beside_it(
    command: Command, books: Any, usage_row: MakeRow
) -> None:
    books.record(usage_row("a"))
    books.sign_up([from_said({"customer": "cus_1", "price": "price_1"}, account="default", source="app", row_id="a")])

    out = command("row", "show", "a").out

    assert 'with other content: a subscription, {"price": "price_1", "customer": "cus_1"}' in out


def test_the_row_of_a_subscription_says_where_its_story_is(command: Command, books: Any) -> None:
    books.sign_up([from_said({"customer": "cus_1", "price": "price_1"}, account="default", source="app", row_id="a")])

    out = command("row", "show", "a").out

    assert "Row a of app: a subscription of cus_1 to price_1" in out
    assert "recorded, and due: see meterpost subscriptions show su-1" in out


def test_a_quarantined_row_shows_its_reason_and_its_bytes_harmlessly(command: Command, books: Any) -> None:
    books.quarantine(b'{"value": "\x1b[2J1e3"}', row_id="a", reason="is not a plain decimal number")

    out = command("row", "show", "a").out

    assert "is not a plain decimal number" in out
    assert r"\x1b[2J1e3" in out
    assert "\x1b" not in out


def test_an_id_that_two_sources_use_shows_both_rows(command: Command, books: Any, usage_row: MakeRow) -> None:
    books.record(usage_row("a", source="app"), usage_row("a", source="exports"))

    ran = command("row", "show", "a", "--json")

    assert [row["source"] for row in ran.json["rows"]] == ["app", "exports"]


def test_the_story_in_json_has_the_same_keys_whatever_became_of_the_row(
    command: Command, books: Any, usage_row: MakeRow
) -> None:
    books.record(usage_row("a", value="0.50"))

    story = command("row", "show", "a", "--json").json

    keys = "rows conflicts quarantined meter_events identifiers attempts readings read_again cancellations reports"
    assert " ".join(story) == f"{keys} from_quarantine corrections signups"
    assert story["rows"][0]["value"] == "0.5"
    assert story["rows"][0]["recorded_at"].endswith("Z")


def test_a_row_that_nobody_knows_is_a_failure_with_advice(command: Command, ledger: str) -> None:
    ran = command("row", "show", "nobody")

    assert (ran.code, ran.out) == (1, "")
    assert "may still be on the queue" in ran.err


@pytest.mark.parametrize("state", ["sealed", "unknown", "accepted", "confirmed", "refused", "held", "conflict"])
def test_every_state_has_a_sentence(state: str) -> None:
    assert STATES[state].endswith(".")


@pytest.mark.parametrize("outcome", [None, "accepted", "refused", "unavailable", "unknown"])
def test_every_outcome_has_words(outcome: str | None) -> None:
    assert OUTCOMES[outcome]
