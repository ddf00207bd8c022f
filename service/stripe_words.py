"""Words and objects of Stripe's as they come, made fit for us: without the library that they came through."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

DIGITS_MAX = 100  # of a decimal that is written out; Stripe's have below 30, and 1E+999999 would be a megabyte of zeros
WORDS_MAX = 500  # characters of a text that is kept of an answer; Stripe's own are below 200

Found = TypeVar("Found")


def clean(words: object) -> str:
    """As the ledger and a log can hold it: short, without NUL and without halves of characters."""
    return str(words or "")[:WORDS_MAX].replace("\0", "").encode("utf-8", "replace").decode()


def is_stripes_error(body: str) -> bool:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return False
    error = said.get("error") if isinstance(said, dict) else None
    return isinstance(error, dict) and all(
        isinstance(error.get(name), str | None) for name in ("type", "code", "message")
    )


def page_of(found: Any, *, parse: Callable[[Any], Found]) -> tuple[list[Found], str | None]:
    """The page's objects, and the id to go on after where there are more."""
    return [parse(each) for each in found.data], found.data[-1].id if found.has_more else None


def plain(found: Any) -> dict[str, Any]:
    """An object of the library's as the JSON that came: its own `for_json` would write 0.0000001 as 1E-7."""
    plain: dict[str, Any] = _as_told(found.to_dict())
    return plain


def told(response: Any) -> dict[str, Any]:
    """The object of a raw response; TypeError where it is none."""
    if not isinstance(response.data, dict):
        raise TypeError("Stripe answered 200 with no object")
    return response.data


def _as_told(value: Any) -> Any:
    match value:
        case Decimal():
            return f"{value:f}" if abs(value.adjusted()) < DIGITS_MAX else str(value)
        case dict():
            return {name: _as_told(inside) for name, inside in value.items()}
        case list():
            return [_as_told(inside) for inside in value]
        case _:
            return value
