"""Cursor pagination as all v1 lists have it: newest first, ten a page, `starting_after` and `ending_before`."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from sandbox.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.params import Params
from sandbox.wire import JsonObject

LIMIT_DEFAULT = 10
LIMIT_MAX = 100


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
