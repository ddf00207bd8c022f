"""One server as a child of the guard: started until it answers, stopped until it is gone."""

import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from local.guarded import ServerError

READY_TIMEOUT_S = 60  # a long log of appends is read back before the first answer
READY_POLL_S = 0.01
RESTARTS_MAX = 20
RESTART_POLL_S = 0.1
STOP_TIMEOUT_S = 10
LOG_TAIL = 2000


class Program(Protocol):
    """What there is to know of a kind of server."""

    @property
    def url(self) -> str: ...
    @property
    def log(self) -> Path: ...
    @property
    def stop_signal(self) -> signal.Signals: ...
    def launch(self) -> subprocess.Popen[bytes]: ...
    def is_ready(self, pid: int) -> bool: ...


class Running:
    """A program with its child."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._child = _started(program)
        self._is_wanted = True

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def has_crashed(self) -> bool:
        """Whether it is gone without having been asked to."""
        return self._is_wanted and self._child.poll() is not None

    def start(self) -> None:
        if self._child.poll() is not None:
            self._child = _restarted(self.program)
        self._is_wanted = True

    def kill(self) -> None:
        self._is_wanted = False
        self._child.kill()
        self._child.wait()

    def stop(self) -> None:
        self._is_wanted = False
        if self._child.poll() is None:
            _end(self._child, self.program.stop_signal)


def _started(program: Program) -> subprocess.Popen[bytes]:
    log_size = program.log.stat().st_size if program.log.exists() else 0
    child = program.launch()
    with ExitStack() as unless_ready:
        unless_ready.callback(_end, child, program.stop_signal)
        if not _becomes_ready(program, child):
            raise ServerError(_last_words(program.log, log_size))
        unless_ready.pop_all()
    return child


def _becomes_ready(program: Program, child: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while child.poll() is None and time.monotonic() < deadline:
        if program.is_ready(child.pid):
            return True
        time.sleep(READY_POLL_S)
    return False


def _last_words(log: Path, log_size: int) -> str:
    words = log.read_bytes()[log_size:].decode(errors="replace")[-LOG_TAIL:]
    return f"the server did not start; {log} says:\n{words}"


def _restarted(program: Program) -> subprocess.Popen[bytes]:
    """Start after a kill: PostgreSQL's children may hold the shared memory for a moment longer than it."""
    for _ in range(RESTARTS_MAX - 1):
        try:
            return _started(program)
        except ServerError:
            time.sleep(RESTART_POLL_S)
    return _started(program)


def _end(child: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    child.send_signal(stop_signal)
    try:
        child.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
