"""Webhook endpoints: where snapshot events go. The secret is told once, at creation.

An endpoint pinned to another API version than the sandbox's own gets the same bodies with that version's name: the
sandbox has the shapes of one version.
"""

from dataclasses import dataclass, replace

from sandbox.calls.call import Call
from sandbox.errors import invalid, missing, no_such
from sandbox.pages import newest_first, page
from sandbox.resources.events import Event
from sandbox.webhooks.announcement import Announcement
from sandbox.webhooks.event_types import EVERYTHING
from sandbox.webhooks.receivers import url_of
from sandbox.webhooks.signing import Signing, first_signing
from sandbox.wire import API_VERSION, JsonObject

ENDPOINTS_MAX = 16
"""Stripe's limit, as its users report it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    id: str
    created: int
    livemode: bool
    url: str
    signing: Signing
    api_version: str | None
    """What its events are rendered as; None is the account's own version."""
    enabled_events: tuple[str, ...]
    description: str | None
    metadata: dict[str, str]
    is_enabled: bool = True

    def may_carry(self, event: Announcement) -> bool:
        return isinstance(event, Event)

    def wants(self, event: Announcement) -> bool:
        return self.may_carry(event) and (EVERYTHING in self.enabled_events or event.type in self.enabled_events)

    def body_of(self, event: Announcement) -> JsonObject:
        assert isinstance(event, Event), "an endpoint wants snapshot events only"
        return event.render(self.api_version or API_VERSION)

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": None,
            "created": self.created,
            "description": self.description,
            "enabled_events": list(self.enabled_events),
            "livemode": self.livemode,
            "metadata": self.metadata,
            "status": "enabled" if self.is_enabled else "disabled",
            "url": self.url,
        }


def create(call: Call) -> JsonObject:
    endpoint = _from_params(call)
    call.books.shelf(WebhookEndpoint)[endpoint.id] = endpoint
    return endpoint.render() | {"secret": endpoint.signing.secret}


def retrieve(call: Call) -> JsonObject:
    endpoint = _existing(call)
    call.params.nothing_else()
    return endpoint.render()


def list_page(call: Call) -> JsonObject:
    found = page(call, newest_first(call, WebhookEndpoint), WebhookEndpoint.render)
    call.params.nothing_else()
    return found


def update(call: Call) -> JsonObject:
    changed = _changed(call, _existing(call))
    call.params.nothing_else()
    call.books.shelf(WebhookEndpoint)[changed.id] = changed
    return changed.render()


def delete(call: Call) -> JsonObject:
    endpoint = _existing(call)
    call.params.nothing_else()
    del call.books.shelf(WebhookEndpoint)[endpoint.id]
    return {"id": endpoint.id, "object": "webhook_endpoint", "deleted": True}


def _from_params(call: Call) -> WebhookEndpoint:
    url, wanted, version = url_of(call, call.params), _enabled_events(call), call.params.text("api_version")
    description, metadata = call.params.text("description"), call.params.metadata()
    _refuse_connect(call)
    call.params.nothing_else()
    if len(call.books.shelf(WebhookEndpoint)) >= ENDPOINTS_MAX:
        raise invalid(f"You have reached the maximum of {ENDPOINTS_MAX} webhook endpoints.", param="url")
    identity = call.books.ids.new("we")
    return WebhookEndpoint(
        id=identity,
        created=call.now,
        livemode=call.books.livemode,
        url=url,
        signing=first_signing(call.books.ids, identity),
        api_version=version,
        enabled_events=wanted,
        description=description,
        metadata=metadata,
    )


def _changed(call: Call, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    params = call.params
    return replace(
        endpoint,
        url=url_of(call, params) if "url" in params else endpoint.url,
        enabled_events=_enabled_events(call) if "enabled_events" in params else endpoint.enabled_events,
        description=params.text_or("description", endpoint.description),
        metadata=params.metadata(endpoint.metadata),
        is_enabled=not params.is_true("disabled") if "disabled" in params else endpoint.is_enabled,
    )


def _enabled_events(call: Call) -> tuple[str, ...]:
    """Which types there are is checked with the other definitions, at the door."""
    wanted = call.params.listed("enabled_events")
    if not wanted:
        raise missing("enabled_events")
    return tuple(dict.fromkeys(wanted))


def _refuse_connect(call: Call) -> None:
    """An endpoint of Connect would hear of other accounts, and the sandbox has no platforms."""
    if call.params.is_true("connect"):
        raise invalid("The sandbox does not act on `connect`.", param="connect")


def _existing(call: Call) -> WebhookEndpoint:
    endpoint = call.books.shelf(WebhookEndpoint).get(call.id)
    if endpoint is None:
        raise no_such("webhook endpoint", call.id)
    return endpoint
