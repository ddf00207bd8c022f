"""Bodies that come to a door: events, nearly events, and bytes that are none."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

EVENT_IDS = 200  # few, so that what is recorded stays small
LIMIT = 256 * 1024
TOO_DEEP = 100_000
FIELDS = ("id", "object", "type", "created", "livemode", "data", "api_version", "account", "related_object", "context")
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    10**12,
    10**400,
    1e308,
    "",
    "\x00",
    "\ud800",
    "é" * 300,
    "evt_\n",
    "x" * 5_000,
    [],
    {},
    [[]],
    {"object": None},
    {"object": {"id": "\x00"}},
    {"object": {"id": "\ud800"}},
    {"object": [1]},
    {"id": 1},
)


def event(chance: Random) -> bytes:
    """A good one, of any age of Stripe's API."""
    return json.dumps(_event(chance)).encode()


def any_body(chance: Random) -> bytes:
    return chance.choice(KINDS)(chance)


def _event(chance: Random) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": f"evt_{chance.randrange(EVENT_IDS)}",
        "object": "event",
        "api_version": chance.choice(["2013-02-13", "2026-10-28.endive", None]),
        "created": 1_790_000_000 + chance.randrange(1_000),
        "type": chance.choice(["customer.created", "invoice.paid", "a.type.of.tomorrow"]),
        "livemode": False,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
    }
    if chance.random() < 0.3:
        told |= {"object": "v2.core.event", "created": "2026-11-20T00:00:05.000Z"}
    return told


def _odd_field(chance: Random) -> bytes:
    return json.dumps(_event(chance) | {chance.choice(FIELDS): chance.choice(ODD_VALUES)}).encode()


def _missing_field(chance: Random) -> bytes:
    told = _event(chance)
    del told[chance.choice(list(told))]
    return json.dumps(told).encode()


def _flipped(chance: Random) -> bytes:
    body = bytearray(event(chance))
    for _ in range(chance.randint(1, 3)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body)


def _cut(chance: Random) -> bytes:
    body = event(chance)
    return body[: chance.randrange(len(body))]


def _other_encoding(chance: Random) -> bytes:
    return event(chance).decode().encode(chance.choice(["utf-16", "utf-16-le", "utf-32", "utf-7", "utf-8-sig"]))


def _nested(chance: Random) -> bytes:
    depth = chance.choice([31, 32, 33, 1_000, TOO_DEEP])
    opened, closed = chance.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return opened * depth + chance.choice([b"", b"1" + closed * depth])


def _twice(chance: Random) -> bytes:
    return event(chance).replace(b"{", b'{"livemode": true, "id": "evt_x", ', 1)


def _noise(chance: Random) -> bytes:
    return chance.randbytes(chance.choice([0, 1, 10, 1_000]))


def _words(chance: Random) -> bytes:
    return chance.choice(
        [b"null", b"[]", b"{}", b'""', b"NaN", b"9" * 5_000, b"-", b"payload=%7B%7D", b"<xml/>", b"\xff\xfe"]
    )


def _large(chance: Random) -> bytes:
    return event(chance).ljust(chance.choice([LIMIT - 1, LIMIT, LIMIT + 1, 2 * LIMIT]))


COMMON: tuple[Callable[[Random], bytes], ...] = (
    event,
    _odd_field,
    _missing_field,
    _flipped,
    _cut,
    _other_encoding,
    _twice,
    _noise,
    _words,
)
KINDS = COMMON * 20 + (_nested, _nested, _large)  # what is large is rare, as it costs as much as a thousand others
