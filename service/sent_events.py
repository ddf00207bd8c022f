"""An event as Stripe would send it, for trying one's own door: its bytes, and the header that signs them. Pure.

Its object has no id unless one is given, so that it is recorded and changes nothing.
"""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from service.event_types import THIN_TYPES

SENT = "evt_sent_by_hand_"
"""How the ids of these events begin: Stripe has none of them."""


def event_of(
    type_: str, about: Mapping[str, object] | None, *, event_id: str, is_live: bool, api_version: str, now: datetime
) -> bytes:
    """A snapshot, or of a thin type a thin event, whose related object `about` is then."""
    told: dict[str, object] = {"id": event_id, "type": type_, "livemode": is_live}
    if is_thin(type_):
        created = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told |= {"object": "v2.core.event", "created": created, "context": None, "reason": None}
        told |= {"related_object": about}
    else:
        told |= {"object": "event", "created": int(now.timestamp()), "api_version": api_version}
        told |= {"data": {"object": about or {"object": _noun(type_)}}, "pending_webhooks": 1, "request": None}
    return json.dumps(told).encode()


def signature(body: bytes, *, secret: bytes, now: datetime) -> str:
    """The header `Stripe-Signature`."""
    stamp = str(int(now.timestamp()))
    digest = hmac.new(secret, f"{stamp}.".encode() + body, sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def is_thin(type_: str) -> bool:
    return type_ in THIN_TYPES or type_.startswith(("v1.", "v2."))


def _noun(type_: str) -> str:
    """`customer.subscription.updated` is of a subscription, `billing.meter.created` of a billing.meter."""
    words = type_.split(".")[:-1]
    return ".".join(words) if words[:1] == ["billing"] else (words or [type_])[-1]
