"""The currencies Stripe charges in; with some, the smallest unit is the whole one, which changes nothing here."""

from sandbox.errors import ApiError, invalid

NAMES = (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf "
    "chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg "
    "huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt "
    "mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar "
    "sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd "
    "xcg xof xpf yer zar zmw"
)
SUPPORTED = tuple(NAMES.split())
_KNOWN = frozenset(SUPPORTED)


def known(currency: str, *, param: str) -> str:
    """The currency in lower case; ApiError where Stripe has none of this name."""
    lowered = currency.lower()
    if lowered not in _KNOWN:
        raise _unknown(currency[:20], param)
    return lowered


def _unknown(currency: str, param: str) -> ApiError:
    listed = ", ".join(SUPPORTED)
    return invalid(f"Invalid currency: {currency}. Stripe currently supports these currencies: {listed}", param=param)
