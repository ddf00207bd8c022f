"""Lanes, their leases, and the attempts made under them.

The lease is the mechanism that keeps two calls of one lane apart; the fence tells an old holder's word from the
present one's; the unique index on open attempts is the backstop. An attempt is committed before its call and closed
after it, so that a death in between leaves an open attempt, which the next holder closes as `lost`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from service.decide import DOUBLINGS_MAX, Again, Attempt, Decision, Generation, Send, Settle
from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.ledger.reading_back import contradict_meter_events
from service.ledger.second_readings import schedule_second_readings
from service.outcomes import Accepted, Outcome, Refused, Unavailable, Unknown
from service.timing import Timing


@dataclass(frozen=True, slots=True)
class Lease:
    """One lane, ours until `lease_until` unless renewed; the fence proves it."""

    lane_id: int
    fence: int
    is_trial: bool = False  # of an open breaker: for one call, which closes it or opens it for longer


@dataclass(frozen=True, slots=True)
class MeterEventToSend:
    meter_event_id: int
    lane_id: int
    account: str
    meter: str
    state: str
    generation: int
    identifier: str
    ambiguous_since: datetime | None
    payload: dict[str, Any]  # string to string, as Stripe wants it
    stamped_at: datetime
    now: datetime  # the ledger's time at this look
    is_followed: bool  # another meter event of the lane is due as well
    is_tried: bool  # it was called for under its present identifier
    rejection: str | None  # what an error report says of its present identifier
    is_rejection_of_one_copy: bool  # and another of its calls may count
    is_current: bool = True  # False: what was called for is a generation that was given up since

    def as_called(self, called: "MeterEventToSend") -> "MeterEventToSend":
        """The present look, for the answer to a call that was made at an earlier one.

        What is refused has no current generation: its last one was given up as well, and nobody expects it to count.
        """
        return replace(self, is_current=self.generation == called.generation and self.state != "refused")

    def generation_facts(self) -> Generation:
        return Generation(
            identifier=self.identifier,
            ambiguous_since=self.ambiguous_since,
            is_current=self.is_current,
            rejection=self.rejection,
            is_rejection_of_one_copy=self.is_rejection_of_one_copy,
        )


@dataclass(frozen=True, slots=True)
class DeadAttempt:
    attempt_id: int
    meter_event_id: int


@dataclass(frozen=True, slots=True)
class _Rejected:
    is_rejected: bool


@dataclass(frozen=True, slots=True)
class _Opened:
    attempt_id: int


@dataclass(frozen=True, slots=True)
class DueLanes:
    account: str
    lanes: int


def due_lanes(tx: Transaction) -> list[DueLanes]:
    """How many lanes of each account are due and free."""
    return fetch(tx, DueLanes, "due_lanes")


def lease_lanes(tx: Transaction, account: str, *, lanes_max: int, timing: Timing) -> list[Lease]:
    """Take up to `lanes_max` lanes that are due and free, the longest waiting first; of an open breaker one, to try."""
    leases = fetch(tx, Lease, "lease_lanes", account=account, lanes_max=lanes_max, lease=timing.lease)
    return leases or fetch(tx, Lease, "lease_trial", account=account, lease=timing.lease)


def dead_attempts(tx: Transaction, lease: Lease) -> list[DeadAttempt]:
    """What an earlier holder left open."""
    return fetch(tx, DeadAttempt, "dead_attempts", lane_id=lease.lane_id, fence=lease.fence)


def renew_lease(tx: Transaction, lease: Lease, *, timing: Timing) -> bool:
    """Lock the lane and keep it. False: it is no longer ours; make no call, and only an acceptance still counts."""
    return execute(tx, "renew_lease", lane_id=lease.lane_id, fence=lease.fence, lease=timing.lease) == 1


def next_due(tx: Transaction, lease: Lease) -> MeterEventToSend | None:
    """The lane's oldest meter event that is due."""
    return fetch_one(tx, MeterEventToSend, "next_due", lane_id=lease.lane_id)


def meter_event_to_send(tx: Transaction, meter_event_id: int) -> MeterEventToSend:
    found = fetch_one(tx, MeterEventToSend, "meter_event_to_send", meter_event_id=meter_event_id)
    assert found is not None, "a meter event is never deleted"
    return found


