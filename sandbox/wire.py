"""The names of what crosses the wire: JSON objects out, decimal strings in both directions.

Stripe writes quantities as decimal strings and never with an exponent; one place decides that here.
"""

import json
from decimal import Context, Decimal
from typing import Any, NamedTuple, TypeAlias

API_VERSION = "2026-10-28.endive"
EXACT = Context(prec=60)
"""Sums of a billion values of 15 digits fit; the default 28 digits would round them without a word."""

JsonObject: TypeAlias = dict[str, Any]


class Whose(NamedTuple):
    """Whose books: an account's, in one of its two modes."""

    account: str
    livemode: bool


class Bare(str):
    """What stood without quotes in a JSON body: reads like a form's text, and is none where a text is wanted."""

    __slots__ = ()


def encoded(body: JsonObject) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def decimal_text(value: Decimal) -> str:
    return format(value.normalize(EXACT), "f") if value else "0"


def whole_or_none(value: Decimal | None) -> int | None:
    """The integer twin of a `*_decimal` field: null where the decimal has a fraction, as Stripe answers."""
    if value is None or value != value.to_integral_value():
        return None
    return int(value)
