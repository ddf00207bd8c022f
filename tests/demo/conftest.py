"""The demo as a program of its own, and what it leaves behind."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.account import server_user
from local.guarded import ROOT
from local.place import scratch
from local.procfile import resolved

PATIENCE_S = 40.0  # a supervised process has ten seconds to stop, and a server after it
POLL_S = 0.1


def _eventually(claim: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(POLL_S)
    return True


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], object]], bool]:
    """Whether a claim becomes true within our patience."""
    return _eventually


@dataclass(frozen=True, kw_only=True)
class Place:
    """A TMPDIR of its own, by which everything that a demo starts is known, however deep."""

    directory: Path

    def run(self, *arguments: str, cwd: Path = ROOT, **env: str) -> "subprocess.CompletedProcess[str]":
        command = [self.program, "demo", *arguments]
        return subprocess.run(command, cwd=cwd, env=self.env | env, capture_output=True, text=True, check=False)

    def start(self, command: str) -> "subprocess.Popen[str]":
        """A shell that runs `command`, in a process group of its own as under a terminal."""
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(["/bin/sh", "-c", command], cwd=ROOT, env=self.env, process_group=0, **pipes)

    @property
    def program(self) -> str:
        return resolved(["meterpost"])[0]

    @property
    def env(self) -> dict[str, str]:
        return os.environ | {"TMPDIR": str(self.directory), "PYTHONUNBUFFERED": "1"}

    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    def processes(self) -> list[int]:
        """Whoever has this TMPDIR in its environment or its arguments."""
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._is_ours(entry)]

    def _is_ours(self, entry: Path) -> bool:
        try:
            told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):  # it is gone, or another user's
            return False
        return str(self.directory).encode() in told


@pytest.fixture
def place() -> Iterator[Place]:
    with scratch(server_user()) as directory:
        place = Place(directory=directory)
        yield place
        for pid in place.processes():  # of a claim that failed
            os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """A whole run: how it ended, and what was left when it had."""

    code: int
    stdout: str
    stderr: str
    files_left: list[str]
    processes_left: list[int]


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """Run by somebody whose own settings are nonsense, in the environment and in .env."""
    callers = tmp_path_factory.mktemp("callers")
    (callers / ".env").write_text("REDIS_URL=nonsense\nMETERPOST_COLOUR=blue\n")
    with scratch(server_user()) as directory:
        place = Place(directory=directory)
        nonsense = {"BROKER_URL": "nonsense", "METERPOST_TIMING": "slow", "STRIPE_SECRET_KEY": "none"}
        ran = place.run("--json", "--units", "60000", cwd=callers, **nonsense)
        yield Demonstration(
            code=ran.returncode,
            stdout=ran.stdout,
            stderr=ran.stderr,
            files_left=place.files(),
            processes_left=place.processes(),
        )
