"""Backfills: rows that are staged first, and count only once somebody has seen what that changes and closes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from meterpost.rows import UsageRow
from service.ledger.actions import Order, note_action
from service.ledger.connection import Transaction, execute, fetch, fetch_one

REASONS_MAX = 50  # told of a backfill; they are few, and each has its count


@dataclass(frozen=True, slots=True)
class Backfill:
    """One with how many of its rows stand where; `recorded` has those that were taken back again, or kept."""

    backfill_id: int
    account: str
    name: str
    state: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    reverted_at: datetime | None
    rows: int
    staged: int
    recorded: int
    duplicates: int
    conflicts: int
    left_out: int
    reverted: int
    kept: int


@dataclass(frozen=True, slots=True)
class Locked:
    """One that is ours until the transaction ends."""

    backfill_id: int
    account: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Staged:
    """What became of some rows of a file. `duplicates` and `conflicts` are with what is recorded already."""

    staged: int
    contradicting: int  # an id of this backfill, with other content; the first content stays
    duplicates: int
    conflicts: int

    def __add__(self, other: "Staged") -> "Staged":
        return Staged(
            self.staged + other.staged,
            self.contradicting + other.contradicting,
            self.duplicates + other.duplicates,
            self.conflicts + other.conflicts,
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows of a backfill do not count, or were kept."""

    state: str
    reason: str
    rows: int
    units: Decimal


@dataclass(frozen=True, slots=True)
class Underway:
    """One that somebody began to close or to revert."""

    name: str
    state: str


def backfills_underway(tx: Transaction) -> list[Underway]:
    return fetch(tx, Underway, "backfills_underway")


def open_backfill(tx: Transaction, account: str, name: str, *, actor: str) -> bool:
    """False: one of this name is there already."""
    return execute(tx, "open_backfill", account=account, name=name, actor=actor) == 1


def backfills(tx: Transaction, account: str, *, name: str | None = None) -> list[Backfill]:
    return fetch(tx, Backfill, "backfills", account=account, name=name)


def lock_backfill(tx: Transaction, account: str, name: str) -> Locked | None:
    return fetch_one(tx, Locked, "lock_backfill", account=account, name=name)


def stage(tx: Transaction, backfill: Locked, rows: Sequence[UsageRow]) -> Staged:
    """Rows into an open backfill, after its lock. The same again changes nothing."""
    assert backfill.state == "open", "a backfill is filled while it is open"
    staged = fetch_one(
        tx,
        Staged,
        "stage_backfill",
        backfill_id=backfill.backfill_id,
        account=backfill.account,
        sources=[row.source for row in rows],
        row_ids=[row.row_id for row in rows],
        hashes=[row.content_hash for row in rows],
        customers=[row.customer for row in rows],
        meters=[row.meter for row in rows],
        values=[row.value for row in rows],
        times=[row.occurred_at for row in rows],
        units=[row.unit for row in rows],
    )
    assert staged is not None, "a count always answers"
    return staged


def reasons(tx: Transaction, backfill: Backfill) -> list[Reason]:
    return fetch(tx, Reason, "left_out_reasons", backfill_id=backfill.backfill_id, reasons_max=REASONS_MAX)


def begin(tx: Transaction, backfill: Locked, state: str, *, order: Order) -> None:
    """A person orders it to be closed or reverted: `state` is "closing" or "reverting"."""
    verb = {"closing": "close", "reverting": "revert"}[state]
    subject = f"backfill {backfill.name}"
    action_id = note_action(tx, order, verb, subject=subject, before=backfill.state, after=state)
    execute(tx, "move_backfill", backfill_id=backfill.backfill_id, state=state, action_id=action_id)


def finish(tx: Transaction, backfill: Locked, state: str) -> None:
    """`state` is "closed" or "reverted"."""
    execute(tx, "move_backfill", backfill_id=backfill.backfill_id, state=state, action_id=None)
