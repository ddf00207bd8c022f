"""Prices, tiers and usage drawn by chance, in the words in which Stripe's API takes them."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Said = dict[str, Any]


def written(value: Decimal) -> str:
    return format(value, "f")


amounts = st.one_of(
    st.integers(0, 10_000).map(str),
    st.decimals(min_value=0, max_value=100, places=2).map(written),
    st.decimals(min_value=0, max_value=1, places=12).map(written),
)
values = st.one_of(
    st.integers(-100, 10**9).map(str),
    st.decimals(min_value=-10, max_value=10_000, places=3).map(written),
    st.decimals(min_value=0, max_value=1, places=12).map(written),
)
usages = st.lists(values, max_size=4)


@st.composite
def tiered(draw: st.DrawFn) -> Said:
    ends: list[int | str] = [*sorted(draw(st.sets(st.integers(1, 2 * 10**9), max_size=5))), "inf"]
    tiers = [{"up_to": end, "unit_amount_decimal": draw(amounts), "flat_amount_decimal": draw(amounts)} for end in ends]
    return {"billing_scheme": "tiered", "tiers_mode": draw(st.sampled_from(["graduated", "volume"])), "tiers": tiers}


@st.composite
def packaged(draw: st.DrawFn) -> Said:
    transform = {"divide_by": draw(st.integers(2, 10_000)), "round": draw(st.sampled_from(["up", "down"]))}
    return {"unit_amount_decimal": draw(amounts), "transform_quantity": transform}


flat = st.builds(lambda amount: {"unit_amount_decimal": amount}, amounts)
prices = st.one_of(tiered(), packaged(), flat)
