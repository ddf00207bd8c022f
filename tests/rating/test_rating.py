"""What a quantity costs, against the sandbox's own rating and against hand-made examples."""

from decimal import Decimal, Inexact
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.billing import rating as stripes
from service.mirrors.catalog import price_facts
from service.rating import Mode, Package, Rounding, Terms, Tier, rate, terms_of
from tests.rating.conftest import prices

quantities = st.decimals(min_value=0, max_value=10**12, places=12) | st.integers(0, 10**24).map(Decimal)
Line = tuple[Decimal, int]


def terms(said: dict[str, Any], *, currency: str = "usd") -> Terms:
    """As they are read from the price that Stripe answers with."""
    tiers = [tier | {"up_to": None if tier["up_to"] == "inf" else tier["up_to"]} for tier in said.get("tiers", [])]
    found = terms_of(price_facts({**said, "currency": currency} | ({"tiers": tiers} if tiers else {})))
    assert found is not None
    return found


def by_stripes_rules(said: dict[str, Any], quantity: Decimal) -> list[Line]:
    tiers = [
        stripes.Tier(
            up_to=None if tier["up_to"] == "inf" else tier["up_to"],
            unit_amount=Decimal(tier["unit_amount_decimal"]),
            flat_amount=Decimal(tier["flat_amount_decimal"]),
        )
        for tier in said.get("tiers", [])
    ]
    match said:
        case {"tiers_mode": mode}:
            lines = (stripes.graduated if mode == "graduated" else stripes.volume)(quantity, tiers)
        case {"transform_quantity": {"divide_by": size, "round": way}, "unit_amount_decimal": amount}:
            transform = stripes.Transform(divide_by=size, rounds_up=way == "up")
            lines = stripes.per_unit(quantity, Decimal(amount), transform=transform)
        case _:
            lines = stripes.per_unit(quantity, Decimal(said["unit_amount_decimal"]))
    return [(line.quantity, line.amount) for line in lines]


@given(prices, quantities)
def test_lines_are_those_of_the_sandboxs_own_rating(said: dict[str, Any], quantity: Decimal):
    rated = rate(terms(said), quantity)
    assert [(line.quantity, line.amount) for line in rated.lines] == by_stripes_rules(said, quantity)
    assert rated.amount == sum(amount for _, amount in by_stripes_rules(said, quantity))


@given(prices, quantities)
def test_the_exact_amount_is_at_most_half_a_unit_a_line_away(said: dict[str, Any], quantity: Decimal):
    rated = rate(terms(said), quantity)
    assert abs(Fraction(rated.exact) - rated.amount) <= Fraction(len(rated.lines), 2)


@given(prices, st.decimals(max_value=0, min_value=-(10**12), places=6))
def test_usage_below_zero_is_rated_as_none(said: dict[str, Any], quantity: Decimal):
    assert rate(terms(said), quantity) == rate(terms(said), Decimal(0))


TEN_FREE = (Tier(up_to=10), Tier(up_to=None, unit_amount=Decimal("0.5"), flat_amount=Decimal(100)))


@pytest.mark.parametrize(
    ("price", "quantity", "lines"),
    [
        (Terms(currency="usd", unit_amount=Decimal("0.05")), "10", [1]),  # half a cent is a whole one
        (Terms(currency="usd", unit_amount=Decimal("0.049")), "10", [0]),
        (Terms(currency="usd", unit_amount=Decimal(3), package=Package(size=1000)), "1000.000001", [6]),
        (Terms(currency="usd", unit_amount=Decimal(3), package=Package(size=9, rounding=Rounding.DOWN)), "8", [0]),
        (Terms(currency="usd", mode=Mode.GRADUATED, tiers=TEN_FREE), "10", [0]),  # the end belongs to its tier
        (Terms(currency="usd", mode=Mode.GRADUATED, tiers=TEN_FREE), "11", [0, 101]),
        (Terms(currency="usd", mode=Mode.VOLUME, tiers=TEN_FREE), "10", [0]),
        (Terms(currency="usd", mode=Mode.VOLUME, tiers=TEN_FREE), "11", [106]),
        (Terms(currency="usd", mode=Mode.GRADUATED, tiers=(Tier(up_to=None, flat_amount=Decimal(7)),)), "0", [7]),
    ],
)
def test_hand_made_examples_cost_what_they_should(price: Terms, quantity: str, lines: list[int]):
    assert [line.amount for line in rate(price, Decimal(quantity)).lines] == lines


def test_a_quantity_of_more_digits_than_can_be_exact_raises():
    with pytest.raises(Inexact):
        rate(Terms(currency="usd", unit_amount=Decimal("0.123456789012")), Decimal("1" + "0" * 120 + "1"))


GOOD: dict[str, Any] = {"currency": "usd", "unit_amount_decimal": "1"}
ENDLESS = {"up_to": None, "unit_amount": 1}


@pytest.mark.parametrize(
    "told",
    [
        {"unit_amount_decimal": "1"},
        {"currency": "usd", "unit_amount": None, "custom_unit_amount": {}},
        {**GOOD, "billing_scheme": "tiered"},  # the tiers were left out
        {**GOOD, "transform_quantity": {"divide_by": 0, "round": "up"}},
        {**GOOD, "transform_quantity": {"divide_by": 5, "round": "sideways"}},
        {**GOOD, "tiers_mode": "graduated", "tiers": []},
        {**GOOD, "tiers_mode": "graduated", "tiers": [{"up_to": 5, "unit_amount": 1}]},
        {**GOOD, "tiers_mode": "graduated", "tiers": [ENDLESS, ENDLESS]},
        {**GOOD, "tiers_mode": "volume", "tiers": [{"up_to": 9}, {"up_to": 9}, ENDLESS]},
        {**GOOD, "tiers_mode": "sideways", "tiers": [ENDLESS]},
        {**GOOD, "tiers_mode": "volume", "tiers": [ENDLESS], "transform_quantity": {"divide_by": 5, "round": "up"}},
    ],
)
def test_a_price_that_is_not_known_whole_has_no_terms(told: dict[str, Any]):
    assert terms_of(price_facts(told)) is None
