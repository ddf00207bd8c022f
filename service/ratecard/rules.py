"""What each field of a rate card must be: one function a field, with what was wrong and what to write in its refusal.

As the rules of usage rows: any value goes in, and what comes out is the value or a `ValidationError`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from marshmallow import ValidationError

from meterpost import rules as of_rows
from service.currencies import CHARGED_IN

AMOUNT_LENGTH_MAX: Final = 30  # more digits than any price
UP_TO_MAX: Final = 10**15  # as many units as a meter event can have
TEXT_LENGTH_MAX: Final = 250  # Stripe's limit of a meter's display name
LOOKUP_KEY_LENGTH_MAX: Final = 200  # Stripe's limit
INFINITE: Final = "inf"
FORMULAS: Final = ("sum", "count", "last")
MODES: Final = ("graduated", "volume")
ROUNDINGS: Final = ("up", "down")
RESETS: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "day": ("day", 1),
        "week": ("week", 1),
        "month": ("month", 1),
        "quarter": ("month", 3),
        "half-year": ("month", 6),
        "year": ("year", 1),
    }
)
"""When counting begins anew: Stripe's interval, and how many of them."""

_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_SHOWN_LENGTH_MAX: Final = 40

Rule = Callable[[object], object]


def read_metric(said: object) -> str:
    try:
        return of_rows.read_meter(said)
    except ValidationError:
        wanted = "write the meter's event_name: 1 to 100 of a-z, 0-9 and _"
        raise ValidationError(f"{shown(said)} is no event name; {wanted}") from None


def read_unit(said: object) -> str:
    return of_rows.read_unit(said)


def read_text(said: object) -> str:
    return _printable(said, length_max=TEXT_LENGTH_MAX, example='a name such as "API requests"')


def read_lookup_key(said: object) -> str:
    return _printable(said, length_max=LOOKUP_KEY_LENGTH_MAX, example='a key such as "api_requests_month_usd"')


def read_currency(said: object) -> str:
    if isinstance(said, str) and said in CHARGED_IN:
        return said
    wanted = "write its code in lower case, such as usd"
    raise ValidationError(f"{shown(said)} is no currency that Stripe charges in; {wanted}")


def read_amount(said: object) -> Decimal:
    """An amount in the currency itself (dollars, not cents), exactly as written."""
    text = _amount_text(said)
    if text is None or len(text) > AMOUNT_LENGTH_MAX or not _AMOUNT.fullmatch(text):
        raise ValidationError(f'{shown(said)} is no amount; write digits with at most one point, such as "0.0025"')
    return Decimal(text)


def read_count(said: object) -> int:
    """Units, or the size of a package."""
    if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= UP_TO_MAX:
        return said
    raise ValidationError(f"{shown(said)} is no number of units; write a whole number from 1, such as 1000")


def read_included(said: object) -> int:
    return 0 if said == 0 and not isinstance(said, bool) else read_count(said)


def read_up_to(said: object) -> int | None:
    """The last unit of a tier; None is without end."""
    if said == INFINITE or (isinstance(said, Decimal) and said.is_infinite() and said > 0):
        return None
    try:
        return read_count(said)
    except ValidationError:
        wanted = f'write the last unit of the tier, such as 1000, or "{INFINITE}" in the last tier'
        raise ValidationError(f"{shown(said)} is no end of a tier; {wanted}") from None


def read_usage(said: object) -> Decimal:
    """A usage that support is asked about."""
    text = _amount_text(said)
    if text is None or len(text) > AMOUNT_LENGTH_MAX or not _AMOUNT.fullmatch(text):
        raise ValidationError(f"{shown(said)} is no usage; write a number of units, such as 50000")
    return Decimal(text)


def one_of(words: Sequence[str]) -> Rule:
    def read(said: object) -> str:
        if isinstance(said, str) and said in words:
            return said
        raise ValidationError(f"{shown(said)} is not known; write {', '.join(words[:-1])} or {words[-1]}")

    return read


def shown(said: object) -> str:
    """A refused value as a person may have written it, cut and without control characters."""
    match said:
        case None:
            return "null"
        case bool():
            return str(said).lower()
        case str():
            return repr(said if len(said) <= _SHOWN_LENGTH_MAX else said[:_SHOWN_LENGTH_MAX] + "…")
        case Decimal():
            return str(said)[:_SHOWN_LENGTH_MAX]
        case int() if abs(said) < 10**_SHOWN_LENGTH_MAX:
            return str(said)
        case _:
            return f"a value of type {type(said).__name__}"


def _amount_text(said: object) -> str | None:
    match said:
        case bool():
            return None
        case int() if abs(said) < 10**AMOUNT_LENGTH_MAX:
            return str(said)
        case Decimal() if said.is_finite() and abs(said.adjusted()) < AMOUNT_LENGTH_MAX:
            return f"{said:f}"
        case str():
            return said
        case _:
            return None


def _printable(said: object, *, length_max: int, example: str) -> str:
    if isinstance(said, str) and said.isprintable() and said.strip() and len(said) <= length_max:
        return said.strip()
    raise ValidationError(f"{shown(said)} is not 1 to {length_max} printable characters; write {example}")
