"""Single values out of whatever JSON came: an id, an instant, an amount, or None. Total, but for what is required."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

Json = object
Found = TypeVar("Found")

SECONDS_MAX = 253_402_300_799  # the last second of the year 9999: a datetime ends there
WHOLE_MAX = 2**63 - 1  # PostgreSQL's bigint
DEPTH_MAX = 32  # Stripe's deepest objects have eight levels; what is deeper is left out of what we keep
_WORD = re.compile(r"[\x21-\x7e]{1,255}")  # ids, types, versions: printable ASCII
_DECIMAL = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")  # Stripe's have up to 15 digits and 12 decimal places
_NOT_STORABLE = re.compile(r"[\x00\ud800-\udfff]")  # PostgreSQL's text and jsonb have no place for these


class Unfit(Exception):
    """A field that a mirror cannot be without is missing or no such thing; the text names it."""


def inner(value: Json, *names: str) -> Json:
    """What stands under these names, one within the other; None where anything on the way is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def word(value: Json) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def id_of(value: Json) -> str | None:
    """The id of an object that Stripe gives by id, or expanded."""
    return word(inner(value, "id")) if isinstance(value, dict) else word(value)


def instant(value: Json) -> datetime | None:
    """Seconds since 1970; True is an int to Python, and no time."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= SECONDS_MAX:
        return None
    return datetime.fromtimestamp(value, UTC)


def whole(value: Json) -> int | None:
    """A whole number, such as an amount in a currency's minor unit."""
    is_whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= WHOLE_MAX
    return value if isinstance(value, int) and is_whole else None


def exact(value: Json) -> Decimal | None:
    """A decimal as Stripe tells it: as text, or as a whole number. A float is none."""
    if isinstance(value, str):
        return Decimal(value) if _DECIMAL.fullmatch(value) else None
    number = whole(value)
    return None if number is None else Decimal(number)


def truth(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def required(found: Found | None, field: str) -> Found:
    if found is None:
        raise Unfit(field)
    return found


def members(value: Json) -> list[Json] | None:
    """What stands in a list of Stripe's; None where it is none."""
    found = inner(value, "data")
    return found if isinstance(found, list) else None


def readable(told: list[Json], read: Callable[[Json], Found]) -> tuple[Found, ...]:
    """Those of `told` that can be read."""
    found = list[Found]()
    for one in told:
        try:
            found.append(read(one))
        except Unfit:
            continue
    return tuple(found)


def storable(value: Json) -> str:
    """`value` as JSON text that PostgreSQL takes: without NULs, lone surrogates, infinities and endless nesting."""
    return json.dumps(_clean(value, DEPTH_MAX), ensure_ascii=False, allow_nan=False)


def _clean(value: Json, levels: int) -> Json:
    match value:
        case dict() if levels:
            return {_NOT_STORABLE.sub("", str(name)): _clean(inside, levels - 1) for name, inside in value.items()}
        case list() if levels:
            return [_clean(inside, levels - 1) for inside in value]
        case str():
            return _NOT_STORABLE.sub("", value)
        case float():
            return value if math.isfinite(value) else None
        case bool() | int():
            return value
        case _:
            return None
