"""Everything the ledger knows of one row: what was told, what it became, what was asked of Stripe and what it said.

The way back from a complaint or an invoice line to the facts, in the order in which they happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from service.ledger.connection import Transaction, fetch

ROWS_MAX = 20  # sources that number their rows alike are few; more than a screen is no answer
ATTEMPTS_MAX = 1_000  # a day and a night of retries is about a hundred
READINGS_MAX = 500  # a held meter event is read every half an hour at most, a confirmed one a few times

CORRECTIONS_MAX = 100  # a thing is corrected once, mostly
REPORTS_MAX = 100  # a meter event is named once, mostly


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """A row that became an entry."""

    account: str
    source: str
    row_id: str
    entry_id: int
    customer: str
    meter: str
    value: Decimal
    occurred_at: datetime
    recorded_at: datetime
    bucket: datetime
    meter_event_id: int | None  # None: not sealed yet


@dataclass(frozen=True, slots=True)
class ConflictingRow:
    """What was told again under the same id with other content."""

    account: str
    source: str
    row_id: str
    customer: str
    meter: str | None
    value: Decimal | None
    occurred_at: datetime | None
    said: dict[str, Any] | None  # all of it, of a subscription, which has none of the three above
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class CalledSignup:
    """A row that became a signup; `meterpost subscriptions show` tells its story."""

    signup_id: int
    account: str
    source: str
    row_id: str
    customer: str
    price: str
    state: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """What carried the id and could not be read as a row."""

    quarantine_id: int
    row_id: str
    field: str | None
    reason: str
    raw: bytes
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class RowFromQuarantine:
    """A row that a person took out of quarantine, and the bytes as which it was read."""

    account: str
    source: str
    row_id: str
    quarantine_id: int
    said: bytes
    acted_at: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReportedMeterEvent:
    meter_event_id: int
    value: Decimal
    entries: int
    stamped_at: datetime
    state: str
    reason: str | None
    due_at: datetime | None
    is_unbilled: bool
    generation: int
    sealed_at: datetime
    accepted_at: datetime | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class UsedIdentifier:
    """A generation: the meter event under one identifier."""

    meter_event_id: int
    generation: int
    identifier: str
    ambiguous_since: datetime | None


@dataclass(frozen=True, slots=True)
class MadeAttempt:
    meter_event_id: int
    generation: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None  # None: still open
    status: int | None
    code: str | None
    detail: str | None
    request_id: str | None
    idempotency_key: str
    is_replayed: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What Stripe's summary of the minute said of one that was held, and what followed."""

    meter_event_id: int
    generation: int
    minute: datetime
    read_at: datetime
    counted: Decimal
    settled: Decimal
    expected: Decimal
    verdict: str
    canary_id: int | None


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """What Stripe's summary said later of the hour or minute of one that was confirmed, and what followed."""

    meter_event_id: int
    start: datetime
    length: timedelta
    read_at: datetime
    counted: Decimal
    expected: Decimal
    verdict: str


@dataclass(frozen=True, slots=True)
class MadeCancellation:
    """A call that asked Stripe to cancel one copy of it."""

    meter_event_id: int
    generation: int
    identifier: str
    idempotency_key: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None  # None: still open
    status: int | None
    code: str | None
    detail: str | None
    request_id: str | None
    is_replayed: bool


@dataclass(frozen=True, slots=True)
class ConcerningReport:
    """An error report that names it; or, without `told`, one in whose window it was called for."""

    meter_event_id: int
    generation: int
    event_id: str
    applied_at: datetime
    error_count: int
    codes: str
    validation_start: datetime
    validation_end: datetime
    code: str | None
    message: str | None
    told: str | None  # the identifier or key by which it is named


