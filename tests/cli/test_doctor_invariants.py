"""The doctor on the books: `meterpost doctor --invariants`."""

from collections.abc import Callable
from typing import Any

from service.invariants import INVARIANTS

Command = Callable[..., Any]


def test_every_invariant_holds_and_without_a_key_stripes_books_were_not_read(command: Command, ledger: str) -> None:
    assert _found(command) == {f"invariant {name}": "fine" for name in INVARIANTS} | {"invariant summaries": "warning"}


def test_a_breach_is_a_failure_that_names_its_row(command: Command, books: Any) -> None:
    books.execute(
        "INSERT INTO intake (messages, rows, recorded, duplicates, conflicts, quarantined) VALUES (1, 1, 1, 0, 0, 0)"
    )

    ran = command("doctor", "--invariants", "--json")

    (broken,) = [one for one in ran.json["findings"] if one["name"] == "invariant intakes"]
    assert (ran.code, broken["severity"]) == (1, "failure")
    assert broken["text"].startswith("intake ")


def test_without_a_ledger_it_says_what_to_set(command: Command) -> None:
    ran = command("doctor", "--invariants", "--json")

    (unread,) = [one for one in ran.json["findings"] if one["name"] == "ledger invariants"]
    assert "DATABASE_URL" in unread["text"]


def _found(command: Command) -> dict[str, str]:
    findings = command("doctor", "--invariants", "--json").json["findings"]
    return {one["name"]: one["severity"] for one in findings if one["name"].startswith("invariant ")}
