"""What each field of a usage row must be: one function a field, the reason and the remedy in its refusal.

The schema (`schema.py`) is made of these rules, and nothing else decides whether a row is good; so the call in
the application and the record step in the service cannot disagree. Every rule is total: any object goes in, and
what comes out is the canonical value or a `ValidationError` that says what was wrong and what to write instead.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from marshmallow import ValidationError

VALUE_DIGITS_MAX: Final = 15  # Stripe refuses a sixteenth significant digit
VALUE_PLACES_MAX: Final = 12  # Stripe's invoice lines carry no more
ROW_ID_LENGTH_MAX: Final = 100  # Stripe's own limit for identifiers
SOURCE_LENGTH_MAX: Final = 50
UNIT_LENGTH_MAX: Final = 30
OWN_SOURCE: Final = "meterpost"  # of the rows that the ledger writes itself; anybody else's would pass for a decision
SPELLED_MAX: Final = 4  # code points that compose to one, at most
AGE_MAX: Final = timedelta(days=34)  # Stripe accepts 35; a day is kept for retries
AHEAD_MAX: Final = timedelta(minutes=5)  # Stripe's own tolerance

_TEXT_LENGTH_MAX: Final = 64  # of a number or an instant as text, looked at before any parsing
_SHOWN_LENGTH_MAX: Final = 40  # of a refused value in a message
_CUSTOMER: Final = re.compile(r"cus_[A-Za-z0-9_]{1,60}")
_METER: Final = re.compile(r"[a-z0-9_]{1,100}")
_DECIMAL: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_GIVE_A_QUANTITY: Final = "give an int or a decimal string such as '1.25'"
_TOO_MANY_DIGITS: Final = (
    f"has more than {VALUE_DIGITS_MAX} significant digits, which Stripe refuses; split it or report a larger unit"
)


def read_account(said: object) -> str:
    if said == "default":
        return "default"
    raise ValidationError(f'{shown(said)}: several accounts are not supported yet; leave it out or say "default"')


def read_source(said: object) -> str:
    source = read_printable(said, length_max=SOURCE_LENGTH_MAX)
    if source == OWN_SOURCE:
        raise ValidationError(f'"{OWN_SOURCE}" is whose corrections are; say who numbers these rows, such as "app"')
    return source


def read_row_id(said: object) -> str:
    return read_printable(said, length_max=ROW_ID_LENGTH_MAX)


def read_customer(said: object) -> str:
    if isinstance(said, str) and _CUSTOMER.fullmatch(said):
        return said
    raise ValidationError(f"{shown(said)} is not a Stripe customer id; give one like cus_NffrFeUfNV2Hib")


def read_meter(said: object) -> str:
    if isinstance(said, str) and _METER.fullmatch(said):
        return said
    raise ValidationError(
        f"{shown(said)} is not a meter's event_name; 1 to 100 of a-z, 0-9 and _ (capitals are not allowed)"
    )


def read_unit(said: object) -> str:
    return read_printable(said, length_max=UNIT_LENGTH_MAX)


def refuse_dimensions(said: object) -> None:
    raise ValidationError(f"{shown(said)}: dimensions are not supported yet; leave the field out")


def read_value(said: object) -> Decimal:
    """The quantity without exponent or needless zeros: 1, "1.00" and Decimal("1") are the same value."""
    match said:
        case bool() | float():
            raise ValidationError(f"is a {type(said).__name__}, which is not exact; {_GIVE_A_QUANTITY}")
        case int():
            return Decimal(_read_int(said))
        case str():
            return Decimal(canonical_value(said))
        case Decimal():
            return Decimal(canonical_value(_decimal_text(said)))
        case _:
            raise ValidationError(f"{shown(said)} is not a quantity; {_GIVE_A_QUANTITY}")


def canonical_value(text: str) -> str:
    """The one spelling of a decimal number: worked on the text, so that no context can round it."""
    found = _DECIMAL.fullmatch(text) if len(text) <= _TEXT_LENGTH_MAX else None
    if found is None:
        raise ValidationError(
            f"{shown(text)} is not a plain decimal number; write digits with at most one point, such as"
            " '1500' or '-0.25' (no exponent, NaN, Infinity, sign + or separators)"
        )
    sign, whole, places = found[1], found[2].lstrip("0"), (found[3] or "").rstrip("0")
    _limit_digits(whole, places)
    text = (whole or "0") + ("." + places if places else "")
    return text if text == "0" else sign + text


def read_occurred_at(said: object) -> datetime:
    """The instant in UTC; whether it is too old or too new is for `limit_age`, which knows `now`."""
    instant = said if isinstance(said, datetime) else _parse_instant(said)
    try:
        if instant.utcoffset() is not None:
            return instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    except OverflowError:
        raise ValidationError(f"{shown(said)} is outside the calendar") from None
    raise ValidationError("has no offset, so the instant is unknown; add one, such as 2026-03-01T12:00:00Z")


def limit_unit(unit: str, *, meter: str, wanted: str | None) -> None:
    """`wanted` is the unit in which the meter is billed, where that is known."""
    if wanted not in {None, unit}:
        raise ValidationError(
            f"is {unit}, the rate card says {wanted} for {meter}: tell the value in {wanted}, or correct the card",
            "unit",
        )


def limit_age(instant: datetime, *, now: datetime) -> None:
    if instant < now - AGE_MAX:
        raise ValidationError(
            f"{instant.isoformat()} is too old: Stripe refuses usage older than 35 days and a day is kept for"
            " retries, so 34 days is the limit; bill it by hand, or as a correction at a later time",
            "occurred_at",
        )
    if instant > now + AHEAD_MAX:
        raise ValidationError(
            f"{instant.isoformat()} is more than 5 minutes ahead of now; check the clock and the offset",
            "occurred_at",
        )


def read_printable(said: object, *, length_max: int) -> str:
    """A line of printable characters in one normal form."""
    if not isinstance(said, str):
        raise ValidationError(f"{shown(said)} is not a string; give 1 to {length_max} printable characters")
    if said.isascii() and said.isprintable() and 1 <= len(said) <= length_max:
        return said
    # Two spellings of the same letters would be two ids: one normal form (NFC) makes them one. Composing makes at most
    # four code points one, so what is longer is refused before any work; cutting it would make two long ids one.
    text = unicodedata.normalize("NFC", said) if len(said) <= SPELLED_MAX * length_max else said
    if not 1 <= len(text) <= length_max:
        raise ValidationError(f"is {len(said)} characters long; give 1 to {length_max} printable characters")
    if not text.isprintable():
        raise ValidationError(f"{shown(said)} has control or unprintable characters; leave them out")
    return text


def shown(said: object) -> str:
    """A refused value as a message tells it."""
    if not isinstance(said, str):
        return f"a value of type {type(said).__name__}"
    return repr(said if len(said) <= _SHOWN_LENGTH_MAX else said[:_SHOWN_LENGTH_MAX] + "…")


def _read_int(said: int) -> int:
    if abs(said) >= 10**VALUE_DIGITS_MAX:
        raise ValidationError(_TOO_MANY_DIGITS)
    return said


def _decimal_text(said: Decimal) -> str:
    # Asked before it is spelled out: Decimal("1E+999999") would be a megabyte of zeros.
    if not said.is_finite():
        raise ValidationError(f"{said} is not a quantity; {_GIVE_A_QUANTITY}")
    if abs(said.adjusted()) >= _TEXT_LENGTH_MAX or len(said.as_tuple().digits) >= _TEXT_LENGTH_MAX:
        raise ValidationError(_TOO_MANY_DIGITS)
    return format(said, "f")


def _limit_digits(whole: str, places: str) -> None:
    if len((whole + places).lstrip("0")) > VALUE_DIGITS_MAX:
        raise ValidationError(_TOO_MANY_DIGITS)
    if len(places) > VALUE_PLACES_MAX:
        raise ValidationError(f"has more than {VALUE_PLACES_MAX} decimal places; round it or report a larger unit")


def _parse_instant(said: object) -> datetime:
    if isinstance(said, str) and len(said) <= _TEXT_LENGTH_MAX:
        try:
            return datetime.fromisoformat(said)
        except ValueError:
            pass  # refused below, like everything else that is no instant
    raise ValidationError(f"{shown(said)} is not an instant; write ISO 8601 with an offset: 2026-03-01T12:00:00Z")
