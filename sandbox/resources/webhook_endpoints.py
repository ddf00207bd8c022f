"""Webhook endpoints: where snapshot events go. The secret is told once, at creation."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.call import Call
from sandbox.errors import invalid, missing, no_such
from sandbox.pages import newest_first, page
from sandbox.wire import API_VERSION, JsonObject

ENDPOINTS_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    id: str
    created: int
    livemode: bool
    url: str
    secret: str
    api_version: str
    enabled_events: tuple[str, ...]
    description: str | None
    metadata: dict[str, str]

    def wants(self, kind: str) -> bool:
        return any(fnmatchcase(kind, pattern) for pattern in self.enabled_events)

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
            "status": "enabled",
            "url": self.url,
        }


def create(call: Call) -> JsonObject:
    endpoint = _from_params(call)
    call.books.shelf(WebhookEndpoint)[endpoint.id] = endpoint
    return endpoint.render() | {"secret": endpoint.secret}


def retrieve(call: Call) -> JsonObject:
    return _existing(call).render()


def list_page(call: Call) -> JsonObject:
    return page(call, newest_first(call, WebhookEndpoint), WebhookEndpoint.render)


def delete(call: Call) -> JsonObject:
    endpoint = _existing(call)
    del call.books.shelf(WebhookEndpoint)[endpoint.id]
    return {"id": endpoint.id, "object": "webhook_endpoint", "deleted": True}


def _from_params(call: Call) -> WebhookEndpoint:
    url, wanted = call.params.required("url"), call.params.listed("enabled_events")
    if not wanted:
        raise missing("enabled_events")
    if not url.startswith(("http://", "https://")):
        raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", param="url")
    if len(call.books.shelf(WebhookEndpoint)) >= ENDPOINTS_MAX:
        raise invalid(f"You have reached the maximum of {ENDPOINTS_MAX} webhook endpoints.", param="url")
    identity = call.books.ids.new("we")
    return WebhookEndpoint(
        id=identity,
        created=call.now,
        livemode=call.books.livemode,
        url=url,
        secret=f"whsec_{call.books.ids.letters('secret', identity)}",
        api_version=call.params.text("api_version") or API_VERSION,
        enabled_events=tuple(wanted),
        description=call.params.text("description"),
        metadata=call.params.texts("metadata"),
    )


def _existing(call: Call) -> WebhookEndpoint:
    endpoint = call.books.shelf(WebhookEndpoint).get(call.id)
    if endpoint is None:
        raise no_such("webhook endpoint", call.id)
    return endpoint
