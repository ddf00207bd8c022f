"""Event destinations, `/v2/core/event_destinations`: where thin events go, or snapshots. One kind of payload each.

The secret is told once, at creation, and only where it is asked for with `include`.
"""

from dataclasses import dataclass, replace

from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, missing
from sandbox.pages import newest_first, page_v2
from sandbox.resources.core_events import CoreEvent, not_found, record_ping
from sandbox.resources.events import Event
from sandbox.rfc3339 import text_of
from sandbox.webhooks.announcement import Announcement
from sandbox.webhooks.event_types import EVERYTHING, SNAPSHOT_TYPES, THIN_TYPES, VERSIONS
from sandbox.webhooks.receivers import url_of
from sandbox.webhooks.signing import Signing, first_signing
from sandbox.wire import API_VERSION, JsonObject

DESTINATIONS_MAX = 16
"""As for the endpoints of v1, each counted on its own."""
PAYLOADS = ("thin", "snapshot")
OWN = "@self"
SECRET, URL = "webhook_endpoint.signing_secret", "webhook_endpoint.url"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDestination:
    id: str
    created: int
    updated: int
    livemode: bool
    name: str
    description: str
    enabled_events: tuple[str, ...]
    event_payload: str
    snapshot_api_version: str | None
    url: str
    signing: Signing
    metadata: dict[str, str]
    is_enabled: bool = True

    def may_carry(self, event: Announcement) -> bool:
        return isinstance(event, CoreEvent if self.event_payload == "thin" else Event)

    def wants(self, event: Announcement) -> bool:
        if isinstance(event, CoreEvent) and event.only_for is not None:
            return event.only_for == self.id
        return self.may_carry(event) and (EVERYTHING in self.enabled_events or event.type in self.enabled_events)

    def body_of(self, event: Announcement) -> JsonObject:
        if isinstance(event, CoreEvent):
            return event.render_delivered()
        assert isinstance(event, Event), "there are events of two kinds"
        return event.render(self.snapshot_api_version or API_VERSION)

    def render(self, included: frozenset[str]) -> JsonObject:
        return {
            "id": self.id,
            "object": "v2.core.event_destination",
            "created": text_of(self.created),
            "description": self.description,
            "enabled_events": list(self.enabled_events),
            "event_payload": self.event_payload,
            "events_from": [OWN],
            "livemode": self.livemode,
            "metadata": self.metadata,
            "name": self.name,
            "snapshot_api_version": self.snapshot_api_version,
            "status": "enabled" if self.is_enabled else "disabled",
            "status_details": None if self.is_enabled else {"disabled": {"reason": "user"}},
            "type": "webhook_endpoint",
            "updated": text_of(self.updated),
            "webhook_endpoint": {
                "signing_secret": self.signing.secret if SECRET in included else None,
                "url": self.url if URL in included else None,
            },
        }


def create(call: Call) -> JsonObject:
    included = _included(call, (SECRET, URL))
    destination = _from_params(call)
    _keep(call, destination)
    return destination.render(included)


def retrieve(call: Call) -> JsonObject:
    included, destination = _included(call, (URL,)), _existing(call)
    call.params.nothing_else()
    return destination.render(included)


def list_page(call: Call) -> JsonObject:
    included = _included(call, (URL,))
    found = page_v2(call, newest_first(call, EventDestination), lambda destination: destination.render(included))
    call.params.nothing_else()
    return found


def update(call: Call) -> JsonObject:
    included, changed = _included(call, (URL,)), _changed(call, _existing(call))
    call.params.nothing_else()
    _keep(call, changed)
    return changed.render(included)


def delete(call: Call) -> JsonObject:
    destination = _existing(call)
    call.params.nothing_else()
    del call.books.shelf(EventDestination)[destination.id]
    return {"id": destination.id, "object": "v2.core.event_destination"}


def enable(call: Call) -> JsonObject:
    return _switched(call, is_enabled=True)


def disable(call: Call) -> JsonObject:
    return _switched(call, is_enabled=False)


