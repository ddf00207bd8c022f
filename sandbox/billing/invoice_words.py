"""What an invoice line says of itself: Stripe's templates, with quantity, product, tier and unit price."""

from datetime import UTC, datetime
from decimal import Decimal

from sandbox.billing.charges import Charge
from sandbox.billing.periods import Interval
from sandbox.billing.rating import RatedLine
from sandbox.wire import decimal_text

SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
PLACES = 2
ZERO_DECIMAL = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf")
)
THREE_DECIMAL = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))


def described(charge: Charge, rated: RatedLine, *, product: str, billing_mode: str) -> str:
    quantity = decimal_text(rated.quantity)
    if charge.is_free and billing_mode == "flexible":
        return f"Free trial for {quantity} x {product}"
    if charge.is_free:
        return f"{quantity} x {product} (Free trial)"
    counted = f"{quantity} × {product}"  # noqa: RUF001 - Stripe's own sign
    if charge.is_proration:
        since = datetime.fromtimestamp(charge.period.start, UTC).strftime("%d %b %Y")
        return f"{'Unused' if charge.share < 0 else 'Remaining'} time on {counted} after {since}"
    return counted + _terms(charge, rated)


def money(amount: Decimal, currency: str) -> str:
    """Minor units as a reader writes them: $0.001, ¥500, CHF 1.50."""
    places = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else PLACES
    whole, _, fraction = decimal_text(amount.scaleb(-places)).partition(".")
    digits = f"{whole}.{fraction.ljust(places, '0')}" if fraction or places else whole
    return SIGNS[currency] + digits if currency in SIGNS else f"{currency.upper()} {digits}"


def _terms(charge: Charge, rated: RatedLine) -> str:
    if rated.unit_amount is None:
        return ""
    tier = f"Tier {rated.tier} " if rated.tier else ""
    price = money(rated.unit_amount, charge.item.price.currency)
    return f" ({tier}at {price} / {_interval(charge.item.interval)})"


def _interval(interval: Interval) -> str:
    return interval.unit if interval.count == 1 else f"{interval.count} {interval.unit}s"
