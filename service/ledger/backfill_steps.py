"""A backfill on its way, one bounded transaction at a time: rows into entries, and entries taken back again.

What a step has done is written down in its transaction, so that whoever comes after a crash goes on behind it, and
nothing is done twice: the rows' own keys see to that as well.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from meterpost.rows import UsageRow
from service.backfilling import FilledIn, Gone, Keep, TakeBack, Wait, end
from service.ledger import intake
from service.ledger.backfills import Locked
from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.ledger.corrections import SOURCE, Correction, enter
from service.timing import Timing

ROWS_A_STEP = 1_000  # what one transaction of the ledger takes with ease


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one transaction did. `place`: it has got so far; None: nothing was left."""

    place: int | None
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class StagedRow:
    place: int
    account: str
    source: str
    row_id: str
    customer: str
    meter: str
    value: Decimal
    occurred_at: datetime
    unit: str | None
    standing: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilledIn(FilledIn):
    """An entry of the backfill, or a meter event of its entries, with where it stands."""

    place: int
    entry_id: int | None
    meter_event_id: int | None
    lane_id: int
    account: str
    customer: str
    meter: str

    @property
    def name(self) -> str:
        return f"me-{self.meter_event_id}" if self.entry_id is None else f"entry-{self.entry_id}"


@dataclass(frozen=True, slots=True)
class _State:
    state: str


@dataclass(frozen=True, slots=True)
class _Action:
    action_id: int


def record_some(tx: Transaction, backfill: Locked, *, timing: Timing) -> Step:
    """The next rows become entries, or are left out with the reason. After the backfill's lock."""
    rows = fetch(tx, StagedRow, "staged_rows", backfill_id=backfill.backfill_id, rows_max=ROWS_A_STEP)
    if not rows:
        return Step(place=None, counts=Counter())
    good = [_row(row) for row in rows if row.standing == "recorded"]
    recorded = intake.record(tx, good, (), messages=0, timing=timing) if good else None
    settled = fetch(
        tx,
        _State,
        "settle_staged",
        backfill_id=backfill.backfill_id,
        account=backfill.account,
        intake_id=recorded and recorded.intake_id,
        places=[row.place for row in rows],
        standings=[row.standing for row in rows],
        reasons=[row.reason for row in rows],
    )
    return Step(place=rows[-1].place, counts=Counter(one.state for one in settled))


def take_back_some(tx: Transaction, backfill: Locked, *, after: int, timing: Timing) -> Step:
    """The next entries behind that place are taken back. After the backfill's lock.

    What waits is passed over, and asked about again by who begins from the start.
    """
    asked = {"backfill_id": backfill.backfill_id, "after": after, "rows_max": ROWS_A_STEP}
    seen = fetch(tx, EntryFilledIn, "filled_in", **asked)
    if not seen:
        return Step(place=None, counts=Counter())
    execute(tx, "lock_every_lane", lane_ids=sorted({one.lane_id for one in seen}))
    found = fetch(tx, EntryFilledIn, "filled_in", **asked)
    return Step(place=seen[-1].place, counts=_take_back(tx, backfill, found, timing=timing))


def take_back_corrected(tx: Transaction, backfill: Locked, *, timing: Timing) -> Step:
    """What corrected its meter events as a whole is taken back too, once their entries are."""
    asked = {"backfill_id": backfill.backfill_id, "rows_max": ROWS_A_STEP}
    seen = fetch(tx, EntryFilledIn, "corrected_whole", **asked)
    if not seen:
        return Step(place=None, counts=Counter())
    execute(tx, "lock_every_lane", lane_ids=sorted({one.lane_id for one in seen}))
    found = fetch(tx, EntryFilledIn, "corrected_whole", **asked)
    counts = _take_back(tx, backfill, found, timing=timing)
    return Step(place=0 if counts["reverted"] else None, counts=counts)


def _take_back(tx: Transaction, backfill: Locked, found: Sequence[EntryFilledIn], *, timing: Timing) -> Counter[str]:
    corrections: list[Correction] = []
    settled: list[tuple[int, str, str | None]] = []
    counts: Counter[str] = Counter()
    for one in found:
        match end(one):
            case TakeBack(at=at):
                corrections.append(_less(one, at))
                settled.append((one.place, "reverted", None))
                counts["moved"] += at != one.at
            case Gone():
                settled.append((one.place, "reverted", None))
            case Keep(reason=reason):
                settled.append((one.place, "kept", reason))
            case Wait():
                counts["waiting"] += 1
            case _ as never:
                assert_never(never)
    _enter(tx, backfill, corrections, timing=timing)
    _settle(tx, backfill, settled)
    return counts + Counter(state for _, state, _ in settled)


def _enter(tx: Transaction, backfill: Locked, corrections: Sequence[Correction], *, timing: Timing) -> None:
    ordered = fetch_one(tx, _Action, "revert_action", backfill_id=backfill.backfill_id)
    assert ordered is not None, "it is locked, so it is there"
    if corrections:
        enter(tx, corrections, kind="reverted", action_id=ordered.action_id, timing=timing)


def _settle(tx: Transaction, backfill: Locked, settled: Sequence[tuple[int, str, str | None]]) -> None:
    execute(
        tx,
        "settle_filled_in",
        backfill_id=backfill.backfill_id,
        places=[place for place, _, _ in settled],
        states=[state for _, state, _ in settled],
        reasons=[reason for _, _, reason in settled],
    )


def _row(row: StagedRow) -> UsageRow:
    return UsageRow(
        account=row.account,
        source=row.source,
        row_id=row.row_id,
        customer=row.customer,
        meter=row.meter,
        value=row.value,
        occurred_at=row.occurred_at,
        is_time_told=True,
        unit=row.unit,
    )


def _less(one: EntryFilledIn, at: datetime) -> Correction:
    row = UsageRow(
        account=one.account,
        source=SOURCE,
        row_id=f"revert-{one.name}",
        customer=one.customer,
        meter=one.meter,
        value=-one.units,
        occurred_at=at,
        is_time_told=False,
    )
    ids = {"meter_event_id": one.meter_event_id, "corrected_entry_id": one.entry_id}
    return Correction(units=-one.units, state_before=one.state, row=row, **ids)
