"""Requests as a server hands them to the door: drawn from a seed, called without a socket."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from random import Random
from typing import Any

from chaos.door.bodies import any_body, event
from chaos.door.signatures import forged, genuine

PATH = "/stripe/webhook"
GENUINE = 0.02  # of all requests: good events, well signed
SIGNED = 0.1  # anything, well signed
ELSEWHERE = 0.03
OTHER_METHODS = 0.03
METHODS = ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "", "é", "post")
PATHS = (
    "/",
    "/stripe/webhook/",
    "//stripe/webhook",
    "/stripe/webhook\x00",
    "/\xff\xfe",
    "/..",
    "/" + "a" * 2_000,
    "*",
    "",
)
TYPES = (
    "application/json",
    "text/xml",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "\xff",
    "a" * 3_000,
    "",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    body: bytes
    signature: str | None
    is_signed: bool  # as Stripe signs, now
    method: str = "POST"
    path: str = PATH
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_at_the_door(self) -> bool:
        return self.path == PATH


def calls(chance: Random, number: int) -> Iterator[Call]:
    for _ in range(number):
        yield _call(chance)


def _call(chance: Random) -> Call:
    draw = chance.random()
    if draw < GENUINE:
        body = event(chance)
        return Call(body=body, signature=genuine(body, int(time.time())), is_signed=True)
    body = any_body(chance)
    if draw < SIGNED:
        return Call(body=body, signature=genuine(body, int(time.time())), is_signed=True, headers=_headers(chance))
    return Call(
        body=body,
        signature=forged(chance, body, int(time.time())),
        is_signed=False,
        method=chance.choice(METHODS) if chance.random() < OTHER_METHODS else "POST",
        path=chance.choice(PATHS) if chance.random() < ELSEWHERE else PATH,
        headers=_headers(chance),
    )


def _headers(chance: Random) -> dict[str, str]:
    if chance.random() < 0.8:
        return {}
    return {
        "CONTENT_TYPE": chance.choice(TYPES),
        "HTTP_X_FORWARDED_FOR": chance.randbytes(20).decode("latin-1"),
        "HTTP_HOST": chance.choice(["", "a b", "[::1", "é", "x" * 300, "localhost:99999"]),
        "HTTP_COOKIE": chance.randbytes(50).decode("latin-1"),
        "QUERY_STRING": chance.choice(["a=b", "%", "\xff", "&" * 500]),
        "HTTP_TRANSFER_ENCODING": "chunked",
    }


def environ(call: Call) -> dict[str, Any]:
    """As gunicorn makes it: the body's end is known, its length need not be told truly."""
    made: dict[str, Any] = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": call.path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_LENGTH": str(len(call.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(call.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    signed = {} if call.signature is None else {"HTTP_STRIPE_SIGNATURE": call.signature}
    return made | signed | call.headers
