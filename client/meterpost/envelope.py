"""What kombu wraps around a body in Redis, opened without trust.

Anyone who can write to the list can put anything there, and stock kombu's consumer dies of it (and has lost the item
by then). Here an item is an envelope in every part, or it is garbled and kept as it is.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

GARBLED_CONTENT_TYPE: Final = "application/x-garbled"
CONTENT_TYPE_LENGTH_MAX: Final = 100
REDELIVERED_MARK: Final = b"\x1eredelivered\x1e"  # put before a restored item; no JSON can begin with it


def open_item(item: bytes, *, queue: str, tag: str) -> dict[str, Any] | None:
    """The envelope with its body decoded, told where it came from; None when it is garbled."""
    envelope = _open(unmark(item))
    if envelope is None:
        return None
    return envelope | {"properties": _deliver(item, queue=queue, tag=tag)}


def wrap_garbled(item: bytes, *, queue: str, tag: str) -> dict[str, Any]:
    """A garbled item in an envelope, so that it can be claimed and acknowledged like any other."""
    return {
        "body": unmark(item),
        "content-type": GARBLED_CONTENT_TYPE,
        "content-encoding": "binary",
        "headers": {},
        "properties": _deliver(item, queue=queue, tag=tag),
    }


def unmark(item: bytes) -> bytes:
    return item.removeprefix(REDELIVERED_MARK)


def _deliver(item: bytes, *, queue: str, tag: str) -> dict[str, Any]:
    is_redelivered = item.startswith(REDELIVERED_MARK)
    return {
        "delivery_tag": tag,
        "delivery_info": {"exchange": "", "routing_key": queue, "redelivered": is_redelivered},
    }


def _open(item: bytes) -> dict[str, Any] | None:
    try:
        envelope = json.loads(item)
        return envelope | {"body": _decode_body(envelope)} if _is_envelope(envelope) else None
    except (ValueError, RecursionError):
        return None


def _is_envelope(said: object) -> bool:
    return (
        isinstance(said, dict)
        and isinstance(said.get("body"), str)
        and _is_name(said.get("content-type"))
        and isinstance(said.get("content-encoding"), str | None)
        and isinstance(said.get("properties"), dict)
        and isinstance(said.get("headers"), dict)
        # We never compress, and a small item could unfold to any size.
        and "compression" not in said["headers"]
    )


def _is_name(said: object) -> bool:
    # It is told in reasons and logs: no NUL, no line break, no page of text.
    return isinstance(said, str) and said.isprintable() and len(said) <= CONTENT_TYPE_LENGTH_MAX


def _decode_body(envelope: dict[str, Any]) -> bytes:
    encoding = envelope["properties"].get("body_encoding")
    body: str = envelope["body"]
    match encoding:
        case "base64":
            return base64.b64decode(body, validate=True)
        case "utf-8" | None:
            return body.encode()
        case _:
            raise ValueError("an unknown encoding of the body")
