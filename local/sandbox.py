"""A sandbox of Stripe as a child: started as a program and spoken to over HTTP, never imported."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.guarded import ROOT, Server, guarded
from local.parent import tethered

ANSWER_TIMEOUT_S = 30
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # 127.0.0.1 is never behind a proxy


@contextmanager
def sandbox(*, port: int | None = None) -> Iterator[Server]:
    """Run the sandbox on 127.0.0.1; its books end with the block."""
    with guarded("sandbox", port=port) as server:
        yield server


def make_key(url: str, key: str, *, account: str, livemode: bool = False) -> None:
    """Make `key` a key of `account` at the sandbox at `url`."""
    ask_sandbox(url, "/_sandbox/keys", {"key": key, "account": account, "livemode": livemode})


def ask_sandbox(url: str, path: str, body: Mapping[str, Any] | None = None, *, method: str | None = None) -> Any:
    """GET `path` of the sandbox's own door, or POST `body` to it, or as `method` says; the parsed JSON answer.

    Raises urllib.error.HTTPError when the sandbox refuses.
    """
    request = urllib.request.Request(url + path, method=method)  # noqa: S310 - the sandbox's own address
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with DIRECT.open(request, timeout=ANSWER_TIMEOUT_S) as answer:
        return json.load(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """How the guard starts it and knows it: its first line on stdout names its address."""

    directory: Path
    port: int
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        return str(self._first_line()["listening"])

    @property
    def log(self) -> Path:
        return self.directory / "sandbox.log"

    def launch(self) -> subprocess.Popen[bytes]:
        with self._answers.open("wb") as answers, self.log.open("ab") as log:
            return subprocess.Popen(
                tethered(
                    [sys.executable, "-m", "sandbox", "serve", "--port", str(self.port)],
                    ended_by=signal.SIGTERM,
                ),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=answers,
                stderr=log,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )

    def is_ready(self, pid: int) -> bool:
        """Whether this very process has named its address."""
        return self._first_line().get("pid") == pid

    @property
    def _answers(self) -> Path:
        return self.directory / "sandbox.answers"

    def _first_line(self) -> dict[str, object]:
        line, newline, _ = self._answers.read_text().partition("\n")
        answer: dict[str, object] = json.loads(line) if newline else {}
        return answer
