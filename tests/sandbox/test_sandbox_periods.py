"""Periods: counted from an anchor in calendar months, whatever day that is, and measured where they are cut."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.billing.periods import (
    Interval,
    Period,
    boundary,
    elapsed_periods,
    intervals_between,
    period_at,
    period_from,
    share,
)

DAY_S = 86_400
MONTH = Interval(unit="month", count=1)
INSTANTS = st.integers(min_value=0, max_value=4_000_000_000)
INTERVALS = st.builds(Interval, unit=st.sampled_from(["day", "week", "month", "year"]), count=st.integers(1, 36))


def at(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("anchor", "interval", "boundaries"),
    [
        ("2026-01-31", MONTH, ["2026-02-28", "2026-03-31", "2026-04-30"]),
        ("2024-01-30", MONTH, ["2024-02-29", "2024-03-30", "2024-04-30"]),
        ("2024-02-29", Interval(unit="year", count=1), ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2026-11-30", Interval(unit="month", count=3), ["2027-02-28", "2027-05-30", "2027-08-30"]),
        ("2026-12-31", Interval(unit="week", count=2), ["2027-01-14", "2027-01-28"]),
        ("2026-03-28", Interval(unit="day", count=1), ["2026-03-29", "2026-03-30"]),
    ],
)
def test_boundaries_keep_the_day_of_the_anchor(anchor: str, interval: Interval, boundaries: list[str]) -> None:
    found = [boundary(at(anchor), index + 1, interval=interval) for index in range(len(boundaries))]
    assert found == [at(day) for day in boundaries]


@given(instant=INSTANTS, anchor=INSTANTS, interval=INTERVALS)
def test_every_instant_lies_in_one_period(instant: int, anchor: int, interval: Interval) -> None:
    period = period_at(instant, anchor=anchor, interval=interval)
    assert period.start <= instant < period.end
    assert period_at(period.end, anchor=anchor, interval=interval).start == period.end


@given(start=INSTANTS, length=st.integers(0, 100_000_000), anchor=INSTANTS, interval=INTERVALS)
def test_elapsed_periods_follow_each_other_without_a_gap(
    start: int, length: int, anchor: int, interval: Interval
) -> None:
    periods = elapsed_periods(start, start + length, anchor=anchor, interval=interval)
    edges = [start, *(period.end for period in periods)]
    assert [period.start for period in periods] == edges[:-1]
    assert edges[-1] <= start + length < period_from(edges[-1], anchor=anchor, interval=interval).end


@given(start=INSTANTS, count=st.integers(0, 24), interval=INTERVALS)
def test_whole_intervals_are_counted_whole(start: int, count: int, interval: Interval) -> None:
    end = boundary(start, count, interval=interval)
    assert intervals_between(start, end, interval=interval) == count


@pytest.mark.parametrize(
    ("start", "end", "part"),
    [
        ("2026-02-15", "2026-03-01", Fraction(14, 28)),
        ("2026-01-15", "2026-02-01", Fraction(17, 31)),
        ("2026-01-01", "2026-02-01", Fraction(1)),
    ],
)
def test_a_cut_period_is_measured_in_an_interval_that_begins_with_it(start: str, end: str, part: Fraction) -> None:
    period = Period(start=at(start), end=at(end))
    assert share(period, anchor=at("2026-03-01"), interval=MONTH) == part


def test_a_short_month_is_a_whole_period() -> None:
    period = Period(start=at("2026-02-28"), end=at("2026-03-31"))
    assert share(period, anchor=at("2026-01-31"), interval=MONTH) == 1
