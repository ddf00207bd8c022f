"""Stripe's second wire format: JSON bodies in, errors of another shape out, for everything under `/v2`.

A JSON body becomes the same tree as a form, scalars as strings and lists as numbered branches, so endpoints do not see
which wire a call came by.
"""

import json
from decimal import Decimal
from typing import Any, NoReturn

from sandbox.errors import ApiError
from sandbox.http.form import DEPTH_MAX, Tree, UnreadableError
from sandbox.wire import JsonObject

VALUES_MAX = 5_000
"""A stream request of 100 events with a dozen keys each, and room."""
CODES = {
    400: "invalid_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    413: "request_too_large",
    429: "rate_limit",
}
"""v2 errors always carry a code; what stands here is told where the refusal has none of its own. Undocumented."""


def is_v2(path: str) -> bool:
    return path.startswith("/v2/")


def document_of(text: str) -> JsonObject:
    """The JSON object as it was sent; decimals keep their digits. UnreadableError where it is none."""
    if not text.strip():
        return {}
    try:
        parsed = json.loads(text, parse_float=Decimal, parse_constant=_refused_constant)
    except (ValueError, RecursionError) as wrong:
        raise UnreadableError("Invalid request: the body could not be parsed as JSON.") from wrong
    if not isinstance(parsed, dict):
        raise UnreadableError("Invalid request: the body must be a JSON object.")
    return parsed


def tree_of_document(document: JsonObject) -> Tree:
    """The object as a tree; UnreadableError where it is too deep or too large.

    null is the empty string, with which forms unset a parameter.
    """
    return _Planter().tree(document, depth=0)


def error_body(error: ApiError) -> JsonObject:
    """The error as v2 tells it: always with a code, and the limiter by a type of its own."""
    is_limiter = error.code == "rate_limit"
    told: JsonObject = {
        "code": error.code or CODES.get(error.status, "api_error"),
        "message": error.message,
        "type": "rate_limit" if is_limiter else error.kind,
    }
    if error.param is not None:
        told["param"] = error.param
    return {"error": told}


class _Planter:
    """Grows the tree, and counts, so that a small body cannot become a large one."""

    def __init__(self) -> None:
        self._values = 0

    def tree(self, branch: dict[str, Any], *, depth: int) -> Tree:
        if depth > DEPTH_MAX:
            raise UnreadableError(f"Invalid request: parameters are nested deeper than {DEPTH_MAX} levels.")
        return {_clean(name): self._grown(value, depth=depth + 1) for name, value in branch.items()}

    def _grown(self, value: Any, *, depth: int) -> "str | Tree":
        self._values += 1
        if self._values > VALUES_MAX:
            raise UnreadableError(f"Invalid request: there are more than {VALUES_MAX} parameters.")
        if isinstance(value, dict):
            return self.tree(value, depth=depth)
        if isinstance(value, list):
            return self.tree({str(index): member for index, member in enumerate(value)}, depth=depth)
        return _clean(_scalar(value))


def _scalar(value: str | bool | int | Decimal | None) -> str:  # noqa: FBT001 - a JSON scalar, not a switch
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _clean(text: str) -> str:
    if "\0" in text:
        raise UnreadableError("A parameter contains a null byte.")
    try:
        text.encode()
    except UnicodeEncodeError as wrong:
        raise UnreadableError("Invalid request: a parameter contains half a surrogate pair.") from wrong
    return text


def _refused_constant(name: str) -> NoReturn:
    raise UnreadableError(f"Invalid request: {name} is no JSON.")
