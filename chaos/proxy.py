"""Wires that can be hurt: TCP proxies in front of a server, which lose replies, cut connections and stand still.

A lost reply is the cruellest: the request reaches the server and is executed there, the reply is swallowed and the
connection cut, so that the caller cannot know. Which request's reply is lost is told by bytes that the request
contains. All wires of a run are served by one thread.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

PIECE = 65_536
ANSWER_TIMEOUT_S = 10


class Wires:
    """The thread that serves every wire, for the length of a block."""

    def __init__(self) -> None:
        self._open: list[Wire] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)

    def open(self, url: str) -> "Wire":
        """A wire to the server of `url`."""
        wire = Wire(self, url)
        self.run(wire.listen())
        self._open.append(wire)
        return wire

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Have it done in the wires' thread, and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_TIMEOUT_S)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for wire in self._open:
            self.run(wire.close())
        self.run(_all_ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_TIMEOUT_S)
        self._loop.close()


class Wire:
    """One proxy; `url` leads through it. `lost` counts, by the bytes asked for, the replies that it swallowed."""

    def __init__(self, wires: Wires, url: str) -> None:
        self._wires = wires
        self._upstream = urlsplit(url)
        self._to_lose: Counter[bytes] = Counter()
        self._lines: set[_Line] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self.lost: Counter[bytes] = Counter()
        self.cuts = 0

    @property
    def url(self) -> str:
        assert self._server is not None, "opened by Wires.open"
        port = self._server.sockets[0].getsockname()[1]
        user, at, _ = self._upstream.netloc.rpartition("@")
        return urlunsplit(self._upstream._replace(netloc=f"{user}{at}127.0.0.1:{port}"))

    def lose_reply(self, to: bytes, *, times: int = 1) -> None:
        """Lose the replies to the next requests that contain these bytes."""
        self._wires.run(self._lose(to, times))

    def cut(self) -> None:
        """Cut every connection there is."""
        self._wires.run(self._cut())

    def stand_still(self, for_s: float) -> None:
        """Let nothing through for a while; returns at once."""
        self._wires.run(self._stand_still(for_s))

    def heal(self) -> None:
        """Lose nothing more."""
        self._wires.run(self._heal())

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._heal()
        await self._cut()

    async def _lose(self, to: bytes, times: int) -> None:
        self._to_lose[to] += times

    async def _cut(self) -> None:
        self.cuts += len(self._lines)
        for line in list(self._lines):
            line.cut()

    async def _stand_still(self, for_s: float) -> None:
        self._flows.clear()
        asyncio.get_running_loop().call_later(for_s, self._flows.set)

    async def _heal(self) -> None:
        self._to_lose.clear()
        for line in self._lines:
            line.doom = None
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._upstream.hostname, self._upstream.port
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.transport.abort()
            return
        line = _Line(writer, upstream_writer)
        self._lines.add(line)
        try:
            await asyncio.gather(
                self._pump(reader, upstream_writer, look=lambda piece: self._mark(line, piece)),
                self._pump(upstream_reader, writer, look=lambda _: self._lose_on(line)),
            )
        except (OSError, asyncio.IncompleteReadError):
            line.cut()
        finally:
            self._lines.discard(line)
            if line.doom is not None:  # it ended before there was a reply to lose: the next one is lost instead
                self._to_lose[line.doom] += 1

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, look: Callable[[bytes], bool]
    ) -> None:
        """Pass on what comes, until it ends or `look` says that it must not get through."""
        while (piece := await reader.read(PIECE)) and look(piece):
            await self._flows.wait()
            writer.write(piece)
            await writer.drain()
        writer.close()

    def _mark(self, line: "_Line", piece: bytes) -> bool:
        doom = next((to for to in self._to_lose if to in piece), None)
        if doom is not None and line.doom is None:
            line.doom = doom
            self._to_lose -= Counter([doom])
        return True

    def _lose_on(self, line: "_Line") -> bool:
        if line.doom is None:
            return True
        self.lost[line.doom] += 1
        line.doom = None
        line.cut()
        return False


class _Line:
    """One connection through a wire: both of its ends, and the request whose reply it must lose."""

    def __init__(self, *ends: asyncio.StreamWriter) -> None:
        self._ends = ends
        self.doom: bytes | None = None

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()
            end.close()


async def _all_ended() -> None:
    """What still runs in this loop comes to its end."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await asyncio.sleep(0)  # for the sockets of what was aborted
