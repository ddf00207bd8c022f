"""What taxes come to, against an independent reckoning in fractions: a percentage of what is left without all tax."""

from decimal import Decimal
from fractions import Fraction
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from sandbox.billing.rating import ROUNDINGS, whole
from sandbox.billing.tax_amounts import Rate, TaxAmount, tax_amounts

percentages = st.decimals(min_value=0, max_value=100, places=4)
rates = st.lists(st.tuples(percentages, st.booleans()), min_size=1, max_size=5).map(
    lambda drawn: [
        Rate(id=f"txr_{place}", percentage=percentage, is_inclusive=inclusive, reason="not_available")
        for place, (percentage, inclusive) in enumerate(drawn)
    ]
)
costs = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=6)
half_up = partial(whole, rule="half_up")


def untaxed(cost: int, applied: list[Rate]) -> Fraction:
    included = sum((Fraction(rate.percentage) for rate in applied if rate.is_inclusive), Fraction(0))
    return Fraction(cost) / (1 + included / 100)


def summed(lines: list[tuple[TaxAmount, ...]], place: int) -> int:
    return sum(line[place].amount for line in lines)


@given(costs, rates, st.sampled_from(ROUNDINGS))
def test_each_lines_tax_is_rounded_by_itself(amounts: list[int], applied: list[Rate], rule: str) -> None:
    lines = tax_amounts(amounts, applied, rounds=partial(whole, rule=rule), once=False)
    expected = [
        [whole(untaxed(cost, applied) * Fraction(rate.percentage) / 100, rule) for rate in applied] for cost in amounts
    ]
    assert [[tax.amount for tax in line] for line in lines] == expected


@given(costs, rates)
def test_rounded_once_the_lines_taxes_add_up_to_the_tax_of_the_sum(amounts: list[int], applied: list[Rate]) -> None:
    lines = tax_amounts(amounts, applied, rounds=half_up, once=True)
    total = untaxed(sum(amounts), applied)
    for place, rate in enumerate(applied):
        assert summed(lines, place) == half_up(total * Fraction(rate.percentage) / 100)


@given(amounts=costs, applied=rates, once=st.booleans())
def test_what_is_taxable_and_the_taxes_included_in_it_are_the_price(
    *, amounts: list[int], applied: list[Rate], once: bool
) -> None:
    for cost, line in zip(amounts, tax_amounts(amounts, applied, rounds=half_up, once=once), strict=True):
        included = sum(tax.amount for tax in line if tax.rate.is_inclusive)
        assert {tax.taxable for tax in line} == {cost - included}


def test_rounding_each_line_and_rounding_once_differ_by_a_cent() -> None:
    rate = Rate(id="txr_1", percentage=Decimal(10), is_inclusive=False, reason="not_available")
    each, once = (tax_amounts([5, 5, 5], [rate], rounds=half_up, once=once) for once in (False, True))
    assert (summed(each, 0), summed(once, 0)) == (3, 2)
