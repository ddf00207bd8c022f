"""Copies too many and the calls that cancel them: each written down before it is made, under the lane's lease."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.cancelling import Cancel, GiveUp, Later, Made, ReadBack, Step
from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.ledger.corrections import replace_cancellation
from service.ledger.lanes import Lease, told_by
from service.ledger.reading_back import contradict_meter_events
from service.ledger.second_readings import schedule_second_readings
from service.outcomes import Outcome
from service.second_reading import Surplus
from service.timing import Timing

LANES_MAX = 8  # leased in one pass; a copy too many is rare, and each lane waits for its call


@dataclass(frozen=True, slots=True)
class CopyToCancel:
    meter_event_id: int
    generation: int
    lane_id: int
    account: str
    meter: str
    identifier: str
    cancel_until: datetime
    due_at: datetime | None  # None: no call is due any more
    correction_id: int | None  # None: a copy too many; else the only one, which a person takes back
    formula: str
    now: datetime  # the ledger's time at this look


@dataclass(frozen=True, slots=True)
class DeadCancellation:
    cancellation_id: int
    meter_event_id: int


@dataclass(frozen=True, slots=True)
class _Opened:
    cancellation_id: int


def begin_surplus(tx: Transaction, found: Surplus, *, correction_id: int | None = None) -> bool:
    """The call that cancels the copy is due. False: a cancellation of this meter event is known already.

    `correction_id`: it is the only copy, and a person takes it back.
    """
    return (
        execute(
            tx,
            "begin_surplus",
            meter_event_id=found.meter_event_id,
            generation=found.generation,
            cancel_until=found.cancel_until,
            correction_id=correction_id,
        )
        == 1
    )


def end_surplus(tx: Transaction, meter_event_ids: Sequence[int], *, ending: str) -> int:
    """`ending` is "cancelled", "contradicted" or "replaced". Returns of how many that is news."""
    ended = execute(tx, "end_surplus", meter_event_ids=list(meter_event_ids), ending=ending)
    if ending == "cancelled" and ended:
        execute(tx, "cancel_meter_events", meter_event_ids=list(meter_event_ids))
    return ended


def lease_lanes_to_cancel(tx: Transaction, account: str, *, timing: Timing) -> list[Lease]:
    return fetch(tx, Lease, "lease_lanes_to_cancel", account=account, lease=timing.lease, lanes_max=LANES_MAX)


def due_copy(tx: Transaction, lease: Lease) -> CopyToCancel | None:
    """The lane's copy too many whose call is due, the most urgent first."""
    return fetch_one(tx, CopyToCancel, "copy_to_cancel", lane_id=lease.lane_id, meter_event_id=None)


def copy_called_for(tx: Transaction, lane_id: int, meter_event_id: int) -> CopyToCancel | None:
    """As it is now; None: what became of it is known."""
    return fetch_one(tx, CopyToCancel, "copy_to_cancel", lane_id=lane_id, meter_event_id=meter_event_id)


def calls_to_cancel(tx: Transaction, meter_event_id: int) -> list[Made]:
    return fetch(tx, Made, "calls_to_cancel", meter_event_id=meter_event_id)


def dead_cancellations(tx: Transaction, lease: Lease) -> list[DeadCancellation]:
    """What an earlier holder left open."""
    return fetch(tx, DeadCancellation, "dead_cancellations", lane_id=lease.lane_id, fence=lease.fence)


def open_cancellation(tx: Transaction, copy: CopyToCancel, *, lease: Lease, call: Cancel) -> int:
    """Write down a call before it is made. Returns the cancellation's id."""
    opened = fetch_one(
        tx,
        _Opened,
        "open_cancellation",
        lane_id=copy.lane_id,
        meter_event_id=copy.meter_event_id,
        generation=copy.generation,
        identifier=copy.identifier,
        idempotency_key=call.idempotency_key,
        fence=lease.fence,
    )
    assert opened is not None, "an insert returns its row"
    return opened.cancellation_id


def close_cancellation(tx: Transaction, cancellation_id: int, outcome: Outcome) -> bool:
    """Write down what Stripe answered. False: it was closed before."""
    return (
        execute(
            tx,
            "close_cancellation",
            cancellation_id=cancellation_id,
            **told_by(outcome),
        )
        == 1
    )


def act(tx: Transaction, copy: CopyToCancel, step: Step, *, wait_s: float, timing: Timing) -> None:
    """What follows from the last call. The caller has locked the lane."""
    match step:
        case Cancel():
            raise AssertionError("to cancel is to open a cancellation")
        case Later():
            execute(tx, "cancel_later", meter_event_id=copy.meter_event_id, wait=timedelta(seconds=wait_s))
        case ReadBack(said=said):
            execute(tx, "read_back_cancellation", meter_event_id=copy.meter_event_id, said=said)
            settle = timedelta(seconds=timing.cancel_settle_s)
            schedule_second_readings(tx, [copy.meter_event_id], wait=settle, timing=timing)
        case GiveUp() as given_up:
            _give_up(tx, copy, given_up, timing=timing)


def _give_up(tx: Transaction, copy: CopyToCancel, step: GiveUp, *, timing: Timing) -> None:
    """What a person took back of a sum is taken back by an entry instead; anything else is before a person."""
    if copy.correction_id is not None and copy.formula == "sum":
        end_surplus(tx, [copy.meter_event_id], ending="replaced")
        replace_cancellation(tx, copy.correction_id, timing=timing)
        return
    reason = step.reason
    if copy.correction_id is not None:
        reason = f"a person took it back, and it still counts: {step.said or 'no call could cancel it in time'}"
    end_surplus(tx, [copy.meter_event_id], ending="contradicted")
    contradict_meter_events(tx, [copy.meter_event_id], reason=reason)
