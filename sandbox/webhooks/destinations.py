"""Where events go: the webhook endpoints of v1 and the event destinations of v2, as the courier sees them.

Two shelves, because each has its own shape on the wire; an endpoint made by one API is not listed by the other.
"""

from dataclasses import replace
from typing import Protocol

from sandbox.books import Books
from sandbox.resources.event_destinations import EventDestination
from sandbox.resources.webhook_endpoints import WebhookEndpoint
from sandbox.webhooks.announcement import Announcement
from sandbox.webhooks.signing import Signing
from sandbox.wire import JsonObject


class Destination(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def signing(self) -> Signing: ...
    @property
    def is_enabled(self) -> bool: ...
    def may_carry(self, event: Announcement) -> bool:
        """Whether it is for events of this kind: snapshot or thin."""

    def wants(self, event: Announcement) -> bool:
        """Whether it is to be told of this event, were it enabled."""

    def body_of(self, event: Announcement) -> JsonObject:
        """The event as it is delivered here."""


def wanting(books: Books, event: Announcement) -> list[Destination]:
    """The enabled destinations of this event, oldest first."""
    return [found for found in _all_of(books) if found.is_enabled and found.wants(event)]


def still_enabled(books: Books, destination_id: str) -> Destination | None:
    """The destination as it is now; None once it is disabled or gone."""
    return next((found for found in _all_of(books) if found.id == destination_id and found.is_enabled), None)


def roll_secret(books: Books, destination_id: str, *, expires_in_s: int) -> Signing | None:
    """Gives it a new secret; None where there is no such destination."""
    endpoint = books.shelf(WebhookEndpoint).get(destination_id)
    destination = books.shelf(EventDestination).get(destination_id)
    found = endpoint or destination
    if found is None:
        return None
    signing = found.signing.rolled(books.ids, destination_id, previous_until=books.now + expires_in_s)
    if endpoint is not None:
        books.shelf(WebhookEndpoint)[destination_id] = replace(endpoint, signing=signing)
    if destination is not None:
        books.shelf(EventDestination)[destination_id] = replace(destination, signing=signing)
    return signing


def _all_of(books: Books) -> list[Destination]:
    return [*books.shelf(WebhookEndpoint).values(), *books.shelf(EventDestination).values()]
