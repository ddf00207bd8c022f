"""Words and objects of Stripe's as they come, made fit for us: without the library that they came through."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

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
    plain: dict[str, Any] = found.to_dict(for_json=True)
    return plain


def told(response: Any) -> dict[str, Any]:
    """The object of a raw response; TypeError where it is none."""
    if not isinstance(response.data, dict):
        raise TypeError("Stripe answered 200 with no object")
    return response.data