def ping(call: Call) -> JsonObject:
    """Sends an event to this destination alone, whatever types it wants."""
    destination = _existing(call)
    call.params.nothing_else()
    return record_ping(call, destination.id).render_fetched()


def _switched(call: Call, *, is_enabled: bool) -> JsonObject:
    included, destination = _included(call, (URL,)), _existing(call)
    call.params.nothing_else()
    switched = replace(destination, is_enabled=is_enabled, updated=call.now)
    _keep(call, switched)
    return switched.render(included)


def _from_params(call: Call) -> EventDestination:
    params = call.params
    payload = params.required_choice("event_payload", PAYLOADS)
    _refuse_elsewhere(call)
    wanted, version = _enabled_events(call, payload), _snapshot_version(call, payload)
    name, description = params.required("name"), params.text("description") or ""
    url, metadata = url_of(call, params.group("webhook_endpoint")), params.metadata()
    params.nothing_else()
    if len(call.books.shelf(EventDestination)) >= DESTINATIONS_MAX:
        raise invalid(
            f"You have reached the maximum of {DESTINATIONS_MAX} event destinations.", param="webhook_endpoint"
        )
    identity = call.books.ids.new("ed")
    return EventDestination(
        id=identity,
        created=call.now,
        updated=call.now,
        livemode=call.books.livemode,
        name=name,
        description=description,
        enabled_events=wanted,
        event_payload=payload,
        snapshot_api_version=version,
        url=url,
        signing=first_signing(call.books.ids, identity),
        metadata=metadata,
    )


def _refuse_elsewhere(call: Call) -> None:
    """The clouds' buses, and other accounts' events, are not of this sandbox."""
    if call.params.required("type") != "webhook_endpoint":
        raise invalid("The sandbox delivers to destinations of type `webhook_endpoint` alone.", param="type")
    if any(source != OWN for source in call.params.listed("events_from")):
        raise invalid(f"The sandbox acts on events from `{OWN}` alone.", param="events_from")


def _changed(call: Call, destination: EventDestination) -> EventDestination:
    params, payload = call.params, destination.event_payload
    is_moved = "webhook_endpoint" in params
    return replace(
        destination,
        updated=call.now,
        name=params.required("name") if "name" in params else destination.name,
        description=params.text("description") or "" if "description" in params else destination.description,
        enabled_events=_enabled_events(call, payload) if "enabled_events" in params else destination.enabled_events,
        url=url_of(call, params.group("webhook_endpoint")) if is_moved else destination.url,
        metadata=params.metadata(destination.metadata),
    )


def _enabled_events(call: Call, payload: str) -> tuple[str, ...]:
    wanted = call.params.listed("enabled_events")
    known = THIN_TYPES if payload == "thin" else SNAPSHOT_TYPES
    if not wanted:
        raise missing("enabled_events")
    if unknown := [kind for kind in wanted if kind not in known]:
        raise invalid(f"Invalid event type for {payload} events: {unknown[0]:.100}", param="enabled_events")
    return tuple(dict.fromkeys(wanted))


def _snapshot_version(call: Call, payload: str) -> str | None:
    version = call.params.text("snapshot_api_version")
    if payload == "thin" and version is not None:
        raise _wrong_version("Thin events have no API version; do not provide `snapshot_api_version`.")
    if version is not None and version not in VERSIONS:
        raise _wrong_version(f"Invalid Stripe API version: {version:.100}")
    return version if payload == "thin" else version or API_VERSION


def _wrong_version(message: str) -> ApiError:
    return invalid(message, param="snapshot_api_version")


def _included(call: Call, known: tuple[str, ...]) -> frozenset[str]:
    wanted = call.params.listed("include")
    if unknown := [name for name in wanted if name not in known]:
        raise invalid(f"Invalid include: {unknown[0]:.100}", param="include")
    return frozenset(wanted)


def _existing(call: Call) -> EventDestination:
    destination = call.books.shelf(EventDestination).get(call.id)
    if destination is None:
        raise not_found("event destination", call.id)
    return destination


def _keep(call: Call, destination: EventDestination) -> None:
    call.books.shelf(EventDestination)[destination.id] = destination
