"""The sandbox as an HTTP server: aiohttp's bare server before the door, without router or middleware.

Bare, because every meter event passes here: at 1,000 calls a second the sandbox must not be what a pipeline waits for.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from functools import partial

from aiohttp import web

from sandbox.admin import ROOT, Admin, UnknownControlError
from sandbox.answer import JSON, refusal
from sandbox.arrival import Arrival, asked_by, secret_of
from sandbox.asked import ControlError
from sandbox.audit import Audit
from sandbox.clock import Clock
from sandbox.courier import Courier
from sandbox.door import Door
from sandbox.errors import server_error, unreadable
from sandbox.faults import Faults
from sandbox.keys import DEFAULT_KEY, Keys
from sandbox.listener import Listener
from sandbox.protocol import JsonServer
from sandbox.sending import send
from sandbox.settings import Settings
from sandbox.timekeeper import Timekeeper
from sandbox.wire import encoded

GRACE_S = 0.1
"""How long open calls may still run once the sandbox is told to end."""
BODY_BYTES_MAX = 2 * 1024 * 1024
"""A stream request of 100 events with long keys, several times over."""


class Sandbox:
    """A whole local Stripe, composed: the parts share one clock."""

    def __init__(self, *, clock: Clock, seed: int = 1, settings: Settings | None = None) -> None:
        self._listener: Listener | None = None
        faults, audit = Faults(), Audit()
        self._courier = Courier()
        self._timekeeper = Timekeeper(clock=clock, deliveries_answered=self._courier.answered)
        keys = Keys(
            seed=seed,
            clock=clock,
            settings=settings or Settings(),
            announce=self._courier.announce,
            rejected=audit.rejected,
        )
        self._door = Door(keys=keys, faults=faults, audit=audit, clock=clock)
        self._admin = Admin(
            clock=clock,
            timekeeper=self._timekeeper,
            keys=keys,
            faults=faults,
            audit=audit,
            courier=self._courier,
        )

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer in JSON, whatever comes: a fault of the sandbox's own is a 500 and told on stderr."""
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            too_large = f"Invalid request: the body is larger than {BODY_BYTES_MAX} bytes."
            return await send(request, refusal(unreadable(too_large, status=413)))
        try:
            if request.path == ROOT or request.path.startswith(f"{ROOT}/"):
                return await self._control(request, body)
            answer = await self._door.respond(_arrival(request, body))
        except Exception:  # noqa: BLE001 - the caller gets an answer whatever the sandbox's fault is
            sys.stderr.write(traceback.format_exc())
            return await send(request, refusal(server_error()))
        if answer.outage_s and self._listener:
            self._listener.close_for(answer.outage_s)
        return await send(request, answer)

    async def serve(self, *, host: str, port: int) -> None:
        """Serves until SIGTERM or SIGINT; tells its address and key on stdout once it accepts. Raises CannotListen."""
        ending = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ending.set)
        read = partial(web.BaseRequest, loop=asyncio.get_running_loop(), client_max_size=BODY_BYTES_MAX)
        server = JsonServer(self.respond, request_factory=read, access_log=None)
        self._listener = Listener(server, grace_s=GRACE_S)
        _tell(host, await self._listener.open(host=host, port=port))
        await self._keep_time(until=ending)
        await self._courier.close()
        await self._listener.close()

    async def _keep_time(self, *, until: asyncio.Event) -> None:
        """Ends with the event; a fault in timekeeping ends the sandbox rather than leave a clock that lies."""
        timekeeping, ended = asyncio.create_task(self._timekeeper.run()), asyncio.create_task(until.wait())
        await asyncio.wait({timekeeping, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        timekeeping.cancel()
        with suppress(asyncio.CancelledError):
            await timekeeping

    async def _control(self, request: web.BaseRequest, body: bytes) -> web.Response:
        query = dict(request.query)
        try:
            found = await self._admin.respond(request.method, request.path, query=query, body=body)
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
        on_behalf_of=request.headers.get("Stripe-Account") or request.headers.get("Stripe-Context"),
    )


def _explained(status: int, message: str, *, field: str | None = None) -> web.Response:
    told = {"error": message} | ({"field": field} if field else {})
    return web.Response(status=status, body=encoded(told), content_type=JSON)


def _tell(host: str, port: int) -> None:
    line = json.dumps({"listening": f"http://{host}:{port}", "key": DEFAULT_KEY, "pid": os.getpid()})
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
