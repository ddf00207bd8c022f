"""The event types there are, as stripe-python knows them: what may be enabled, and which objects thin events point to.

Read from the library rather than copied, so that the sandbox knows what the client that speaks to it knows.
"""

from typing import get_args

from stripe._object_classes import get_object_class
from stripe.events._event_classes import _V2_EVENT_CLASS_LOOKUP
from stripe.params._webhook_endpoint_create_params import WebhookEndpointCreateParams

from sandbox.wire import JsonObject

EVERYTHING = "*"
SNAPSHOT_TYPES: tuple[str, ...] = get_args(get_args(WebhookEndpointCreateParams.__annotations__["enabled_events"])[0])
THIN_TYPES = (EVERYTHING, *_V2_EVENT_CLASS_LOOKUP)
VERSIONS: tuple[str, ...] = get_args(get_args(WebhookEndpointCreateParams.__annotations__["api_version"])[0])


def thin_twin(kind: str) -> str | None:
    """The thin type of a snapshot type; None where there is none."""
    twin = f"v1.{kind}"
    return twin if twin in _V2_EVENT_CLASS_LOOKUP else None


def reference(subject: JsonObject) -> JsonObject | None:
    """`related_object` for this object; None for what has no id, or no address of its own."""
    identity, noun = subject.get("id"), subject.get("object")
    if not isinstance(identity, str) or not isinstance(noun, str):
        return None
    address = getattr(get_object_class("V1", noun), "class_url", None)
    return {"id": identity, "type": noun, "url": f"{address()}/{identity}"} if address else None
