"""A person's pause: said once, kept with its reason, and taken back by its name."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

Command = Callable[..., Any]


def test_a_pause_is_kept_with_who_when_and_why(command: Command, ledger: str) -> None:
    ran = command("pause", "--reason", "prices change", "--actor", "ada", "--json")

    assert ran.code == 0
    assert ran.json["is_new"]
    assert {"meter": "*", "actor": "ada", "reason": "prices change"}.items() <= ran.json["pause"].items()


def test_a_pause_said_twice_is_one_and_the_first_reason_stands(command: Command, ledger: str) -> None:
    command("pause", "--meter", "tokens", "--reason", "first")
    ran = command("pause", "--meter", "tokens", "--reason", "second")

    assert ran.code == 0
    assert "paused already" in ran.err
    assert "first" in ran.err
    assert _facts(ledger) == [("pause", "default/tokens", "first", "running", "paused")]


def test_resuming_takes_back_the_pause_of_that_name_alone(command: Command, ledger: str) -> None:
    command("pause", "--meter", "tokens", "--reason", "a")
    command("pause", "--reason", "b")

    ran = command("resume", "--reason", "c", "--json")

    assert ran.json["was_paused"]
    assert [one["meter"] for one in ran.json["pauses"]] == ["tokens"]
    assert [fact[:2] for fact in _facts(ledger)][-1] == ("resume", "default")


def test_resuming_what_is_not_paused_changes_nothing(command: Command, ledger: str) -> None:
    ran = command("resume", "--reason", "why not")

    assert ran.code == 0
    assert "not paused" in ran.err
    assert _facts(ledger) == []


def test_without_actor_the_systems_user_and_host_are_kept(command: Command, ledger: str) -> None:
    actor = command("pause", "--reason", "a", "--json").json["pause"]["actor"]

    assert actor.partition("@")[0]
    assert actor.partition("@")[2]


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 1_001])
def test_a_reason_is_a_printable_sentence(command: Command, ledger: str, reason: str) -> None:
    ran = command("pause", "--reason", reason)

    assert ran.code == 2
    assert "--reason" in ran.err
    assert _facts(ledger) == []


def test_what_can_be_no_meters_name_is_refused(command: Command, ledger: str) -> None:
    ran = command("pause", "--meter", "To kens", "--reason", "a")

    assert ran.code == 2
    assert "is not a meter's event_name" in ran.err


def test_no_pause_without_a_reason(command: Command, ledger: str) -> None:
    assert command("pause").code == 2


def test_a_meter_that_no_row_has_named_is_said(command: Command, ledger: str) -> None:
    assert "no row has named the meter tokns" in command("pause", "--meter", "tokns", "--reason", "a").err


def _facts(url: str) -> list[Any]:
    with psycopg.connect(url) as tx:
        return tx.execute(
            "SELECT verb, subject, reason, state_before, state_after FROM operator_action ORDER BY action_id"
        ).fetchall()
