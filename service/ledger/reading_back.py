"""Held meter events and Stripe's books: what is asked of a minute, and what becomes of all that share it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.read_back import Absent, Contradicted, HeldMinute, Part, Present, Unseen, Verdict
from service.timing import Timing

HELD_MAX = 64  # claimed in one pass: reads of single minutes, which share the account's read budget with confirming


@dataclass(frozen=True, slots=True)
class MinuteToRead:
    lane_id: int
    customer: str
    meter: str
    meter_stripe_id: str
    formula: str
    start: datetime

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(HeldMinute):
    """The minute's facts, and whom they are about. Two are equal when nothing changed between two looks."""

    held_ids: list[int]
    accepted_ids: list[int]
    canary_id: int | None = field(compare=False)
    absent_since: datetime | None = field(compare=False)
    now: datetime = field(compare=False)  # the ledger's time at this look


def claim_held_minutes(tx: Transaction, account: str, *, timing: Timing) -> list[MinuteToRead]:
    return fetch(
        tx,
        MinuteToRead,
        "claim_held_minutes",
        account=account,
        claim=timedelta(seconds=timing.drain_s),
        held_max=HELD_MAX,
    )


def look(tx: Transaction, minute: MinuteToRead, *, timing: Timing) -> Look | None:
    """What is known of a minute now; None: nothing in it is held any more."""
    found = fetch_one(
        tx,
        Look,
        "held_minute",
        lane_id=minute.lane_id,
        meter_stripe_id=minute.meter_stripe_id,
        formula=minute.formula,
        start=minute.start,
        absence_wait=timedelta(seconds=timing.absence_wait_s),
    )
    return found if found is not None and found.held_ids else None


def note_readings(tx: Transaction, minute: MinuteToRead, seen: Look, *, counted: Decimal, verdict: Verdict) -> None:
    """Keep a reading with each held meter event that it is about."""
    execute(
        tx,
        "note_readings",
        meter_event_ids=seen.held_ids,
        minute=minute.start,
        read_at=seen.now,
        counted=counted,
        settled=seen.settled,
        expected=seen.held,
        verdict=verdict_name(verdict),
        canary_id=seen.canary_id,
    )


def read_back_later(tx: Transaction, meter_event_ids: Sequence[int], *, wait: timedelta) -> None:
    """These stay held. A wait of nothing asks for the next reading now, as a person may."""
    execute(tx, "read_back_later", meter_event_ids=list(meter_event_ids), wait=wait)


def leave_to_person(tx: Transaction, meter_event_ids: Sequence[int], *, why: str) -> int:
    """They stay held, and the reason says why Stripe's books cannot tell. Returns of how many that is new."""
    return execute(tx, "leave_to_person", meter_event_ids=list(meter_event_ids), why=why)


def refuse_absent(tx: Transaction, meter_event_ids: Sequence[int], *, reason: str) -> None:
    execute(tx, "refuse_absent", meter_event_ids=list(meter_event_ids), reason=reason)


def contradict_meter_events(tx: Transaction, meter_event_ids: Sequence[int], *, reason: str) -> None:
    """Whatever their state: what Stripe said of them contradicts it."""
    execute(tx, "contradict_meter_events", meter_event_ids=list(meter_event_ids), reason=reason)


def accept_held(tx: Transaction, meter_event_ids: Sequence[int], *, timing: Timing) -> None:
    """They count, as their minute shows; the usual comparison of the hour confirms them."""
    confirm_after = timedelta(seconds=timing.confirm_after_s)
    execute(tx, "accept_held", meter_event_ids=list(meter_event_ids), confirm_after=confirm_after)


def verdict_name(verdict: Verdict) -> str:
    match verdict:
        case Present():
            return "present"
        case Unseen():
            return "unseen"
        case Absent(proof=None):
            return "absent"
        case Absent():
            return "proven_absent"
        case Part():
            return "part"
        case Contradicted():
            return "contradicted"
