"""Confirmed hours and Stripe's books: what is read again, what is known of it, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from service.decide import TAKEN_LATE
from service.ledger.confirming import HOUR, MINUTE
from service.ledger.connection import Transaction, execute, fetch
from service.second_reading import (
    WAIT_SHARE,
    Agreed,
    ConfirmedMinute,
    Contradicted,
    Copy,
    Differs,
    Pending,
    Surplus,
    Verdict,
)
from service.timing import FINALIZATION_GRACE_S, Timing

HOURS_MAX = 200  # claimed in one pass
LANES_MAX = 32  # of which they may be: as many as the first confirmations take, so that neither starves the other


@dataclass(frozen=True, slots=True)
class HoursToRead:
    """Hours of a lane's books on one meter."""

    lane_id: int
    customer: str
    meter: str
    meter_stripe_id: str
    formula: str
    hours: list[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(ConfirmedMinute):
    """The facts of an hour or a minute, and whom they are about. Two are equal when nothing changed between them."""

    start: datetime
    length: timedelta
    confirmed_ids: list[int]
    taken_late_ids: list[int]  # in conflict, because Stripe took an identifier that had been given up
    noted_ids: list[int]  # accepted, and known to differ
    cancelling_ids: list[int]  # of these, whose copy too many may be cancelled by now
    taken_back_ids: list[int]  # of those, the only copy, which a person takes back
    is_unsettled: bool  # something in it may count or not, for another reason
    now: datetime = field(compare=False)  # the ledger's time at this look

    @property
    def end(self) -> datetime:
        return self.start + self.length

    @property
    def is_plain(self) -> bool:
        """Nothing in it but what is confirmed, so that a sum that agrees leaves nothing to be done."""
        return not (self.is_unsettled or self.taken_late_ids or self.noted_ids or self.cancelling_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondReading:
    """What Stripe's summary said of a span, and what follows."""

    look: Look
    counted: Decimal
    verdict: Verdict | None  # None: the hour differs, and no minute of ours does


def ask_before_finalization(tx: Transaction, account: str, *, timing: Timing) -> None:
    """Make due what an invoice is about to bill."""
    execute(
        tx,
        "ask_before_finalization",
        account=account,
        ahead=timedelta(seconds=timing.before_finalization_s),
        grace=timedelta(seconds=FINALIZATION_GRACE_S),
        claim=_claim(timing),
    )


def claim_hours_to_read_again(tx: Transaction, account: str, *, timing: Timing) -> list[HoursToRead]:
    return fetch(
        tx,
        HoursToRead,
        "claim_hours_to_read_again",
        account=account,
        claim=_claim(timing),
        hours_max=HOURS_MAX,
        lanes_max=LANES_MAX,
    )


def confirmed_hours(tx: Transaction, of: HoursToRead, hours: Sequence[datetime]) -> list[Look]:
    return _spans(tx, of, hours, length=HOUR)


def confirmed_minutes(tx: Transaction, of: HoursToRead, hours: Sequence[datetime]) -> list[Look]:
    """The minutes of these hours in which there is anything."""
    return _spans(tx, of, hours, length=MINUTE)


def copies_in_minute(tx: Transaction, of: HoursToRead, minute: Look) -> list[Copy]:
    return fetch(
        tx,
        Copy,
        "copies_in_minute",
        lane_id=of.lane_id,
        meter_stripe_id=of.meter_stripe_id,
        formula=of.formula,
        start=minute.start,
    )


def note_second_readings(
    tx: Transaction, of: HoursToRead, readings: Sequence[SecondReading], *, read_at: datetime
) -> None:
    execute(
        tx,
        "note_second_readings",
        lane_id=of.lane_id,
        meter_stripe_id=of.meter_stripe_id,
        formula=of.formula,
        read_at=read_at,
        starts=[reading.look.start for reading in readings],
        lengths=[reading.look.length for reading in readings],
        counted=[reading.counted for reading in readings],
        expected=[reading.look.expected for reading in readings],
        verdicts=[verdict_name(reading.verdict) for reading in readings],
    )


def schedule_second_readings(
    tx: Transaction, meter_event_ids: Sequence[int], *, wait: timedelta | None = None, timing: Timing
) -> None:
    """The hours of what was confirmed just now are read again at their turn; with a wait, so soon."""
    execute(
        tx,
        "schedule_second_readings",
        meter_event_ids=list(meter_event_ids),
        wait=wait,
        readings=timing.second_readings,
    )


def read_anew(tx: Transaction, meter_event_id: int, *, timing: Timing) -> None:
    """The hour of a meter event that may have come in again, if it was accepted before: soon, and at all its turns."""
    wait = timedelta(seconds=timing.confirm_after_s)
    execute(tx, "read_anew", meter_event_id=meter_event_id, wait=wait)


def read_hours_later(
    tx: Transaction,
    of: HoursToRead,
    hours: Sequence[datetime],
    *,
    read_at: datetime | None,
    wait: timedelta | None,
    timing: Timing,
) -> None:
    """These were read; they are read next at their turn, or after a wait of their own.

    `read_at` is the ledger's time before the question; None: there was nothing to ask.
    """
    execute(
        tx,
        "read_hours_later",
        lane_id=of.lane_id,
        meter_stripe_id=of.meter_stripe_id,
        formula=of.formula,
        hours=list(hours),
        read_at=read_at,
        wait=wait,
        readings=timing.second_readings,
    )


def leave_hours_unread(tx: Transaction, of: HoursToRead, hours: Sequence[datetime], *, timing: Timing) -> None:
    """Stripe refuses to tell them: they were not read, and are asked for again."""
    execute(
        tx,
        "leave_hours_unread",
        lane_id=of.lane_id,
        meter_stripe_id=of.meter_stripe_id,
        formula=of.formula,
        hours=list(hours),
        wait=timedelta(seconds=timing.unread_wait_s),
        share=WAIT_SHARE,
    )


def confirm_taken_late(tx: Transaction, meter_event_ids: Sequence[int]) -> None:
    execute(tx, "confirm_taken_late", meter_event_ids=list(meter_event_ids))


def verdict_name(verdict: Verdict | None) -> str:
    match verdict:
        case Agreed():
            return "agreed"
        case Differs():
            return "differs"
        case Surplus():
            return "surplus"
        case Pending():
            return "pending"
        case Contradicted():
            return "contradicted"
        case None:
            return "elsewhere"


def _spans(tx: Transaction, of: HoursToRead, hours: Sequence[datetime], *, length: timedelta) -> list[Look]:
    return fetch(
        tx,
        Look,
        "confirmed_spans",
        lane_id=of.lane_id,
        meter_stripe_id=of.meter_stripe_id,
        formula=of.formula,
        since=min(hours),
        until=max(hours) + HOUR,
        hours=list(hours),
        length=length,
        taken_late=TAKEN_LATE,
    )


def _claim(timing: Timing) -> timedelta:
    return timedelta(seconds=timing.drain_s)
