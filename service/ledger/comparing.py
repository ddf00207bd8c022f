"""The ledger's own books, as a comparison with Stripe's wants them, and what it finds."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.ledger.lanes import lock_lane


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneToCompare:
    """A lane's books on one meter of Stripe's. Without an id: the ledger knows no such lane."""

    lane_id: int | None
    customer: str
    meter: str
    meter_stripe_id: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a span of a lane's books. A `count` meter's meter events are 1 each."""

    start: datetime
    counted: Decimal
    doubtful: list[Decimal]  # of each that may count
    is_unsettled: bool  # something is accepted that Stripe's summaries may not show yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a minute counts and nothing in the ledger explains."""

    minute: datetime
    value: Decimal


@dataclass(frozen=True, slots=True)
class _Id:
    lane_id: int


def lanes_to_compare(tx: Transaction, account: str, *, since: datetime) -> list[LaneToCompare]:
    return fetch(tx, LaneToCompare, "lanes_to_compare", account=account, since=since)


def known_spans(
    tx: Transaction, lane: LaneToCompare, *, length: timedelta, start: datetime, end: datetime
) -> dict[datetime, Known]:
    """By the start of each span in which anything is known."""
    if lane.lane_id is None:
        return {}
    of_lane = {"lane_id": lane.lane_id, "meter_stripe_id": lane.meter_stripe_id}
    found = fetch(tx, Known, "known_spans", **of_lane, length=length, start=start, end=end)
    return {span.start: span for span in found}


def put_lane(tx: Transaction, account: str, lane: LaneToCompare) -> int:
    """The id of the lane, which is made where it was forgotten."""
    made = fetch_one(tx, _Id, "put_lane", account=account, customer=lane.customer, meter=lane.meter)
    assert made is not None, "the statement answers the lane, new or old"
    return made.lane_id


def note_external(
    tx: Transaction, lane_id: int, meter_stripe_id: str, *, found: Found, epoch_id: int, read_at: datetime
) -> bool:
    """Keep what was found by questions that began at `read_at`. False: another comparison kept it meanwhile."""
    lock_lane(tx, lane_id)
    about = {"lane_id": lane_id, "meter_stripe_id": meter_stripe_id, "minute": found.minute, "value": found.value}
    return execute(tx, "note_external", epoch_id=epoch_id, read_at=read_at, **about) == 1
