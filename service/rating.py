"""What a quantity costs by a price's terms: per unit, packages, graduated and volume tiers, flat amounts. Pure, exact.

Amounts are in the currency's minor unit, as Stripe's are (whole yen, cents, thousandths of a dinar), and stay exact
Decimals until the one rounding of each line. How Stripe rounds is not documented; LINE_ROUNDING is what we take it for.
A tier's flat amount is part of that tier's line, and the first tier makes its line without usage too, as on Stripe's
invoices. A quantity below zero is rated as none: usage never bills less than nothing.

Source: docs.stripe.com/products-prices/pricing-models, docs.stripe.com/api/prices/object.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from itertools import pairwise

from service.mirrors.catalog import PriceFacts

LINE_ROUNDING = ROUND_HALF_UP  # to whole minor units, away from zero at the half
EXACT = Context(prec=120, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow])
"""More digits than any sum of usage times any price has; what would lose one raises rather than guess."""
NOTHING = Decimal(0)


class Mode(StrEnum):
    """How tiers are read."""

    GRADUATED = "graduated"  # each unit at the tier that it falls in
    VOLUME = "volume"  # all units at the tier of the last


class Rounding(StrEnum):
    """What becomes of a package that was begun."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """`up_to` is the last unit of the tier, itself included; None: without end."""

    up_to: int | None
    unit_amount: Decimal = NOTHING
    flat_amount: Decimal = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Usage is divided by `size` as a whole, and only whole packages are billed."""

    size: int
    rounding: Rounding = Rounding.UP

    def count(self, quantity: Decimal) -> Decimal:
        full, rest = EXACT.divmod(quantity, Decimal(self.size))
        return full + 1 if rest and self.rounding is Rounding.UP else full


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a price asks. Either `mode` with `tiers`, or `unit_amount`, a package or a unit."""

    currency: str
    unit_amount: Decimal = NOTHING
    package: Package | None = None
    mode: Mode | None = None
    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        assert (self.mode is None) == (not self.tiers), "tiers and their mode belong together"
        assert not self.tiers or self.package is None, "Stripe has no packages in tiers"
        assert not self.tiers or is_ladder(self.tiers), "tiers rise, and the last alone is without end"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedLine:
    """One line of an invoice. `tier` counts from 1; None: the price has no tiers."""

    quantity: Decimal
    unit_amount: Decimal
    exact: Decimal
    tier: int | None = None

    @property
    def amount(self) -> int:
        return int(self.exact.to_integral_value(rounding=LINE_ROUNDING))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """What a quantity costs, in the currency's minor unit: to the last digit, and as an invoice asks it."""

    currency: str
    lines: tuple[RatedLine, ...]

    @property
    def exact(self) -> Decimal:
        return _total(line.exact for line in self.lines)

    @property
    def amount(self) -> int:
        return sum(line.amount for line in self.lines)


def rate(terms: Terms, quantity: Decimal) -> Rated:
    """What a billing period's whole usage costs by these terms, line by line."""
    billed = max(NOTHING, quantity)
    match terms.mode:
        case Mode.GRADUATED:
            lines = tuple(_graduated(terms.tiers, billed))
        case Mode.VOLUME:
            lines = (_volume(terms.tiers, billed),)
        case None:
            lines = (_per_unit(terms, billed),)
    return Rated(currency=terms.currency, lines=lines)


def terms_of(price: PriceFacts) -> Terms | None:
    """A mirrored price's terms; None where the mirror lacks a part of them, or has them as Stripe never tells them."""
    if price.currency is None or not price.is_whole:
        return None
    if price.tiers_mode is None and not price.tiers:
        return _flat_terms(price, currency=price.currency)
    tiers = tuple(
        Tier(up_to=tier.up_to, unit_amount=tier.unit_amount or NOTHING, flat_amount=tier.flat_amount or NOTHING)
        for tier in price.tiers
    )
    if price.tiers_mode not in set(Mode) or price.divide_by is not None or not is_ladder(tiers):
        return None
    return Terms(currency=price.currency, mode=Mode(price.tiers_mode), tiers=tiers)


def is_ladder(tiers: Sequence[Tier]) -> bool:
    """Whether each tier ends above the one before, from above zero, and the last alone is without end."""
    ends = [tier.up_to for tier in tiers]
    if not ends or ends[-1] is not None:
        return False
    steps = [0, *(end for end in ends[:-1] if end is not None)]
    return len(steps) == len(ends) and all(below < above for below, above in pairwise(steps))


def _flat_terms(price: PriceFacts, *, currency: str) -> Terms | None:
    if price.unit_amount is None:
        return None
    if price.divide_by is None:
        return Terms(currency=currency, unit_amount=price.unit_amount)
    if price.divide_by < 1 or price.round not in set(Rounding):
        return None
    package = Package(size=price.divide_by, rounding=Rounding(price.round))
    return Terms(currency=currency, unit_amount=price.unit_amount, package=package)


def _per_unit(terms: Terms, quantity: Decimal) -> RatedLine:
    count = quantity if terms.package is None else terms.package.count(quantity)
    return RatedLine(quantity=quantity, unit_amount=terms.unit_amount, exact=EXACT.multiply(count, terms.unit_amount))


def _graduated(tiers: Sequence[Tier], quantity: Decimal) -> Iterator[RatedLine]:
    below = NOTHING
    for number, tier in enumerate(tiers, start=1):
        reached = quantity if tier.up_to is None else min(quantity, Decimal(tier.up_to))
        if reached <= below and number > 1:
            return
        yield _tier_line(tier, EXACT.subtract(reached, below), number=number)
        below = reached


def _volume(tiers: Sequence[Tier], quantity: Decimal) -> RatedLine:
    number, tier = next(
        (number, tier) for number, tier in enumerate(tiers, start=1) if tier.up_to is None or quantity <= tier.up_to
    )
    return _tier_line(tier, quantity, number=number)


def _tier_line(tier: Tier, quantity: Decimal, *, number: int) -> RatedLine:
    exact = EXACT.add(EXACT.multiply(quantity, tier.unit_amount), tier.flat_amount)
    return RatedLine(quantity=quantity, unit_amount=tier.unit_amount, exact=exact, tier=number)


def _total(amounts: Iterator[Decimal]) -> Decimal:
    total = NOTHING
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
