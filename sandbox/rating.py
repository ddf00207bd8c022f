"""From a quantity to amounts: per unit, graduated and volume tiers, in Decimal throughout.

Amounts are whole minor units, rounded half up on each line: the rule Stripe does not document. A tier's flat amount is
part of that tier's line, so that the quantities of a price's lines add up to the usage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal


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
        rounding = ROUND_CEILING if self.rounds_up else ROUND_FLOOR
        return (quantity / self.divide_by).to_integral_value(rounding)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedLine:
    quantity: Decimal
    unit_amount: Decimal
    amount: int
    tier: int | None = None
    """Counted from 1; None where the price has no tiers."""


def per_unit(quantity: Decimal, unit_amount: Decimal, *, transform: Transform | None = None) -> list[RatedLine]:
    packages = transform.packages(quantity) if transform else quantity
    return [RatedLine(quantity=quantity, unit_amount=unit_amount, amount=_whole(packages * unit_amount))]


def graduated(quantity: Decimal, tiers: Sequence[Tier]) -> list[RatedLine]:
    """Each slice at its own tier; the first tier makes its line even without usage."""
    lines: list[RatedLine] = []
    below = Decimal(0)
    for number, tier in enumerate(tiers, start=1):
        reach = quantity if tier.up_to is None else min(quantity, Decimal(tier.up_to))
        if reach <= below and lines:
            break
        lines.append(_tier_line(reach - below, tier, number=number))
        below = reach
    return lines


def volume(quantity: Decimal, tiers: Sequence[Tier]) -> list[RatedLine]:
    """All units at the tier that the total falls in."""
    for number, tier in enumerate(tiers, start=1):
        if tier.up_to is None or quantity <= tier.up_to:
            return [_tier_line(quantity, tier, number=number)]
    raise AssertionError("a price's last tier reaches to infinity: prices are checked at creation")


def _tier_line(quantity: Decimal, tier: Tier, *, number: int) -> RatedLine:
    amount = _whole(quantity * tier.unit_amount + tier.flat_amount)
    return RatedLine(quantity=quantity, unit_amount=tier.unit_amount, amount=amount, tier=number)


def _whole(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_UP))
