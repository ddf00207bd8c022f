"""A server that belongs to this process: started through a guard, and ended with us whatever kills us.

The guard (`local/guard.py`) is a process of its own that starts the server and holds a pipe to us. When the
pipe closes — we stopped the server, or died, even by SIGKILL — it stops the server and removes what was
temporary.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP_TIMEOUT_S = 30  # the guard's own patience with a server is 10 s


class ServerError(Exception):
    """A server did not start; the text says why, with the end of its log."""


class Server:
    """A running server: `url`, and the means to crash it for a test."""

    def __init__(self, order: dict[str, object]) -> None:
        self._turn = threading.Lock()
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "local.guard", json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for us; the guard hears of it by the pipe
        )
        self.url = str(self._answer()["url"])

    @property
    def pid(self) -> int:
        """The server's process now; another one after `start`."""
        return int(str(self._ask("pid")["pid"]))

    def kill(self) -> None:
        """End the server by SIGKILL, as a crash would; it stays down until `start`."""
        self._ask("kill")

    def start(self) -> None:
        """Start the server again on the same address and the same files."""
        self._ask("start")

    def stop(self) -> None:
        """Stop the server and remove what was temporary; a second call does nothing."""
        for pipe in (self._guard.stdin, self._guard.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._guard.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()  # the server carries a parent-death signal: it follows
            self._guard.wait()

    def _ask(self, command: str) -> dict[str, object]:
        assert self._guard.stdin is not None, "the guard was started with pipes"
        with self._turn:
            self._guard.stdin.write(command + "\n")
            self._guard.stdin.flush()
            return self._answer()

    def _answer(self) -> dict[str, object]:
        assert self._guard.stdout is not None, "the guard was started with pipes"
        line = self._guard.stdout.readline()
        answer: dict[str, object] = json.loads(line) if line else {"error": "the guard ended without a word"}
        if "error" in answer:
            self.stop()
            raise ServerError(str(answer["error"]))
        return answer


@contextmanager
def guarded(kind: str, **options: object) -> Iterator[Server]:
    """Run a server of `kind` (see `local/guard.py`) for the length of the block."""
    server = Server({"kind": kind, **options})
    try:
        yield server
    finally:
        server.stop()