def is_rejected(tx: Transaction, called: MeterEventToSend) -> bool:
    """Whether Stripe reported that it rejected what was called for: its acceptance then says nothing."""
    generation = {"meter_event_id": called.meter_event_id, "generation": called.generation}
    found = fetch_one(tx, _Rejected, "is_rejected", **generation)
    return found is not None and found.is_rejected


def attempts_of(tx: Transaction, meter_event_id: int) -> list[Attempt]:
    """What was tried under the current identifier, oldest first; of many, what `decide` asks for."""
    return fetch(tx, Attempt, "attempts_of", meter_event_id=meter_event_id, newest=DOUBLINGS_MAX)


def open_attempt(tx: Transaction, meter_event_id: int, *, lease: Lease, send: Send) -> int:
    """Write down a call before it is made. Returns the attempt's id."""
    opened = fetch_one(
        tx,
        _Opened,
        "open_attempt",
        meter_event_id=meter_event_id,
        idempotency_key=send.idempotency_key,
        fence=lease.fence,
    )
    assert opened is not None, "it was due in this transaction, under our lock of the lane"
    return opened.attempt_id


def close_attempt(tx: Transaction, attempt_id: int, outcome: Outcome) -> bool:
    """Write down what Stripe answered. False: it was closed before."""
    return (
        execute(
            tx,
            "close_attempt",
            attempt_id=attempt_id,
            **told_by(outcome),
            scope=outcome.scope if isinstance(outcome, Unavailable | Unknown) else None,
        )
        == 1
    )


def move(tx: Transaction, event: MeterEventToSend, decision: Decision, *, wait_s: float, timing: Timing) -> None:
    """Act on a decision. The caller holds the lane, or the decision follows from an acceptance."""
    of_generation = {"meter_event_id": event.meter_event_id, "generation": event.generation}
    match decision:
        case Send():
            raise AssertionError("to send is to open an attempt, not to move")
        case Settle(state="accepted"):
            execute(tx, "accept_meter_event", **of_generation, confirm_after=timedelta(seconds=timing.confirm_after_s))
        case Settle(state="conflict", reason=str(reason)):
            contradict_meter_events(tx, [event.meter_event_id], reason=reason)
            confirm_after = timedelta(seconds=timing.confirm_after_s)
            schedule_second_readings(tx, [event.meter_event_id], wait=confirm_after, timing=timing)
        case Settle() as settled:
            _move(tx, event, settled.state, reason=settled.reason, wait_s=None)
        case Again() as again:
            _move(tx, event, again.state, reason=None, wait_s=wait_s)
    note_doubt(tx, event, decision.ambiguous_since)


def note_doubt(tx: Transaction, event: MeterEventToSend, since: datetime | None) -> None:
    """Write down since when the generation may have counted; the first doubt stays."""
    if since is not None:
        generation = {"meter_event_id": event.meter_event_id, "generation": event.generation}
        execute(tx, "note_doubt", **generation, ambiguous_since=since)


def lock_lane(tx: Transaction, lane_id: int) -> None:
    """Before anything else of the lane: who locks in another order may wait in a ring."""
    execute(tx, "lock_lane", lane_id=lane_id)


def release_lane(tx: Transaction, lease: Lease, *, rest_s: float) -> None:
    """Give the lane back, due again when its next meter event is, and not before `rest_s` seconds."""
    lock_lane(tx, lease.lane_id)
    execute(tx, "release_lane", lane_id=lease.lane_id, fence=lease.fence, rest=timedelta(seconds=rest_s))
    if lease.is_trial:
        execute(tx, "give_back_trial", lane_id=lease.lane_id)


def told_by(outcome: Outcome) -> dict[str, object]:
    """What is written down of an answer, to whatever kind of call."""
    answer = outcome.answer
    return {
        "outcome": outcome_name(outcome),
        "status": answer.status,
        "code": answer.code or None,
        "detail": answer.message or None,
        "request_id": answer.request_id,
        "is_replayed": answer.is_replayed,
    }


def outcome_name(outcome: Outcome) -> str:
    match outcome:
        case Accepted():
            return "accepted"
        case Refused():
            return "refused"
        case Unavailable():
            return "unavailable"
        case Unknown():
            return "unknown"


def _move(tx: Transaction, event: MeterEventToSend, state: str, *, reason: str | None, wait_s: float | None) -> None:
    execute(
        tx,
        "move_meter_event",
        meter_event_id=event.meter_event_id,
        generation=event.generation,
        state=state,
        reason=reason,
        wait=None if wait_s is None else timedelta(seconds=wait_s),
    )
