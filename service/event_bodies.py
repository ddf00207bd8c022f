"""Stripe's event, pushed or listed, read from its bytes. Total: whatever the bytes, an `Event` or None, no exception.

Only the envelope is read here, of a snapshot (`event`) or a thin event (`v2.core.event`); the object inside is for
`apply`. Unknown types and missing objects are events all the same: refusing one would delay every invoice.
Source: docs.stripe.com/api/events/object, /api/v2/core/events/object.
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn

from service.ledger.events import Event
from service.mirrors import DEPTH_MAX, Json, inner, instant, word

ENVELOPE = ("object", "type", "created", "livemode")
UNTYPED = "untyped"  # no type of Stripe's has this name
_WITHOUT: dict[str, Json] = {"object": "event", "type": UNTYPED, "created": 0, "livemode": False}
_ID = re.compile(r"evt_[A-Za-z0-9_]{1,64}")


def parse(body: bytes) -> Event | None:
    """The event that `body` carries; None when it carries none."""
    told = _loaded(body)
    if not isinstance(told, dict):
        return None
    match told:
        case {"object": "event", "id": str(event_id), "type": str(type_), "livemode": bool(is_live)}:
            created_at, object_ = instant(told.get("created")), inner(told.get("data"), "object")
        case {"object": "v2.core.event", "id": str(event_id), "type": str(type_), "livemode": bool(is_live)}:
            created_at, object_ = rfc3339(told.get("created")), told.get("related_object")
        case _:
            return None
    if created_at is None or _ID.fullmatch(event_id) is None or word(type_) is None:
        return None
    return Event(
        event_id=event_id,
        type=type_,
        api_version=word(told.get("api_version")),
        is_live=is_live,
        created_at=created_at,
        object_id=word(inner(object_, "id")),
        body=body,
    )


def parse_lacking(body: bytes, *, received_at: datetime) -> Event | None:
    """An event that `parse` does not take because its envelope lacks fields: kept, and ignored; None for all else.

    It needs an id, or nothing could be kept under it. Nothing is guessed of what it lacks, but that it was created when
    it came. A field that is there and wrong is no lack.
    """
    told = _loaded(body)
    if not isinstance(told, dict):
        return None
    lacking = [name for name in ENVELOPE if name not in told]
    whole = parse(json.dumps(_WITHOUT | told).encode()) if lacking else None
    if whole is None:
        return None
    return replace(
        whole,
        is_live=whole.is_live if "livemode" in told else None,
        created_at=whole.created_at if "created" in told else received_at,
        body=body,
        lacking=f"its envelope lacks {', '.join(lacking)}",
    )


def _loaded(body: bytes) -> Json:
    try:
        told: Json = json.loads(body.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, a number of 5,000 digits, nesting without end
        return None
    return told if _is_shallow(told, DEPTH_MAX) else None


def _without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Two readers could take different ones of two values under one name."""
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return told


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_shallow(value: Json, levels: int) -> bool:
    match value:
        case dict():
            return levels > 0 and all(_is_shallow(inside, levels - 1) for inside in value.values())
        case list():
            return levels > 0 and all(_is_shallow(inside, levels - 1) for inside in value)
        case _:
            return True


def rfc3339(value: Json) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        told = datetime.fromisoformat(value)
        return told.astimezone(UTC) if told.tzinfo is not None else None
    except (ValueError, OverflowError):  # the edges of the year 1 and 9999 have no UTC
        return None
