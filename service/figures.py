"""Amounts as Stripe's summaries tell them: floats of 15 digits, compared as far as a float can tell."""

from decimal import Decimal

FLOAT_DIGITS = 15  # Stripe's summary is a float; more than it can hold exactly is not compared
NOTHING = Decimal(0)


def is_equal(counted: Decimal, reported: Decimal) -> bool:
    """Equal as far as a float can tell."""
    return _rounded(counted) == _rounded(reported)


def shown(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _rounded(value: Decimal) -> Decimal:
    return +value.normalize() if len(value.as_tuple().digits) <= FLOAT_DIGITS else Decimal(f"{value:.{FLOAT_DIGITS}g}")
