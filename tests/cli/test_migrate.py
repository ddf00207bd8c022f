"""Migrations from the command line."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

Command = Callable[..., Any]


@pytest.fixture
def empty_ledger(bare: object, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database without any table."""
    name = f"{postgres_url.rpartition('/')[0]}/empty_ledger"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty_ledger")
        monkeypatch.setenv("DATABASE_URL", name)
        yield name
        connection.execute("DROP DATABASE empty_ledger WITH (FORCE)")


def test_a_ledger_that_is_behind_is_a_finding_and_stays_as_it_is(command: Command, empty_ledger: str) -> None:
    first, second = command("migrate", "--check", "--json"), command("migrate", "--check", "--json")

    assert (first.code, second.code) == (3, 3)
    assert first.json == second.json
    assert first.json["pending"][0] == "0001_ledger"


def test_migrating_twice_runs_every_file_once(command: Command, empty_ledger: str) -> None:
    first, second = command("migrate", "--json"), command("migrate", "--json")

    assert first.json["migrated"][0] == "0001_ledger"
    assert second.json == {"migrated": []}


def test_a_ledger_that_is_up_to_date_passes_the_check(command: Command, ledger: str) -> None:
    ran = command("migrate", "--check")

    assert (ran.code, ran.out) == (0, "")
    assert "up to date" in ran.err


@pytest.mark.parametrize("arguments", [("row", "show", "a")])
def test_a_command_on_a_ledger_that_is_behind_says_what_to_run(
    command: Command, empty_ledger: str, arguments: tuple[str, ...]
) -> None:
    ran = command(*arguments)

    assert ran.code == 1
    assert "run meterpost migrate" in ran.err
