"""A power cut: every process of a server stops where it stands, the disk forgets, and it starts again.

SIGSTOP to all of them first, so that none goes on while another is killed already: PostgreSQL's children would notice
their parent's death and write. Nobody gets a signal that could be answered.
"""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from chaos.power.disk import Disk, Forgotten
from local.guarded import Server

GONE_TIMEOUT_S = 10
GONE_POLL_S = 0.002
PROC = Path("/proc")


class BlindShim(Exception):
    """A server wrote to a file and the shim saw nothing of it; the run would prove nothing."""


@dataclass(slots=True, kw_only=True)
class Powered:
    """A server, and the disk below it."""

    name: str
    server: Server
    disk: Disk
    cuts: int = 0
    forgotten: Forgotten = field(default_factory=Forgotten)
    on_since_ns: int = field(default_factory=time.time_ns)

    def forget(self, chance: Random | None) -> None:
        """Once nothing of it runs. Raises BlindShim."""
        unseen = self.disk.unjournaled(since_ns=self.on_since_ns)
        if unseen:
            raise BlindShim(f"{self.name} wrote past the shim: {', '.join(map(str, unseen))}")
        self.forgotten += self.disk.forget(chance)
        self.cuts += 1
        self.on_since_ns = time.time_ns()


def cut(servers: Sequence[Powered], chance: Random | None) -> None:
    """The power of all these fails at one instant, and comes back. `chance`: the disk forgets only some of it."""
    stopped = {powered.name: _stop(powered.server.pid) for powered in servers}
    for powered in servers:
        _end(powered.server, stopped[powered.name])
        powered.forget(chance)
    for powered in servers:
        powered.server.start()


def _stop(pid: int) -> list[int]:
    """SIGSTOP to a process and all below it, until no new one is found. Returns all of them."""
    stopped: list[int] = []
    while fresh := [one for one in (pid, *_below(pid)) if one not in stopped]:
        for one in fresh:
            _signal(one, signal.SIGSTOP)
        stopped += fresh
    return stopped


def _end(server: Server, stopped: Sequence[int]) -> None:
    """SIGKILL to all; the server itself by its guard, which would start it again otherwise."""
    for pid in stopped[1:]:
        _signal(pid, signal.SIGKILL)
    server.kill()
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while any(_runs(pid) for pid in stopped):
        assert time.monotonic() < deadline, "a killed process ends within seconds"
        time.sleep(GONE_POLL_S)


def _below(pid: int) -> Iterator[int]:
    for children in PROC.glob(f"{pid}/task/*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from _below(child)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _runs(pid: int) -> bool:
    """Whether it may still write: what is dead and not yet buried may not."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
