"""Rating and periods as pure functions, against independent arithmetic."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.billing.periods import Interval, boundary, period_at
from sandbox.billing.rating import Tier, Transform, graduated, per_unit, volume

MONTHLY = Interval(unit="month", count=1)
amounts = st.decimals(min_value=0, max_value=1_000, places=4)
quantities = st.decimals(min_value=0, max_value=100_000, places=3)


@st.composite
def tiers(draw: st.DrawFn) -> list[Tier]:
    ends = sorted(draw(st.sets(st.integers(1, 50_000), max_size=5)))
    return [Tier(up_to=end, unit_amount=draw(amounts), flat_amount=draw(amounts)) for end in [*ends, None]]


def half_up(amount: Fraction) -> int:
    return int(amount + Fraction(1, 2))


@given(quantities, tiers())
def test_the_quantities_of_graduated_lines_add_up_to_the_usage(quantity: Decimal, found: list[Tier]) -> None:
    assert sum(line.quantity for line in graduated(quantity, found)) == quantity


@given(quantities, tiers())
def test_each_graduated_line_is_its_slice_at_its_own_tier(quantity: Decimal, found: list[Tier]) -> None:
    below, expected = Fraction(0), []
    for tier in found:
        upper = Fraction(quantity) if tier.up_to is None else min(Fraction(quantity), Fraction(tier.up_to))
        if upper > below or not expected:
            expected.append(half_up((upper - below) * Fraction(tier.unit_amount) + Fraction(tier.flat_amount)))
            below = upper
    assert [line.amount for line in graduated(quantity, found)] == expected


@given(quantities, tiers())
def test_volume_is_one_line_at_the_tier_of_the_total(quantity: Decimal, found: list[Tier]) -> None:
    reached = next(tier for tier in found if tier.up_to is None or quantity <= tier.up_to)
    expected = half_up(Fraction(quantity) * Fraction(reached.unit_amount) + Fraction(reached.flat_amount))
    assert [(line.quantity, line.amount) for line in volume(quantity, found)] == [(quantity, expected)]


def test_the_end_of_a_tier_belongs_to_it() -> None:
    ends = [Tier(up_to=10, unit_amount=Decimal(1), flat_amount=Decimal(0))]
    ends.append(Tier(up_to=None, unit_amount=Decimal(9), flat_amount=Decimal(0)))
    assert [line.quantity for line in graduated(Decimal(10), ends)] == [10]
    assert volume(Decimal(10), ends)[0].amount == 10


@pytest.mark.parametrize(("rounds_up", "packages"), [(True, 3), (False, 2)])
def test_packages_round_on_the_whole_quantity(rounds_up: bool, packages: int) -> None:  # noqa: FBT001 - a table's column
    transform = Transform(divide_by=100, rounds_up=rounds_up)
    assert per_unit(Decimal(201), Decimal(1), transform=transform)[0].amount == packages


def test_a_month_that_begins_on_the_31st_comes_back_after_february() -> None:
    anchor = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp())
    starts = [datetime.fromtimestamp(boundary(anchor, index, interval=MONTHLY), UTC) for index in range(4)]
    assert [(start.month, start.day) for start in starts] == [(1, 31), (2, 28), (3, 31), (4, 30)]


@given(
    st.integers(1_500_000_000, 2_000_000_000),
    st.integers(-400 * 86_400, 4_000 * 86_400),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 12),
)
def test_an_instant_lies_within_its_period(anchor: int, distance: int, unit: str, count: int) -> None:
    period = period_at(anchor + distance, anchor=anchor, interval=Interval(unit=unit, count=count))
    assert period.start <= anchor + distance < period.end


def test_periods_before_the_anchor_end_at_it() -> None:
    anchor = int(datetime(2026, 3, 15, tzinfo=UTC).timestamp())
    period = period_at(anchor - 1, anchor=anchor, interval=MONTHLY)
    assert datetime.fromtimestamp(period.end, UTC) - datetime.fromtimestamp(period.start, UTC) == timedelta(days=28)
