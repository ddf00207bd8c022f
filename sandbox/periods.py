"""Billing periods: boundaries counted from the anchor, so that the 31st comes back after February.

Boundary k is the anchor plus k intervals, never the previous boundary plus one: adding month by month would lose days.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime

FIXED_S = {"day": 86_400, "week": 604_800}
MONTHS = {"month": 1, "year": 12}
MONTH_SHORTEST_S = 28 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    unit: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    start: int
    end: int


def period_at(instant: int, *, anchor: int, interval: Interval) -> Period:
    """The period that holds the instant: start included, end excluded."""
    index = _index_guess(instant - anchor, interval)
    while boundary(anchor, index, interval=interval) > instant:
        index -= 1
    while boundary(anchor, index + 1, interval=interval) <= instant:
        index += 1
    return Period(
        start=boundary(anchor, index, interval=interval),
        end=boundary(anchor, index + 1, interval=interval),
    )


def boundary(anchor: int, index: int, *, interval: Interval) -> int:
    if interval.unit in FIXED_S:
        return anchor + index * interval.count * FIXED_S[interval.unit]
    return _months_later(anchor, index * interval.count * MONTHS[interval.unit])


def _index_guess(distance_s: int, interval: Interval) -> int:
    fixed = FIXED_S.get(interval.unit)
    length_s = interval.count * (fixed or MONTHS[interval.unit] * MONTH_SHORTEST_S)
    return distance_s // length_s


def _months_later(instant: int, months: int) -> int:
    start = datetime.fromtimestamp(instant, UTC)
    years, month0 = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month0 + 1
    day = min(start.day, monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())