@dataclass(frozen=True, slots=True)
class MadeCorrection:
    """What a person decided of an entry or a meter event, and the entry that it made."""

    kind: str
    units: Decimal
    source: str | None  # None: it made none
    row_id: str | None
    meter_event_id: int | None
    corrected_entry_id: int | None
    entry_id: int | None
    acted_at: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that carried one row id. Empty lists all over: the ledger has never heard of it."""

    rows: list[RecordedRow]
    conflicts: list[ConflictingRow]
    quarantined: list[QuarantinedRow]
    meter_events: list[ReportedMeterEvent]
    identifiers: list[UsedIdentifier]
    attempts: list[MadeAttempt]
    readings: list[Reading]
    read_again: list[ReadAgain]
    cancellations: list[MadeCancellation]
    reports: list[ConcerningReport]
    from_quarantine: list[RowFromQuarantine]
    corrections: list[MadeCorrection]
    signups: list[CalledSignup]

    @property
    def is_empty(self) -> bool:
        return not (self.rows or self.signups or self.conflicts or self.quarantined)


def rows_called(tx: Transaction, row_id: str) -> list[RecordedRow]:
    """Of each source one at most."""
    return fetch(tx, RecordedRow, "rows_called", row_id=row_id, rows_max=ROWS_MAX)


def tell_story(tx: Transaction, row_id: str) -> Story:
    rows = rows_called(tx, row_id)
    sealed = [row.meter_event_id for row in rows if row.meter_event_id is not None]
    return _tell(
        tx,
        sealed,
        rows=rows,
        conflicts=fetch(tx, ConflictingRow, "conflicts_called", row_id=row_id, rows_max=ROWS_MAX),
        quarantined=fetch(tx, QuarantinedRow, "quarantined_called", row_id=row_id, rows_max=ROWS_MAX),
        from_quarantine=fetch(tx, RowFromQuarantine, "replayed_as", row_id=row_id, rows_max=ROWS_MAX),
        signups=fetch(tx, CalledSignup, "signups_called", row_id=row_id, rows_max=ROWS_MAX),
    )


def tell_meter_event(tx: Transaction, meter_event_id: int) -> Story:
    """The same of one meter event, with the first of its rows."""
    rows = fetch(tx, RecordedRow, "rows_in_meter_event", meter_event_id=meter_event_id, rows_max=ROWS_MAX)
    return _tell(tx, [meter_event_id], rows=rows, conflicts=[], quarantined=[], from_quarantine=[], signups=[])


def _tell(
    tx: Transaction,
    meter_event_ids: Sequence[int],
    *,
    rows: list[RecordedRow],
    conflicts: list[ConflictingRow],
    quarantined: list[QuarantinedRow],
    from_quarantine: list[RowFromQuarantine],
    signups: list[CalledSignup],
) -> Story:
    ids = list(meter_event_ids)
    return Story(
        rows=rows,
        conflicts=conflicts,
        quarantined=quarantined,
        meter_events=fetch(tx, ReportedMeterEvent, "meter_events_of", meter_event_ids=ids),
        identifiers=fetch(tx, UsedIdentifier, "generations_of", meter_event_ids=ids),
        attempts=fetch(tx, MadeAttempt, "all_attempts_of", meter_event_ids=ids, attempts_max=ATTEMPTS_MAX),
        readings=fetch(tx, Reading, "readings_of", meter_event_ids=ids, readings_max=READINGS_MAX),
        read_again=fetch(tx, ReadAgain, "second_readings_of", meter_event_ids=ids, readings_max=READINGS_MAX),
        cancellations=fetch(tx, MadeCancellation, "cancellations_of", meter_event_ids=ids),
        reports=fetch(tx, ConcerningReport, "reports_of", meter_event_ids=ids, reports_max=REPORTS_MAX),
        from_quarantine=from_quarantine,
        corrections=fetch(
            tx,
            MadeCorrection,
            "corrections_of",
            meter_event_ids=ids,
            entry_ids=[row.entry_id for row in rows],
            corrections_max=CORRECTIONS_MAX,
        ),
        signups=signups,
    )
