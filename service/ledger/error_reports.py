"""Error reports in the ledger: what Stripe told, whom it names, whom it concerns without naming, and what follows.

Everything here happens in the transaction that marks the event as applied, but for keeping what Stripe told.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.decide import SEVERAL_CALLS
from service.error_reports import ErrorReport
from service.event_types import NO_METER_FOUND
from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.ledger.second_readings import schedule_second_readings
from service.mirrors import Json
from service.timing import Timing

SLACK = timedelta(minutes=1)  # around a window: our clock and Stripe's differ, and validation follows receipt
NOW = timedelta(0)


@dataclass(frozen=True, slots=True)
class NamedMeterEvent:
    """What became of a meter event that a report names."""

    meter_event_id: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReportFigures:
    error_count: int
    samples: int
    orphans: int  # samples that name nothing of this ledger's
    suspects: int


@dataclass(frozen=True, slots=True)
class ToldReport:
    """An error report, for whoever looks at its event."""

    meter_stripe_id: str | None
    validation_start: datetime
    validation_end: datetime
    error_count: int
    codes: str
    summary: str | None
    applied_at: datetime
    named: int
    orphans: list[str]  # what the samples say that name nothing of this ledger's
    suspects: int


@dataclass(frozen=True, slots=True)
class Orphans:
    """Samples that name nothing of this ledger's, and the newest of them."""

    samples: int
    event_id: str
    told: str | None


@dataclass(frozen=True, slots=True)
class _Fetched:
    body: Json


@dataclass(frozen=True, slots=True)
class _Confirmed:
    meter_event_id: int


def fetched_event(tx: Transaction, account: str, event_id: str) -> Json:
    """What Stripe told of a thin event; None where it was not asked."""
    found = fetch_one(tx, _Fetched, "fetched_event", account=account, event_id=event_id)
    return found.body if found else None


def keep_fetched(tx: Transaction, account: str, event_id: str, *, body_json: str) -> None:
    execute(tx, "keep_fetched", account=account, event_id=event_id, body=body_json)


def put_report(tx: Transaction, account: str, event_id: str, *, report: ErrorReport) -> ReportFigures:
    """Write down what a report says, whom its samples name, and whom else of its window it may concern."""
    of_event = {"account": account, "event_id": event_id}
    execute(
        tx,
        "put_error_report",
        **of_event,
        meter_stripe_id=report.meter_stripe_id,
        validation_start=report.validation_start,
        validation_end=report.validation_end,
        error_count=report.error_count,
        codes=report.codes,
        summary=report.summary,
    )
    execute(
        tx,
        "put_error_samples",
        **of_event,
        codes=[sample.code for sample in report.samples],
        messages=[sample.message for sample in report.samples],
        told=[sample.told for sample in report.samples],
    )
    execute(tx, "put_suspects", **of_event, slack=SLACK, no_meter_found=NO_METER_FOUND)
    found = fetch_one(tx, ReportFigures, "report_figures", **of_event)
    assert found is not None, "it was put in this transaction"
    return found


def refuse_named(tx: Transaction, account: str, event_id: str) -> list[NamedMeterEvent]:
    """Refuse what the report names. Returns what moved. Locks the lanes of all whom the report concerns."""
    of_event = {"account": account, "event_id": event_id}
    execute(tx, "lock_reported_lanes", **of_event)
    return fetch(tx, NamedMeterEvent, "refuse_named", **of_event, several=SEVERAL_CALLS)


def ask_of_suspects(tx: Transaction, account: str, event_id: str, *, timing: Timing) -> None:
    """Have Stripe's books read for them soon. After `refuse_named`, which holds their lanes."""
    confirm_after = timedelta(seconds=timing.confirm_after_s)
    of_event = {"account": account, "event_id": event_id}
    confirmed = fetch(tx, _Confirmed, "ask_of_suspects", **of_event, confirm_after=confirm_after)
    schedule_second_readings(tx, [one.meter_event_id for one in confirmed], wait=NOW, timing=timing)


def told_report(tx: Transaction, event_id: str) -> ToldReport | None:
    """None: the event is no error report, or none that was applied."""
    return fetch_one(tx, ToldReport, "report_told", event_id=event_id)


def orphans(tx: Transaction) -> Orphans | None:
    """None: every sample of the last 30 days named one of ours."""
    return fetch_one(tx, Orphans, "orphans")
