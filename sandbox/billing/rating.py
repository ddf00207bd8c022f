"""From a quantity to amounts: per unit, graduated and volume tiers, exact until the one rounding of each line.

An amount stays an exact Decimal here; `whole` makes it a whole number of minor units, once a line and by a rule that
Stripe does not document and so is a switch. A tier's flat amount is part of that tier's line, so that the quantities of
a price's lines add up to the usage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

AMPLE = Context(prec=120)
"""More digits than any sum of usage times any price has, so that nothing is rounded before `whole`."""
HALF = Fraction(1, 2)
ROUNDINGS = ("half_up", "half_even", "half_down", "up", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    up_to: int | None
    """The last unit of the tier, included; None is `inf`."""
    unit_amount: Decimal
    flat_amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    divide_by: int
    rounds_up: bool

    def packages(self, quantity: Decimal) -> Decimal:
        full, rest = AMPLE.divmod(quantity, Decimal(self.divide_by))
        return full + 1 if self.rounds_up and rest else full


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedLine:
    quantity: Decimal
    unit_amount: Decimal | None
    """None where several tiers make one line."""
    exact: Decimal
    """The amount before rounding, in minor units."""
    tier: int | None = None
    """Counted from 1; None where the price has no tiers."""

    @property
    def amount(self) -> int:
        """Rounded by the likelier rule."""
        return whole(Fraction(self.exact))


def per_unit(quantity: Decimal, unit_amount: Decimal, *, transform: Transform | None = None) -> list[RatedLine]:
    packages = transform.packages(quantity) if transform else quantity
    return [RatedLine(quantity=quantity, unit_amount=unit_amount, exact=AMPLE.multiply(packages, unit_amount))]


def graduated(quantity: Decimal, tiers: Sequence[Tier]) -> list[RatedLine]:
    """Each slice at its own tier; the first tier makes its line even without usage."""
    lines: list[RatedLine] = []
    below = Decimal(0)
    for number, tier in enumerate(tiers, start=1):
        reach = quantity if tier.up_to is None else min(quantity, Decimal(tier.up_to))
        if reach <= below and lines:
            break
        lines.append(_tier_line(AMPLE.subtract(reach, below), tier, number=number))
        below = reach
    return lines


def volume(quantity: Decimal, tiers: Sequence[Tier]) -> list[RatedLine]:
    """All units at the tier that the total falls in."""
    for number, tier in enumerate(tiers, start=1):
        if tier.up_to is None or quantity <= tier.up_to:
            return [_tier_line(quantity, tier, number=number)]
    raise AssertionError("a price's last tier reaches to infinity: prices are checked at creation")


def together(lines: Sequence[RatedLine]) -> list[RatedLine]:
    """The same lines as one."""
    if len(lines) == 1:
        return list(lines)
    quantity, exact = Decimal(0), Decimal(0)
    for line in lines:
        quantity, exact = AMPLE.add(quantity, line.quantity), AMPLE.add(exact, line.exact)
    return [RatedLine(quantity=quantity, unit_amount=None, exact=exact)]


def whole(amount: Fraction, rule: str = "half_up") -> int:
    """The amount as a whole number; the rule looks away from zero, so that a credit rounds as its charge did."""
    magnitude, rest = divmod(abs(amount), 1)
    match rule:
        case "half_up":
            goes_up = rest >= HALF
        case "half_even":
            goes_up = rest > HALF or (rest == HALF and magnitude % 2 == 1)
        case "half_down":
            goes_up = rest > HALF
        case "up":
            goes_up = rest > 0
        case _:
            goes_up = False
    return (magnitude + goes_up) * (-1 if amount < 0 else 1)


def _tier_line(quantity: Decimal, tier: Tier, *, number: int) -> RatedLine:
    exact = AMPLE.add(AMPLE.multiply(quantity, tier.unit_amount), tier.flat_amount)
    return RatedLine(quantity=quantity, unit_amount=tier.unit_amount, exact=exact, tier=number)
