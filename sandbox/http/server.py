"""The sandbox as an HTTP server: aiohttp's bare server before the door, without router or middleware.

Bare, because every meter event passes here: at 1,000 calls a second the sandbox must not be what a pipeline waits for.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from aiohttp import web

from sandbox.controls.admin import ROOT, UnknownControlError
from sandbox.controls.asked import ControlError
from sandbox.errors import server_error, unreadable
from sandbox.http.answer import JSON, refusal
from sandbox.http.arrival import Arrival, asked_by, secret_of
from sandbox.http.listener import Listener
from sandbox.http.protocol import JsonServer
from sandbox.http.sending import send
from sandbox.keys import DEFAULT_KEY
from sandbox.wire import encoded
from sandbox.world import World

Renew: TypeAlias = Callable[[], Awaitable[None]]

GRACE_S = 0.1
"""How long open calls may still run once the sandbox is told to end."""
BODY_BYTES_MAX = 2 * 1024 * 1024
"""A stream request of 100 events with long keys, several times over."""


class Sandbox:
    """A whole local Stripe behind one port."""

    def __init__(self, make_world: Callable[[Renew], World]) -> None:
        self._make_world = make_world
        self._world = make_world(self._renew)
        self._ending = asyncio.Event()
        self._listener: Listener | None = None

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer in JSON, whatever comes: a fault of the sandbox's own is a 500 and told on stderr."""
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            too_large = f"Invalid request: the body is larger than {BODY_BYTES_MAX} bytes."
            return await send(request, refusal(unreadable(too_large, status=413)))
        if "Content-Encoding" in request.headers:
            return await send(
                request, refusal(unreadable("Invalid request: a body with a Content-Encoding is not read."))
            )
        try:
            if request.path == ROOT or request.path.startswith(f"{ROOT}/"):
                return await self._control(request, body)
            answer = await self._world.door.respond(_arrival(request, body))
        except Exception:  # noqa: BLE001 - the caller gets an answer whatever the sandbox's fault is
            sys.stderr.write(traceback.format_exc())
            return await send(request, refusal(server_error()))
        if answer.outage_s and self._listener:
            self._listener.close_for(answer.outage_s)
        return await send(request, answer)

    async def serve(self, *, host: str, port: int) -> None:
        """Serves until SIGTERM or SIGINT; tells its address and key on stdout once it accepts. Raises CannotListen."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._ending.set)
        read = partial(web.BaseRequest, loop=asyncio.get_running_loop(), client_max_size=BODY_BYTES_MAX)
        server = JsonServer(self.respond, request_factory=read, access_log=None, auto_decompress=False)
        self._listener = Listener(server, grace_s=GRACE_S)
        _tell(host, await self._listener.open(host=host, port=port))
        self._world.start(on_end=self._ending.set)
        await self._ending.wait()
        await self._world.close()
        await self._listener.close()

    async def _renew(self) -> None:
        """Puts a world as at the start in the place of the one there is; calls in it go on to their answers."""
        before, self._world = self._world, self._make_world(self._renew)
        self._world.start(on_end=self._ending.set)
        await before.close()

    async def _control(self, request: web.BaseRequest, body: bytes) -> web.Response:
        query = dict(request.query)
        try:
            found = await self._world.admin.respond(request.method, request.path, query=query, body=body)
        except UnknownControlError as error:
            return _explained(404, f"no such control: {error}")
        except ControlError as error:
            return _explained(400, str(error), field=error.field)
        return web.Response(body=encoded(found), content_type=JSON)


def _arrival(request: web.BaseRequest, body: bytes) -> Arrival:
    query = request.rel_url.raw_query_string
    asked = asked_by(request.path, query, body=body, content_type=request.content_type)
    return Arrival(
        method=request.method,
        path=request.path,
        asked=asked.tree,
        document=asked.document,
        secret=secret_of(request.headers.get("Authorization")),
        idempotency_key=request.headers.get("Idempotency-Key"),
        version=request.headers.get("Stripe-Version"),
        client_request_id=request.headers.get("X-Request-Id"),
        on_behalf_of=request.headers.get("Stripe-Account") or request.headers.get("Stripe-Context"),
    )


def _explained(status: int, message: str, *, field: str | None = None) -> web.Response:
    told = {"error": message} | ({"field": field} if field else {})
    return web.Response(status=status, body=encoded(told), content_type=JSON)


def _tell(host: str, port: int) -> None:
    line = json.dumps({"listening": f"http://{host}:{port}", "key": DEFAULT_KEY, "pid": os.getpid()})
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
