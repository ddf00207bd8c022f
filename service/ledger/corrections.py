"""Corrections: entries that the ledger writes itself, in the transaction of the decision that wants them.

Each goes through the door of every row, under a row id made of what it corrects, so that asked for twice it is made
once. From there on the normal path seals, sends, reads back and confirms it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from meterpost.rows import UsageRow
from meterpost.rules import OWN_SOURCE
from service.ledger import intake
from service.ledger.connection import Transaction, fetch, fetch_one
from service.timing import SENDABLE_AGE_MAX_S, Timing

SOURCE = OWN_SOURCE


class RowTaken(Exception):
    """A row of the source meterpost has the id that a correction wants: nothing was changed; see meterpost row show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is corrected, a meter event as a whole or one entry, by how much, and the row that does it."""

    units: Decimal
    meter_event_id: int | None = None
    corrected_entry_id: int | None = None
    state_before: str | None = None  # the meter event's
    row: UsageRow | None = None  # None: no entry is made of it


@dataclass(frozen=True, slots=True)
class _Replaced:
    correction_id: int
    action_id: int
    units: Decimal
    meter_event_id: int
    account: str
    customer: str
    meter: str
    at: datetime
    is_late: bool  # its own time can no longer be billed
    now: datetime


@dataclass(frozen=True, slots=True)
class _Id:
    correction_id: int


def enter(
    tx: Transaction, corrections: Sequence[Correction], *, kind: str, action_id: int, timing: Timing
) -> list[int]:
    """Record their rows, and write down what they correct. Returns the corrections' ids. Raises RowTaken."""
    rows = [one.row for one in corrections if one.row is not None]
    if rows:
        recorded = intake.record(tx, rows, (), messages=0, timing=timing)
        if recorded.recorded < len(rows):
            raise RowTaken(f"{RowTaken.__doc__} {rows[0].row_id}")
    noted = fetch(
        tx,
        _Id,
        "note_corrections",
        action_id=action_id,
        kind=kind,
        account=rows[0].account if rows else None,
        source=SOURCE,
        meter_event_ids=[one.meter_event_id for one in corrections],
        corrected_entry_ids=[one.corrected_entry_id for one in corrections],
        states=[one.state_before for one in corrections],
        units=[one.units for one in corrections],
        row_ids=[one.row and one.row.row_id for one in corrections],
    )
    return [one.correction_id for one in noted]


def replace_cancellation(tx: Transaction, correction_id: int, *, timing: Timing) -> None:
    """An entry takes the place of a cancellation that Stripe refuses, if what it was about still counts.

    Raises RowTaken. After the lock of the lane, and once: the surplus has ended in this transaction.
    """
    age_max = timedelta(seconds=SENDABLE_AGE_MAX_S)
    found = fetch_one(tx, _Replaced, "correction_replaced", correction_id=correction_id, age_max=age_max)
    if found is None:
        return
    row = UsageRow(
        account=found.account,
        source=SOURCE,
        row_id=f"correct-me-{found.meter_event_id}",
        customer=found.customer,
        meter=found.meter,
        value=found.units,
        occurred_at=found.now if found.is_late else found.at,
        is_time_told=False,
    )
    correction = Correction(units=found.units, meter_event_id=found.meter_event_id, state_before="confirmed", row=row)
    enter(tx, [correction], kind="corrected", action_id=found.action_id, timing=timing)
