"""What the ledger knows of Stripe's events: a page of them, and the whole story of one, with what it concerns."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.ledger.actions import OperatorAction, actions_on
from service.ledger.connection import Transaction, fetch, fetch_one
from service.ledger.error_reports import ToldReport, told_report

ITEMS_MAX = 20  # of each kind that an event concerns: a way in, not a list


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """`deliveries` 0: Stripe lists it and never pushed it. `verified_by` names the secret of the first delivery."""

    account: str
    event_id: str
    type: str
    api_version: str | None
    is_live: bool
    created_at: datetime
    object_id: str | None
    received_at: datetime
    deliveries: int
    delivered_at: datetime | None
    last_delivered_at: datetime | None
    verified_by: str | None
    last_verified_by: str | None
    found_by: str | None
    missed_at: datetime | None
    state: str
    failures: int
    reason: str | None
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventFailure:
    n: int
    failed_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ToldEffect:
    kind: str
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class ConcernedInvoice:
    invoice: str
    customer: str | None
    status: str | None  # None: deleted
    total: int | None
    currency: str | None
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True, slots=True)
class ConcernedMeterEvent:
    letter: str
    customer: str
    meter: str
    value: Decimal
    rows: int
    stamped_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class ConcernedRow:
    source: str
    row_id: str
    letter: str
    value: Decimal
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class EventStory:
    """Of what it concerns, the first ITEMS_MAX of each kind."""

    event: ToldEvent
    failures: list[EventFailure]
    effects: list[ToldEffect]
    actions: list[OperatorAction]  # the newest first
    invoices: list[ConcernedInvoice]
    meter_events: list[ConcernedMeterEvent]
    rows: list[ConcernedRow]
    report: ToldReport | None  # of an error report that was applied


@dataclass(frozen=True, slots=True)
class EventPlace:
    """Where a page ended."""

    received_at: datetime
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedEvents:
    """A filter; None: any. `type` may end with `*`. `since` and `until` are of the receipt."""

    type: str | None = None
    state: str | None = None
    object_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    is_missed: bool = False


@dataclass(frozen=True, slots=True)
class _Body:
    body: bytes


def told_events(
    tx: Transaction, wanted: WantedEvents, *, after: EventPlace | None = None, events_max: int
) -> list[ToldEvent]:
    """The newest first."""
    return fetch(
        tx,
        ToldEvent,
        "events_told",
        type=_pattern(wanted.type),
        state=wanted.state,
        object_id=wanted.object_id,
        since=wanted.since,
        until=wanted.until,
        is_missed=wanted.is_missed,
        after_at=after.received_at if after else None,
        after_id=after.event_id if after else None,
        events_max=events_max,
    )


def tell_event(tx: Transaction, event_id: str) -> EventStory | None:
    event = told_event(tx, event_id)
    if event is None:
        return None
    concerned = fetch(tx, ConcernedMeterEvent, "meter_events_concerned", event_id=event_id, items_max=ITEMS_MAX)
    ids = [int(one.letter.partition("-")[2]) for one in concerned]
    return EventStory(
        event=event,
        failures=event_failures(tx, event_id),
        effects=fetch(tx, ToldEffect, "event_effects", event_id=event_id),
        actions=actions_on(tx, f"ev-{event_id}"),
        invoices=fetch(tx, ConcernedInvoice, "invoices_concerned", event_id=event_id, items_max=ITEMS_MAX),
        meter_events=concerned,
        rows=fetch(tx, ConcernedRow, "rows_concerned", meter_event_ids=ids, items_max=ITEMS_MAX),
        report=told_report(tx, event_id),
    )


def told_event(tx: Transaction, event_id: str) -> ToldEvent | None:
    return fetch_one(tx, ToldEvent, "event_told", event_id=event_id)


def event_body(tx: Transaction, event_id: str) -> bytes | None:
    found = fetch_one(tx, _Body, "event_body", event_id=event_id)
    return found.body if found else None


def event_failures(tx: Transaction, event_id: str) -> list[EventFailure]:
    """Why it could not be applied, the first hundred times."""
    return fetch(tx, EventFailure, "event_failures", event_id=event_id)


def _pattern(type_: str | None) -> str | None:
    """As LIKE has it: an underscore is a letter of Stripe's names."""
    if type_ is None:
        return None
    literal = type_.removesuffix("*").replace("\\", r"\\").replace("_", r"\_").replace("%", r"\%")
    return f"{literal}%" if type_.endswith("*") else literal
