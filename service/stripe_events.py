"""Stripe's two lists of events, read page by page: snapshots (`/v1/events`) and thin ones (`/v2/core/events`).

Both are newest first and kept for 30 days. A page's events come as bytes, to be read as those of a webhook are.
Source: docs.stripe.com/api/events/list, /api/v2/core/events/list.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import ceil, floor
from typing import Any, Protocol, TypeVar

from service.stripe_words import plain

PAGE = 100  # Stripe's most
Found = TypeVar("Found")


class Stream(StrEnum):
    """One of the two lists."""

    SNAPSHOT = "v1"
    THIN = "v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsPage:
    """The bodies of a page's events, and where the list goes on; None: nowhere."""

    bodies: list[bytes]
    following: str | None


class Reads(Protocol):
    """As the gateway reads: limited, and with our exceptions."""

    def __call__(self, call: Callable[[], Any], *, parse: Callable[[Any], Found]) -> Found: ...


class StripeEvents:
    def __init__(self, client: Any, read: Reads) -> None:
        self._client = client
        self._read = read

    def list_events(
        self, stream: Stream, types: Sequence[str], *, since: datetime, until: datetime, page: str | None
    ) -> EventsPage:
        """One page of what Stripe created in [since, until), in whole seconds around both; `page` as the last one said.

        At most 20 types. Raises StripeUnavailable, or StripeRefused, also of a `page` that Stripe has forgotten.
        """
        match stream:
            case Stream.SNAPSHOT:
                bounds: dict[str, Any] = {"gte": floor(since.timestamp()), "lt": ceil(until.timestamp())}
                asked = {"types": list(types), "created": bounds, "limit": PAGE}
                asked |= {} if page is None else {"starting_after": page}
                return self._read(lambda: self._client.v1.events.list(asked), parse=_snapshots)
            case Stream.THIN if page is None:
                bounds = {"gte": _rfc3339(floor(since.timestamp())), "lt": _rfc3339(ceil(until.timestamp()))}
                asked = {"types": list(types), "created": bounds, "limit": PAGE}
                return self._read(lambda: plain(self._client.v2.core.events.list(asked)), parse=_thin)
            case Stream.THIN:
                return self._read(lambda: self._client.raw_request("get", page).data, parse=_thin)


def _snapshots(found: Any) -> EventsPage:
    following = found.data[-1].id if found.has_more else None
    return EventsPage(bodies=[_body(plain(each)) for each in found.data], following=following)


def _thin(told: dict[str, Any]) -> EventsPage:
    following = told.get("next_page_url")
    if following is not None and not str(following).startswith("/v2/"):
        raise ValueError("a next page is an address of Stripe's")
    return EventsPage(bodies=[_body(each) for each in told["data"]], following=following)


def _body(told: dict[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode()


def _rfc3339(stamp: int) -> str:
    return datetime.fromtimestamp(stamp, UTC).isoformat().replace("+00:00", "Z")
