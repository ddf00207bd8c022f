"""What a lane's ledger remembers: attempts and readings. Times are seconds after a begin; instants where rules ask."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from service.outcomes import Accepted, Outcome, Unknown
from service.read_back import Absent, HeldMinute, Verdict

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
VALUE = Decimal(7)
REJECTION = "No such customer (meter_event_customer_not_found)"


@dataclass(slots=True)
class Try:
    """An attempt of the model's ledger."""

    generation: int
    identifier: str
    key: str
    fence: int
    opened_at: int
    place: int
    """Among the attempts of its generation."""
    ended_at: int | None = None
    outcome: Outcome | None = None


class Reading(NamedTuple):
    generation: int
    read_at: datetime
    counted: Decimal
    verdict: Verdict
    canary_id: int | None


class Look(NamedTuple):
    """What is known of the minute before Stripe's books are asked."""

    minute: HeldMinute
    read_at: datetime


ALONE = HeldMinute(
    formula="sum",
    settled=Decimal(0),
    held=VALUE,
    held_least=VALUE,
    low=Decimal(0),
    high=VALUE,
    is_alone=True,
    is_mixed=False,
    is_moving=False,
    is_contested=False,
    stamped_at=BEGIN,
    generation=1,
    last_attempt_at=BEGIN,
    absent_since=None,
    canary_id=None,
)
"""A minute with nothing in it but the one meter event."""


def absent_since(readings: Iterable[Reading], *, generation: int, ripe_at: datetime) -> datetime | None:
    """The first of the unbroken readings of absence that came late enough after the last attempt."""
    since = None
    for reading in sorted(readings, key=lambda one: one.read_at, reverse=True):
        if reading.generation != generation:
            continue
        if not isinstance(reading.verdict, Absent) or reading.verdict.proof is not None:
            break
        if reading.read_at >= ripe_at:
            since = reading.read_at
    return since


def may_be_a_copy(tried: Try) -> bool:
    """Whether the call may have brought in a copy: it is open or unknown, or was taken, and no replay."""
    outcome = tried.outcome
    if outcome is None:
        return True
    is_taken = isinstance(outcome, Unknown) or (isinstance(outcome, Accepted) and not outcome.is_duplicate)
    return is_taken and not outcome.answer.is_replayed


@lru_cache(maxsize=256)
def moment(seconds: int) -> datetime:
    return BEGIN + timedelta(seconds=seconds)
