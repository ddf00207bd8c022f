"""Pagination: newest first; in v1 by the ids `starting_after` and `ending_before`, in v2 by addresses with a token."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.http.form import form_of_tree
from sandbox.parameters.params import Params
from sandbox.wire import JsonObject

LIMIT_DEFAULT = 10
LIMIT_MAX = 100
LIMIT_V2_DEFAULT = 20
"""Undocumented; what Stripe's examples of v2 lists show."""


class Identified(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Identified)


def newest_first(call: Call, kind: type[T]) -> Iterable[T]:
    return reversed(call.books.shelf(kind).values())


def page(call: Call, rows: Iterable[T], render: Callable[[T], JsonObject]) -> JsonObject:
    """The page the call asks for; only its rows are rendered."""
    found = list(rows)
    chosen, has_more = _chosen(call, found, _limit(call.params))
    return {"object": "list", "data": [render(row) for row in chosen], "has_more": has_more, "url": call.path}


def page_v2(call: Call, rows: Iterable[T], render: Callable[[T], JsonObject]) -> JsonObject:
    """The page the call asks for, with the addresses of its neighbours; nothing but its rows is rendered."""
    found = list(rows)
    limit = call.params.within("limit", 1, LIMIT_MAX) or LIMIT_V2_DEFAULT
    start, end = _stretch(call, found, limit)
    return {
        "data": [render(row) for row in found[start:end]],
        "next_page_url": _address(call, "after", found[end - 1]) if end < len(found) else None,
        "previous_page_url": _address(call, "before", found[start]) if start else None,
    }


def is_within(params: Params, name: str, stamp: int) -> bool:
    """Whether a stamp meets `created=…` or `created[gt|gte|lt|lte]=…`; True where the call does not ask."""
    if name not in params:
        return True
    exact = params.integer(name) if not params.is_group(name) else None
    if exact is not None:
        return stamp == exact
    bounds = params.group(name)
    above = _at_least(bounds, "gt", stamp - 1) and _at_least(bounds, "gte", stamp)
    return above and _at_most(bounds, "lt", stamp + 1) and _at_most(bounds, "lte", stamp)


def _chosen(call: Call, rows: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    before = call.params.text("ending_before")
    after = call.params.text("starting_after")
    if before is not None and after is not None:
        raise invalid(
            "You may only specify one of these parameters: ending_before, starting_after.", param="ending_before"
        )
    if before is not None:
        end = _position(rows, before, param="ending_before")
        return rows[max(0, end - limit) : end], end > limit
    start = 0 if after is None else _position(rows, after, param="starting_after") + 1
    return rows[start : start + limit], len(rows) > start + limit


def _stretch(call: Call, rows: Sequence[T], limit: int) -> tuple[int, int]:
    token = call.params.text("page")
    if token is None:
        return 0, min(limit, len(rows))
    side, identity = _read_token(token)
    position = _position(rows, identity, param="page")
    if side == "before":
        return max(0, position - limit), position
    return position + 1, min(position + 1 + limit, len(rows))


def _address(call: Call, side: str, row: T) -> str:
    """The same list from behind or before this row; its filters are those of the call."""
    token = urlsafe_b64encode(f"{side}:{row.id}".encode()).decode()
    return f"{call.path}?{form_of_tree({**call.asked, 'page': token})}"


def _read_token(token: str) -> tuple[str, str]:
    try:
        side, _, identity = urlsafe_b64decode(token).decode().partition(":")
    except (Base64Error, ValueError):
        side, identity = "", ""
    if side not in {"after", "before"}:
        raise invalid(f"Invalid page: {token}", param="page")
    return side, identity


def _position(rows: Sequence[T], cursor: str, *, param: str) -> int:
    for position, row in enumerate(rows):
        if row.id == cursor:
            return position
    raise ApiError(400, f"No such object: '{cursor}'", param=param, code="resource_missing")


def _limit(params: Params) -> int:
    return params.within("limit", 1, LIMIT_MAX) or LIMIT_DEFAULT


def _at_least(bounds: Params, name: str, stamp: int) -> bool:
    bound = bounds.integer(name)
    return bound is None or stamp >= bound


def _at_most(bounds: Params, name: str, stamp: int) -> bool:
    bound = bounds.integer(name)
    return bound is None or stamp <= bound
