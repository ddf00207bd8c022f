"""What taxes come to: exact fractions of what lines cost, rounded once a line or once an invoice.

Which of the two, and by which rule, is a choice of the account at Stripe and so a switch. Of rates that are included in
a price, the part of each is what its percentage is of the price without all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise

HUNDRED = Fraction(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A tax rate as it applies to a line."""

    id: str
    percentage: Decimal
    is_inclusive: bool
    reason: str
    """Stripe's `taxability_reason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxAmount:
    """What one rate comes to on one line, in minor units."""

    rate: Rate
    amount: int
    taxable: int
    """What it is taken of, without the taxes that are included in it."""


def tax_amounts(
    costs: Sequence[int], rates: Sequence[Rate], *, rounds: Callable[[Fraction], int], once: bool
) -> list[tuple[TaxAmount, ...]]:
    """The taxes of each cost, in the order of the rates; rounded `once` they add up to the rounded tax of the sum."""
    by_rate = [_rounded([_exact(cost, rate, rates) for cost in costs], rounds, once=once) for rate in rates]
    return [
        _of_line(cost, rates, list(amounts)) for cost, amounts in zip(costs, zip(*by_rate, strict=True), strict=True)
    ]


def _exact(cost: int, rate: Rate, rates: Sequence[Rate]) -> Fraction:
    included = sum((Fraction(other.percentage) for other in rates if other.is_inclusive), Fraction(0))
    return cost * HUNDRED / (HUNDRED + included) * Fraction(rate.percentage) / HUNDRED


def _rounded(exact: Sequence[Fraction], rounds: Callable[[Fraction], int], *, once: bool) -> list[int]:
    if not once:
        return [rounds(part) for part in exact]
    return [after - before for before, after in pairwise([0, *map(rounds, accumulate(exact))])]


def _of_line(cost: int, rates: Sequence[Rate], amounts: Sequence[int]) -> tuple[TaxAmount, ...]:
    taxed = list(zip(rates, amounts, strict=True))
    taxable = cost - sum(amount for rate, amount in taxed if rate.is_inclusive)
    return tuple(TaxAmount(rate=rate, amount=amount, taxable=taxable) for rate, amount in taxed)
