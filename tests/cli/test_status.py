"""What stands at each step."""

from collections.abc import Callable
from typing import Any

import pytest

from cli.output import age
from cli.status import SENTENCES

Command = Callable[..., Any]
MakeRow = Callable[..., Any]


def _of(ran: Any, step: str, state: str) -> dict[str, Any]:
    (found,) = [one for one in ran.json["steps"] if (one["step"], one["state"]) == (step, state)]
    return dict(found)


def test_an_empty_system_shows_every_step_at_zero(command: Command, queue: str, ledger: str) -> None:
    ran = command("status", "--json")

    assert [(one["step"], one["state"]) for one in ran.json["steps"]] == list(SENTENCES)
    assert {one["count"] for one in ran.json["steps"]} == {0}
    assert (ran.code, ran.json["away"]) == (0, [])


def test_what_waits_on_the_queue_is_counted_with_its_age(command: Command, queue: str, ledger: str) -> None:
    command("usage", "add", "cus_1", "api_requests", "1")

    waiting = _of(command("status", "--json"), "publish", "waiting")

    assert waiting["count"] == 1
    assert waiting["oldest_s"] in {0, 1, 2}


def test_rows_are_counted_by_what_became_of_them(command: Command, queue: str, books: Any, usage_row: MakeRow) -> None:
    books.record(usage_row("a"), usage_row("b"))
    books.record(usage_row("b", value=4))
    books.quarantine(b"{}", row_id="c", reason="bad")
    ran = command("status", "--json")

    counts = [_of(ran, "record", state)["count"] for state in ("recorded", "conflict", "quarantined")]
    assert (*counts, _of(ran, "seal", "unsealed")["count"]) == (2, 1, 1, 2)


def test_what_needs_a_person_is_marked(command: Command, queue: str, books: Any) -> None:
    books.quarantine(b"{}", row_id="c", reason="bad")

    ran = command("status", "--json")

    assert [one["state"] for one in ran.json["steps"] if one["needs_person"]] == ["quarantined"]


def test_the_age_is_counted_by_the_ledgers_clock(command: Command, queue: str, books: Any, usage_row: MakeRow) -> None:
    books.record(usage_row("a"))
    books.execute("UPDATE ledger_clock SET ahead_by = '3 hours'")

    assert _of(command("status", "--json"), "seal", "unsealed")["oldest_s"] == pytest.approx(3 * 3600, abs=60)


def test_a_queue_that_is_away_hides_nothing_else(
    command: Command, books: Any, usage_row: MakeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_URL", "redis://127.0.0.1:1/0")
    books.record(usage_row("a"))

    ran = command("status", "--json")

    assert ran.code == 1
    assert "127.0.0.1:1" in ran.err
    assert _of(ran, "record", "recorded")["count"] == 1


def test_people_get_a_table_of_the_same(command: Command, queue: str, ledger: str) -> None:
    ran = command("status")

    assert ran.out.split()[:5] == ["step", "state", "count", "oldest", "meaning"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 d")]
)
def test_an_age_is_told_in_the_largest_unit_that_says_enough(seconds: int | None, text: str) -> None:
    assert age(seconds) == text


def test_a_pause_is_shown_with_who_and_why(command: Command, queue: str, ledger: str) -> None:
    command("pause", "--meter", "tokens", "--reason", "INC-42", "--actor", "ada")

    ran = command("status", "--json")

    assert ran.json["pauses"][0]["pause"]["reason"] == "INC-42"
    assert "paused: the meter tokens, since 0 s, by ada: INC-42" in command("status").err.replace(" 1 s", " 0 s")


def test_what_was_discarded_needs_nobody_any_more(command: Command, queue: str, books: Any) -> None:
    books.quarantine(b"{}", row_id="c", reason="bad")
    command("dead", "discard", "q-1", "--reason", "a probe")

    ran = command("status", "--json")

    assert _of(ran, "record", "quarantined")["count"] == 0
    assert _of(ran, "desk", "discarded")["count"] == 1


def test_an_open_breaker_is_told_once_with_its_reason_and_the_next_trial(
    command: Command, queue: str, books: Any
) -> None:
    books.execute(
        "INSERT INTO account (account, stripe_account, is_live, openings, paused_until, pause_reason)"
        " VALUES ('default', 'acct_1', false, 3, '2026-01-01T00:00:00Z', 'Stripe fails: 503')"
    )

    ran = command("status")

    assert "nothing is sent: Stripe fails: 503; one call tries at 2026-01-01T00:00:00Z; so far 2 have failed" in ran.err


def test_what_a_restored_ledger_does_not_know_needs_a_person(
    command: Command, queue: str, books: Any, usage_row: MakeRow
) -> None:
    books.record(usage_row("a"))
    books.execute(
        "WITH restored AS (INSERT INTO epoch (cause) VALUES ('restored') RETURNING epoch_id)"
        " INSERT INTO external (lane_id, meter_stripe_id, epoch_id, minute, value)"
        " SELECT lane_id, 'mtr_1', epoch_id, '2026-03-01 12:00+00', 5 FROM restored, lane"
    )

    found = _of(command("status", "--json"), "seal", "external")

    assert (found["count"], found["needs_person"]) == (1, True)
