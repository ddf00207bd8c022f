"""Minor units of currencies, and amounts as a person reads them.

How many decimal places a currency has is known to the client (`meterpost.amounts`), which reads setup fees.

Source: docs.stripe.com/currencies#presentment-currencies.
"""

from decimal import ROUND_HALF_UP, Context, Decimal

from meterpost.amounts import minor_digits

__all__ = ["CHARGED_IN", "exact_money", "minor_digits", "money", "to_minor"]

_CODES = (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf "
    "chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg "
    "huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt "
    "mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar "
    "sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd "
    "xcg xof xpf yer zar zmw"
)
CHARGED_IN = frozenset(_CODES.split())
"""What Stripe makes prices in."""

EXACT = Context(prec=120)  # more digits than any amount has
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}  # of what they alone mean in an invoice; others by code


def to_minor(amount: Decimal, currency: str) -> Decimal:
    """Dollars as cents, to the last digit."""
    return amount.scaleb(minor_digits(currency), EXACT)


def money(minor: Decimal | int, currency: str) -> str:
    """An amount in minor units as a person reads it, rounded to them: `$200.00`, `¥500`, `12.345 KWD`, `-$0.07`."""
    rounded = Decimal(minor).to_integral_value(rounding=ROUND_HALF_UP)
    return _written(rounded.scaleb(-minor_digits(currency), EXACT), currency, places=minor_digits(currency))


def exact_money(minor: Decimal, currency: str) -> str:
    """The same to the last digit, as of a price: `$0.00025`."""
    major = Decimal(minor).scaleb(-minor_digits(currency), EXACT).normalize(EXACT)
    exponent = major.as_tuple().exponent
    assert isinstance(exponent, int), "an amount is a number"
    return _written(major, currency, places=max(minor_digits(currency), -exponent))


def _written(major: Decimal, currency: str, *, places: int) -> str:
    digits, sign = f"{major.copy_abs():,.{places}f}", "-" if major < 0 else ""
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency.upper()}"
