"""The doctor at the desk."""

from collections.abc import Callable
from typing import Any

Command = Callable[..., Any]


def test_a_pause_is_a_warning_with_who_why_and_the_way_back(command: Command, ledger: str) -> None:
    command("pause", "--meter", "tokens", "--reason", "INC-42", "--actor", "ada")

    (found,) = _found(command, "pause")

    assert found["severity"] == "warning"
    assert "by ada: INC-42" in found["text"]
    assert "meterpost resume --meter tokens" in found["remedy"]


def test_changed_actions_are_a_failure(command: Command, books: Any) -> None:
    command("pause", "--reason", "a")
    books.execute("ALTER TABLE operator_action DISABLE TRIGGER USER")
    books.execute("UPDATE operator_action SET actor = 'eve'")

    (found,) = _found(command, "actions")

    assert found["severity"] == "failure"
    assert "action 1" in found["text"]


def test_what_waits_for_a_person_is_said_with_where_to_look(command: Command, books: Any) -> None:
    books.quarantine(b"{}", row_id="c", reason="bad")

    (found,) = _found(command, "desk")

    assert (found["severity"], found["text"]) == ("warning", "waits for a person: 1 quarantined")
    assert "meterpost dead list" in found["remedy"]


def test_a_backfill_that_stands_half_way_is_said_with_how_it_goes_on(command: Command, books: Any) -> None:
    books.execute(
        "WITH ordered AS (INSERT INTO operator_action (actor, verb, subject, reason, state_before, state_after)"
        " VALUES ('ada', 'close', 'backfill march', 'x', 'open', 'closing') RETURNING action_id)"
        " INSERT INTO backfill (account, name, state, opened_by, close_action_id)"
        " SELECT 'default', 'march', 'closing', 'ada', action_id FROM ordered"
    )

    (found,) = _found(command, "backfill")

    assert "the backfill march is closing" in found["text"]
    assert found["remedy"].startswith("meterpost backfill close march")


def test_a_desk_with_nothing_on_it_is_fine(command: Command, ledger: str) -> None:
    assert [one["severity"] for name in ("actions", "desk") for one in _found(command, name)] == ["fine", "fine"]


def _found(command: Command, name: str) -> list[dict[str, Any]]:
    return [one for one in command("doctor", "--json").json["findings"] if one["name"] == name]
