"""Where Stripe pushes events: a webhook endpoint for snapshots (v1), an event destination for thin ones (v2).

A destination has one style, so there are two of them, and two secrets, each told once: at creation.
Source: docs.stripe.com/api/webhook_endpoints, /api/v2/core/event_destinations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from service.stripe_events import PAGE, Reads
from service.stripe_words import plain

NAME = "meterpost"
URL, SECRET = "webhook_endpoint.url", "webhook_endpoint.signing_secret"


class Style(StrEnum):
    """What a destination is told of an event."""

    SNAPSHOT = "snapshot"
    THIN = "thin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """`api_version` None: the account's own, and of thin events always. `secret`: at its creation alone."""

    style: Style
    destination_id: str
    url: str | None
    types: tuple[str, ...]
    api_version: str | None
    is_enabled: bool
    secret: str | None = None


class StripeDestinations:
    def __init__(self, client: Any, read: Reads) -> None:
        self._client = client
        self._read = read

    def list_destinations(self, style: Style) -> list[Destination]:
        """All of a kind; Stripe lets an account have some sixteen. Of v2, those that are webhook endpoints."""
        if style is Style.SNAPSHOT:
            listed: Any = self._client.v1.webhook_endpoints.list
            return self._read(
                lambda: listed({"limit": PAGE}), parse=lambda found: [_endpoint(one) for one in found.data]
            )
        listed = self._client.v2.core.event_destinations.list
        return self._read(lambda: listed({"include": [URL], "limit": PAGE}), parse=_thin_ones)

    def create_destination(self, style: Style, url: str, *, types: Sequence[str], api_version: str) -> Destination:
        """With its secret. A snapshot's object is told as in `api_version` for ever."""
        if style is Style.SNAPSHOT:
            create: Any = self._client.v1.webhook_endpoints.create
            asked: dict[str, Any] = {"url": url, "enabled_events": list(types), "api_version": api_version}
            return self._read(lambda: create({**asked, "description": NAME}), parse=_endpoint)
        create = self._client.v2.core.event_destinations.create
        asked = {"name": NAME, "type": "webhook_endpoint", "event_payload": "thin", "enabled_events": list(types)}
        asked |= {"webhook_endpoint": {"url": url}, "include": [SECRET, URL]}
        return self._read(lambda: create(asked), parse=_thin)

    def set_types(self, destination: Destination, types: Sequence[str]) -> Destination:
        asked: dict[str, Any] = {"enabled_events": list(types)}
        if destination.style is Style.SNAPSHOT:
            update: Any = self._client.v1.webhook_endpoints.update
            return self._read(lambda: update(destination.destination_id, asked), parse=_endpoint)
        update = self._client.v2.core.event_destinations.update
        return self._read(lambda: update(destination.destination_id, {**asked, "include": [URL]}), parse=_thin)


def _endpoint(found: Any) -> Destination:
    told = plain(found)
    return Destination(
        style=Style.SNAPSHOT,
        destination_id=told["id"],
        url=told["url"],
        types=tuple(told["enabled_events"]),
        api_version=told.get("api_version"),
        is_enabled=told["status"] == "enabled",
        secret=told.get("secret"),
    )


def _thin_ones(found: Any) -> list[Destination]:
    thin = [one for one in found.data if (one.type, one.event_payload) == ("webhook_endpoint", "thin")]
    return [_thin(one) for one in thin]


def _thin(found: Any) -> Destination:
    told = plain(found)
    endpoint = told.get("webhook_endpoint") or {}
    return Destination(
        style=Style.THIN,
        destination_id=told["id"],
        url=endpoint.get("url"),
        types=tuple(told["enabled_events"]),
        api_version=None,
        is_enabled=told["status"] == "enabled",
        secret=endpoint.get("signing_secret"),
    )
