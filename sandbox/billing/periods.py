"""Billing periods: boundaries counted from the anchor, so that the 31st comes back after February.

Boundary k is the anchor plus k intervals, never the previous boundary plus one: adding month by month would lose days.
A stretch that is no whole period is measured in intervals that begin with it, as Stripe prorates.
"""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction

FIXED_S = {"day": 86_400, "week": 604_800}
MONTHS = {"month": 1, "year": 12}
MONTH_SHORTEST_S = 28 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    unit: str
    count: int
    day: int | None = None
    """The day of the month that boundaries fall on, where the anchor's month is too short to say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    start: int
    end: int


def period_at(instant: int, *, anchor: int, interval: Interval) -> Period:
    """The period that holds the instant: start included, end excluded."""
    index = _index_at(instant, anchor=anchor, interval=interval)
    return Period(
        start=boundary(anchor, index, interval=interval),
        end=boundary(anchor, index + 1, interval=interval),
    )


def period_from(start: int, *, anchor: int, interval: Interval) -> Period:
    """From an instant to the next boundary: a whole period, or what an anchor leaves of one."""
    return Period(start=start, end=period_at(start, anchor=anchor, interval=interval).end)


def elapsed_periods(start: int, end: int, *, anchor: int, interval: Interval) -> list[Period]:
    """The periods that begin at an instant or later and are over at another."""
    first = period_from(start, anchor=anchor, interval=interval)
    if first.end > end:
        return []
    index = _index_at(first.end, anchor=anchor, interval=interval)
    last = _index_at(end, anchor=anchor, interval=interval)
    ends = [boundary(anchor, number, interval=interval) for number in range(index, last + 1)]
    return [Period(start=since, end=until) for since, until in zip([start, *ends], ends, strict=False)]


def share(period: Period, *, anchor: int, interval: Interval) -> Fraction:
    """How much of an interval's price a period costs: all of a whole one, else its part."""
    if period == period_at(period.start, anchor=anchor, interval=interval):
        return Fraction(1)
    return intervals_between(period.start, period.end, interval=replace(interval, day=None))


def intervals_between(start: int, end: int, *, interval: Interval) -> Fraction:
    """How often an interval that begins at the start fits, with the fraction of the last."""
    whole = _index_at(end, anchor=start, interval=interval)
    last = period_at(end, anchor=start, interval=interval)
    return whole + Fraction(end - last.start, last.end - last.start)


def boundary(anchor: int, index: int, *, interval: Interval) -> int:
    if interval.unit in FIXED_S:
        return anchor + index * interval.count * FIXED_S[interval.unit]
    return _months_later(anchor, index * interval.count * MONTHS[interval.unit], day=interval.day)


def _index_at(instant: int, *, anchor: int, interval: Interval) -> int:
    index = _index_guess(instant - anchor, interval)
    while boundary(anchor, index, interval=interval) > instant:
        index -= 1
    while boundary(anchor, index + 1, interval=interval) <= instant:
        index += 1
    return index


def _index_guess(distance_s: int, interval: Interval) -> int:
    fixed = FIXED_S.get(interval.unit)
    length_s = interval.count * (fixed or MONTHS[interval.unit] * MONTH_SHORTEST_S)
    return distance_s // length_s


def _months_later(instant: int, months: int, *, day: int | None) -> int:
    start = datetime.fromtimestamp(instant, UTC)
    years, month0 = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month0 + 1
    last = monthrange(year, month)[1]
    return int(start.replace(year=year, month=month, day=min(day or start.day, last)).timestamp())
