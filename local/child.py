"""One process of the supervisor: started, watched, and started again when it dies."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from os import killpg
from pathlib import Path
from typing import IO

from local.parent import tethered

DELAY_FIRST_S = 0.1
DELAY_MAX_S = 5.0
STEADY_S = 10.0  # after this long a life the next death counts as the first
START_TIMEOUT_S = 5.0  # a fork and an exec


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a process is started; `log` is None when its lines go to our stdout with its name before them."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path | None


class Child:
    """A process under supervision.

    A thread of its own starts it and waits for it: the kernel ends a tethered process with the *thread* that
    started it, and this one lives as long as the supervision.
    """

    def __init__(self, launch: Launch) -> None:
        self.name = launch.name
        self.deaths = 0
        self._launch = launch
        self._process: subprocess.Popen[bytes] | None = None
        self._changed = threading.Condition()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._supervise, name=launch.name, daemon=True)

    def start(self) -> None:
        """Start it, and return when it has a pid."""
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._process is not None, timeout=START_TIMEOUT_S)

    @property
    def pid(self) -> int | None:
        """Its pid, or None between a death and the next start."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    def kill(self, signal_number: signal.Signals) -> None:
        """Send a signal to its main process; nothing happens while it is down."""
        process = self._process
        if process is not None:
            process.send_signal(signal_number)

    def ask_to_stop(self) -> None:
        """SIGTERM to its main process, and no start after it."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        self.kill(signal.SIGTERM)

    def ensure_stopped(self, timeout_s: float) -> None:
        """Wait for its end; SIGKILL to the whole group after `timeout_s`."""
        self._thread.join(timeout_s)
        if self._thread.is_alive() and self._process is not None:
            _end_group(self._process.pid)
            self._thread.join()

    def _supervise(self) -> None:
        delay_s = DELAY_FIRST_S
        while self._start_unless_stopping():
            lived_s = self._wait()
            delay_s = DELAY_FIRST_S if lived_s > STEADY_S else min(delay_s * 2, DELAY_MAX_S)
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopping, timeout=delay_s)

    def _start_unless_stopping(self) -> bool:
        with self._changed:
            if self._is_stopping:
                return False
            self._process = _started(self._launch)
            self._changed.notify_all()
        return True

    def _wait(self) -> float:
        """Seconds until its end; what it left behind in its group ends with it, and so frees its port."""
        assert self._process is not None, "started by _start_unless_stopping"
        born = time.monotonic()
        self._process.wait()
        _end_group(self._process.pid)
        self.deaths += not self._is_stopping
        return time.monotonic() - born


def _started(launch: Launch) -> subprocess.Popen[bytes]:
    command = tethered(launch.command, ended_by=signal.SIGKILL)
    if launch.log is not None:
        with launch.log.open("ab") as log:
            return _opened(launch, command, log)
    process = _opened(launch, command, subprocess.PIPE)
    assert process.stdout is not None, "opened with a pipe"
    threading.Thread(target=_echo, args=(launch.name, process.stdout), daemon=True).start()
    return process


def _opened(launch: Launch, command: list[str], out: IO[bytes] | int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=launch.cwd,
        env=dict(launch.env) | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        process_group=0,  # Ctrl-C is for the supervisor, which then asks each to stop, once
    )


def _echo(name: str, lines: IO[bytes]) -> None:
    with lines:
        for line in lines:
            sys.stdout.write(f"{name:<12}│ {line.decode(errors='replace')}")
            sys.stdout.flush()


def _end_group(group: int) -> None:
    with suppress(ProcessLookupError):
        killpg(group, signal.SIGKILL)
