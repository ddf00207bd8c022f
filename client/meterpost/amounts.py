"""How many decimal places an amount of a currency has in its major unit.

Stripe tells every amount in the smallest unit: whole units of some currencies, thousandths of others, and hundredths of
the rest. ISK and UGX are told in hundredths though they have none, and thousandths end on a zero.

Source: docs.stripe.com/currencies#zero-decimal, #three-decimal, #special-cases.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

ZERO_DECIMAL: Final = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL: Final = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
AMOUNT_DIGITS_MAX: Final = 12  # Stripe's, of an amount in the smallest unit
WHOLE_IN_HUNDREDTHS: Final = frozenset(["isk", "ugx"])


def minor_digits(currency: str) -> int:
    """How many decimal places an amount in the major unit has, as Stripe tells it."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def refuse_fee(fee: Decimal, currency: str) -> str | None:
    """Why this amount in the major unit cannot be charged in this currency; None where it can."""
    places = 0 if currency in WHOLE_IN_HUNDREDTHS else min(minor_digits(currency), 2)
    if fee.adjusted() + minor_digits(currency) >= AMOUNT_DIGITS_MAX:
        return (
            f"is {fee} {currency.upper()}, which has more than Stripe's {AMOUNT_DIGITS_MAX} digits in its smallest unit"
        )
    if fee == fee.quantize(Decimal(1).scaleb(-places)):
        return None
    allowed = f"at most {places} decimal places" if places else "no decimal places"
    return f"is {fee} {currency.upper()}, and Stripe charges this currency with {allowed}; round it"
