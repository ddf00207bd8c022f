"""The socket that the sandbox listens on, which a fault may close for a while.

While it is closed the port stays bound, so that connections are refused and nobody else takes it.
"""

import asyncio
import os
import socket

from aiohttp import web

BACKLOG = 1_024
"""Connections that may wait to be accepted: hundreds of clients that begin at once are not turned away."""


class CannotListen(Exception):
    """The address is taken, or not this machine's; the text says which and why."""


class Listener:
    def __init__(self, server: web.Server, *, grace_s: float) -> None:
        self._server = server
        self._runner = web.ServerRunner(server, shutdown_timeout=grace_s)
        self._site: web.BaseSite | None = None
        self._outage: asyncio.Task[None] | None = None

    async def open(self, *, host: str, port: int) -> int:
        """Listens; the port, which 0 left to the system. Raises CannotListen."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=BACKLOG)
        try:
            await site.start()
        except OSError as refused:
            reason = os.strerror(refused.errno) if refused.errno and refused.errno > 0 else str(refused)
            raise CannotListen(f"cannot listen on {host}:{port}: {reason}") from refused
        self._site = site
        return int(self._runner.addresses[0][1])

    def close_for(self, outage_s: float) -> None:
        """Refuses connections for that long, from now on; an outage that is under way goes on as it is."""
        if self._outage is None or self._outage.done():
            self._outage = asyncio.get_running_loop().create_task(self._be_out(outage_s))

    async def close(self) -> None:
        if self._outage is not None:
            self._outage.cancel()
            await asyncio.gather(self._outage, return_exceptions=True)
        await self._runner.cleanup()

    async def _be_out(self, outage_s: float) -> None:
        assert self._site is not None, "an outage begins while the sandbox listens"
        addresses = [address[:2] for address in self._runner.addresses]
        await self._site.stop()
        places = [_bound(*address) for address in addresses]
        hung_up = self._hang_up()
        await asyncio.sleep(outage_s)
        for place in places:
            self._site = web.SockSite(self._runner, place, backlog=BACKLOG)
            await self._site.start()
        await hung_up

    def _hang_up(self) -> asyncio.Future[list[None]]:
        """Kept connections would otherwise not notice that nobody listens any more; calls in progress are answered.

        `close` alone would leave an idle one open to a client, and never answer on it.
        """
        connections = self._server.connections
        for connection in connections:
            connection.close()
        return asyncio.gather(*(connection.shutdown() for connection in connections))


def _bound(host: str, port: int) -> socket.socket:
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind((host, port))
    return place
