"""Rows into the ledger: one transaction an intake, the same few statements for one row or fifty thousand.

Told twice, recorded once: the unique key of `row_key` decides, not a check in Python. The same id with other
content is a conflict and kept beside the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from meterpost.rows import BadRow, UsageRow
from service.ledger.connection import Transaction, execute, fetch_one, sql
from service.timing import Timing

COLUMN_TYPES = ("int4", "text", "text", "text", "bytea", "text", "text", "numeric", "timestamptz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What became of the rows of one transaction. rows = recorded + duplicates + conflicts + quarantined."""

    intake_id: int
    messages: int
    rows: int
    recorded: int
    conflicts: int
    quarantined: int

    @property
    def duplicates(self) -> int:
        return self.rows - self.recorded - self.conflicts - self.quarantined


@dataclass(frozen=True, slots=True)
class _Opened:
    intake_id: int


@dataclass(frozen=True, slots=True)
class _Count:
    rows: int


def record(
    tx: Transaction, rows: Sequence[UsageRow], bad: Sequence[BadRow], *, messages: int, timing: Timing
) -> Intake:
    """Make entries of what is new, keep conflicts and bad rows, and write down the counts."""
    opened = fetch_one(tx, _Opened, "open_intake")
    assert opened is not None, "a sequence always answers"
    _stage(tx, rows)
    execute(tx, "add_lanes")
    recorded = _count(tx, "record_rows", intake_id=opened.intake_id, bucket=timing.bucket, linger=timing.seal_linger)
    conflicts = _count(tx, "keep_conflicts", intake_id=opened.intake_id)
    _quarantine(tx, bad, intake_id=opened.intake_id)
    intake = Intake(
        intake_id=opened.intake_id,
        messages=messages,
        rows=len(rows) + len(bad),
        recorded=recorded,
        conflicts=conflicts,
        quarantined=len(bad),
    )
    _close(tx, intake)
    return intake


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
