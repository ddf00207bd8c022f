"""What a lane's ledger remembers: attempts and readings. Times are seconds after a begin; instants where rules ask."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from service.outcomes import Outcome
from service.read_back import HeldMinute, Verdict

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
VALUE = Decimal(7)


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


@lru_cache(maxsize=256)
def moment(seconds: int) -> datetime:
    return BEGIN + timedelta(seconds=seconds)
