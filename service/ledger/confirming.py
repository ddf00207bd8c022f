"""Acceptances against Stripe's summaries: what is asked of a lane, and what follows from the answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from service.ledger.connection import Transaction, execute, fetch
from service.timing import Timing

LANES_MAX = 32  # a claim is as long as its reads; few lanes a claim keep it short
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LaneToConfirm:
    lane_id: int
    customer: str
    meter: str


@dataclass(frozen=True, slots=True)
class Span:
    """An hour or a minute of a lane's books on one meter: what Stripe says of it if each acceptance counted once.

    Two are equal when nothing changed between two looks at the books.
    """

    meter_stripe_id: str
    formula: str
    start: datetime
    length: timedelta
    value: Decimal
    accepted_ids: list[int]
    is_moving: bool  # something in it is still to be sent
    is_held: bool  # something in it may or may not have counted, and nobody will send it again
    is_overdue: bool = field(compare=False)  # no lag of the summaries can explain an absence any more
    suspicion: str | None = field(compare=False)  # an error report in whose window some of it was called for

    @property
    def key(self) -> tuple[str, str, datetime, timedelta]:
        return (self.meter_stripe_id, self.formula, self.start, self.length)

    @property
    def hour(self) -> datetime:
        return self.start.replace(minute=0)

    @property
    def end(self) -> datetime:
        return self.start + self.length


def claim_lanes_to_confirm(tx: Transaction, account: str, *, timing: Timing) -> list[LaneToConfirm]:
    return fetch(
        tx,
        LaneToConfirm,
        "claim_lanes_to_confirm",
        account=account,
        claim=timedelta(seconds=timing.drain_s),
        lanes_max=LANES_MAX,
    )


def spans_to_confirm(
    tx: Transaction, lane: LaneToConfirm, *, length: timedelta, within: Sequence[Span] | None = None, timing: Timing
) -> list[Span]:
    """The lane's hours or minutes, all or in the hours of these spans; what was read the longest ago comes first."""
    return fetch(
        tx,
        Span,
        "spans_to_confirm",
        lane_id=lane.lane_id,
        length=length,
        hours=None if within is None else sorted({span.hour for span in within}),
        open_hours=timing.confirm_open_hours,
        missing_after=timedelta(seconds=timing.confirm_missing_s),
        suspect_after=timedelta(seconds=timing.suspect_after_s),
    )


def note_checked(tx: Transaction, meter_event_ids: Sequence[int]) -> None:
    execute(tx, "note_checked", meter_event_ids=list(meter_event_ids))


def confirm_meter_events(tx: Transaction, meter_event_ids: Sequence[int]) -> int:
    return execute(tx, "confirm_meter_events", meter_event_ids=list(meter_event_ids))


def note_drift(tx: Transaction, meter_event_ids: Sequence[int], *, state: str, reason: str) -> int:
    """Keep a difference with what it is about. Returns of how many that is new."""
    return execute(tx, "note_drift", meter_event_ids=list(meter_event_ids), state=state, reason=reason)


def release_confirmed_lane(tx: Transaction, lane: LaneToConfirm, *, wait: timedelta) -> None:
    """Say when to look again. After `lock_lane`."""
    execute(tx, "release_confirmed_lane", lane_id=lane.lane_id, wait=wait)
