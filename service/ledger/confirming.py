"""Acceptances against Stripe's summaries: what is asked of a lane, and what follows from the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.ledger.connection import Transaction, execute, fetch
from service.timing import Timing

LANES_MAX = 32  # a claim is as long as its reads; few lanes a claim keep it short


@dataclass(frozen=True, slots=True)
class LaneToConfirm:
    lane_id: int
    account: str
    customer: str
    meter: str
    stripe_id: str
    formula: str


@dataclass(frozen=True, slots=True)
class HourOfLane:
    """What Stripe's summary of this hour says if each acceptance was counted once."""

    hour: datetime
    value: Decimal
    accepted_ids: list[int]
    minuteless_ids: list[int]  # of these, such as own no minute: only the hour's sum tells of them
    is_moving: bool  # something in this hour is still to be sent
    is_held: bool  # something in this hour may or may not have counted, and nobody will send it again
    is_overdue: bool  # no lag of the summaries can explain an absence any more


@dataclass(frozen=True, slots=True)
class MinuteOfLane:
    meter_event_id: int
    minute: datetime
    value: Decimal
    is_overdue: bool


def claim_lanes_to_confirm(tx: Transaction, account: str, *, timing: Timing) -> list[LaneToConfirm]:
    return fetch(
        tx,
        LaneToConfirm,
        "claim_lanes_to_confirm",
        account=account,
        claim=timedelta(seconds=timing.drain_s),
        lanes_max=LANES_MAX,
    )


def hours_to_confirm(tx: Transaction, lane: LaneToConfirm, *, timing: Timing) -> list[HourOfLane]:
    return fetch(
        tx,
        HourOfLane,
        "hours_to_confirm",
        lane_id=lane.lane_id,
        formula=lane.formula,
        open_hours=timing.confirm_open_hours,
        missing_after=timedelta(seconds=timing.confirm_missing_s),
    )


def minutes_to_confirm(tx: Transaction, lane: LaneToConfirm, hour: datetime, *, timing: Timing) -> list[MinuteOfLane]:
    return fetch(
        tx,
        MinuteOfLane,
        "minutes_to_confirm",
        lane_id=lane.lane_id,
        hour=hour,
        missing_after=timedelta(seconds=timing.confirm_missing_s),
    )


def confirm_meter_events(tx: Transaction, meter_event_ids: Sequence[int]) -> int:
    return execute(tx, "confirm_meter_events", meter_event_ids=list(meter_event_ids))


def hold_missing(tx: Transaction, meter_event_ids: Sequence[int], *, reason: str) -> int:
    return execute(tx, "hold_missing", meter_event_ids=list(meter_event_ids), reason=reason)


def release_confirmed_lane(tx: Transaction, lane: LaneToConfirm, *, wait: timedelta) -> None:
    execute(tx, "lock_lane", lane_id=lane.lane_id)
    execute(tx, "release_confirmed_lane", lane_id=lane.lane_id, wait=wait)
