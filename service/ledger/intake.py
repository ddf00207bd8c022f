"""Rows into the ledger: one transaction an intake, the same few statements for one row or fifty thousand.

Told twice, recorded once: the unique key of `row_key` decides, not a check in Python. The same id with other
content, or of the other kind of row, is a conflict and kept beside the first. An intake is of one kind of rows, so that
all of its keys are taken by one statement in one order, and no two intakes can wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from meterpost.rows import BadRow, SubscriptionRow, UsageRow
from service.ledger.connection import Transaction, execute, fetch_one, sql
from service.timing import Timing

COLUMN_TYPES = ("int4", "text", "text", "text", "bytea", "text", "text", "numeric", "timestamptz")
SIGNUP_TYPES = ("int4", "text", "text", "text", "bytea", "text", "text", "jsonb", "text", "text", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What became of the rows of one transaction. rows = recorded + duplicates + conflicts + quarantined.

    `blocked` are those recorded that wait for a person at once: they replace a row that is not to be replaced.
    """

    intake_id: int
    messages: int
    rows: int
    recorded: int
    conflicts: int
    quarantined: int
    blocked: int = 0

    @property
    def duplicates(self) -> int:
        return self.rows - self.recorded - self.conflicts - self.quarantined


@dataclass(frozen=True, slots=True)
class _Opened:
    intake_id: int


@dataclass(frozen=True, slots=True)
class _Count:
    rows: int


@dataclass(frozen=True, slots=True)
class _Signups:
    rows: int
    blocked: int


def record(
    tx: Transaction, rows: Sequence[UsageRow], bad: Sequence[BadRow], *, messages: int, timing: Timing
) -> Intake:
    """Make entries of what is new, keep conflicts and bad rows, and write down the counts."""
    intake_id = _open(tx)
    _stage(tx, rows)
    execute(tx, "add_lanes")
    recorded = _count(tx, "record_rows", intake_id=intake_id, bucket=timing.bucket, linger=timing.seal_linger)
    conflicts = _count(tx, "keep_conflicts", intake_id=intake_id)
    _quarantine(tx, bad, intake_id=intake_id)
    intake = Intake(
        intake_id=intake_id,
        messages=messages,
        rows=len(rows) + len(bad),
        recorded=recorded,
        conflicts=conflicts,
        quarantined=len(bad),
    )
    _close(tx, intake)
    return intake


def record_signups(
    tx: Transaction, signups: Sequence[SubscriptionRow], bad: Sequence[BadRow], *, messages: int
) -> Intake:
    """Make signups of what is new, close what they replace, keep conflicts and bad rows, and write down the counts."""
    intake_id = _open(tx)
    _stage_signups(tx, signups)
    execute(tx, "add_signup_lanes")
    execute(tx, "lock_lanes_of_staged")
    if any(row.replaces for row in signups):
        execute(tx, "lock_replaced")
    recorded = fetch_one(tx, _Signups, "record_signups", intake_id=intake_id)
    assert recorded is not None, "a count always answers"
    conflicts = _count(tx, "keep_signup_conflicts", intake_id=intake_id)
    _quarantine(tx, bad, intake_id=intake_id)
    intake = Intake(
        intake_id=intake_id,
        messages=messages,
        rows=len(signups) + len(bad),
        recorded=recorded.rows,
        conflicts=conflicts,
        quarantined=len(bad),
        blocked=recorded.blocked,
    )
    _close(tx, intake)
    return intake


def _open(tx: Transaction) -> int:
    opened = fetch_one(tx, _Opened, "open_intake")
    assert opened is not None, "a sequence always answers"
    return opened.intake_id


def _stage(tx: Transaction, rows: Sequence[UsageRow]) -> None:
    execute(tx, "stage_rows")
    with tx.cursor() as cursor, cursor.copy(sql("copy_rows")) as copy:
        copy.set_types(COLUMN_TYPES)
        for position, row in enumerate(rows):
            copy.write_row(
                (
                    position,
                    row.account,
                    row.source,
                    row.row_id,
                    row.content_hash,
                    row.customer,
                    row.meter,
                    row.value,
                    row.occurred_at,
                )
            )


def _stage_signups(tx: Transaction, signups: Sequence[SubscriptionRow]) -> None:
    execute(tx, "stage_signups")
    with tx.cursor() as cursor, cursor.copy(sql("copy_signups")) as copy:
        copy.set_types(SIGNUP_TYPES)
        for position, row in enumerate(signups):
            copy.write_row(
                (
                    position,
                    row.account,
                    row.source,
                    row.row_id,
                    row.content_hash,
                    row.customer,
                    row.price,
                    Jsonb(row.said),
                    row.identifier,
                    row.replaces,
                    row.import_name,
                )
            )


def _count(tx: Transaction, name: str, **parameters: object) -> int:
    counted = fetch_one(tx, _Count, name, **parameters)
    assert counted is not None, "a count always answers"
    return counted.rows


def _quarantine(tx: Transaction, bad: Sequence[BadRow], *, intake_id: int) -> None:
    if not bad:
        return
    execute(
        tx,
        "quarantine_rows",
        intake_id=intake_id,
        raws=[row.raw for row in bad],
        row_ids=[row.row_id for row in bad],
        fields=[row.field for row in bad],
        reasons=[row.reason for row in bad],
        sent_ats=[row.sent_at for row in bad],
        schemas=[row.schema for row in bad],
    )


def _close(tx: Transaction, intake: Intake) -> None:
    execute(
        tx,
        "close_intake",
        intake_id=intake.intake_id,
        messages=intake.messages,
        rows=intake.rows,
        recorded=intake.recorded,
        conflicts=intake.conflicts,
        quarantined=intake.quarantined,
    )
