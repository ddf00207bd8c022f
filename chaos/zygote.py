"""Workers that are born in milliseconds: one process imports everything once and forks the workers from it.

Imports are most of what a worker's start costs, and a run of a thousand kills would spend its time on them. What is
forked is the worker as it is, from its `main` on: no connection, thread or chance exists before that. `Zygote` is used
like `local.supervisor.Supervisor`: what dies is born again after a moment.
"""

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from local.guarded import ROOT, ServerError
from local.parent import PARENT_VARIABLE, end_with_parent

REBIRTH_S = 0.1
POLL_S = 0.01
STOP_TIMEOUT_S = 15.0
BIRTH_TIMEOUT_S = 60.0


class Zygote:
    """`modules` by name: each has a `main`, which runs in a process of its own until it is stopped."""

    def __init__(self, modules: Mapping[str, str], env: Mapping[str, str], *, log_dir: Path) -> None:
        self._order = json.dumps({"modules": modules, "log_dir": str(log_dir)})
        self._env = {**env, PARENT_VARIABLE: "1", "PYTHONUNBUFFERED": "1"}
        self._pids: dict[str, int] = {}
        self._born = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._listening = threading.Thread()
        self.rebirths = -len(modules)  # the first birth of each is none

    def pid(self, name: str) -> int:
        """The newest pid of a worker; it may have died just now."""
        return self._pids[name]

    def wait_for_rebirth(self, *, before: int = 0) -> bool:
        """Whether more than `before` workers were born again within our patience."""
        with self._born:
            return self._born.wait_for(lambda: self.rebirths > before, BIRTH_TIMEOUT_S)

    def kill(self, name: str, signal_number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a worker; nothing happens where it died just now."""
        with suppress(ProcessLookupError):
            os.kill(self.pid(name), signal_number)

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "chaos.zygote", self._order]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._listening = threading.Thread(target=self._listen, name="zygote", daemon=True)
        self._listening.start()
        wanted = len(json.loads(self._order)["modules"])
        with self._born:
            are_born = self._born.wait_for(lambda: len(self._pids) == wanted, BIRTH_TIMEOUT_S)
        if not are_born:
            self._stop()
            raise ServerError(f"the workers were not born within {BIRTH_TIMEOUT_S:.0f} s")
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        assert self._process is not None, "entered before"
        assert self._process.stdin is not None, "opened with pipes"
        self._process.stdin.close()
        self._process.wait(2 * STOP_TIMEOUT_S)
        self._listening.join(STOP_TIMEOUT_S)

    def _listen(self) -> None:
        assert self._process is not None, "started before"
        assert self._process.stdout is not None, "opened with pipes"
        with self._process.stdout as told:
            for line in told:
                name, _, pid = line.partition(" ")
                with self._born:
                    self._pids[name] = int(pid)
                    self.rebirths += 1
                    self._born.notify_all()


def main() -> None:
    end_with_parent()
    order = json.loads(sys.argv[1])
    modules: dict[str, str] = order["modules"]
    for module in modules.values():
        importlib.import_module(module)
    log_dir = Path(order["log_dir"])
    alive = {_born(name, modules[name], log_dir=log_dir): name for name in modules}
    while not select.select([sys.stdin], [], [], POLL_S)[0]:  # its end is the order to stop
        if (name := _reaped(alive)) is not None:
            time.sleep(REBIRTH_S)
            alive[_born(name, modules[name], log_dir=log_dir)] = name
    _end(alive)


def _born(name: str, module: str, *, log_dir: Path) -> int:
    pid = os.fork()
    if pid == 0:
        _live(module, log=log_dir / f"{name}.log")
    sys.stdout.write(f"{name} {pid}\n")
    sys.stdout.flush()
    return pid


def _live(module: str, *, log: Path) -> NoReturn:
    """What a worker's process is from here on; it ends with the zygote."""
    code = 1
    try:
        os.environ[PARENT_VARIABLE] = "1"
        end_with_parent()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(out, stream.fileno())
        os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
        importlib.import_module(module).main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 — the last words of a process, which ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _reaped(alive: dict[int, str]) -> str | None:
    """The name of one that has died."""
    pid, _ = os.waitpid(-1, os.WNOHANG)
    return alive.pop(pid) if pid else None


def _end(alive: dict[int, str]) -> None:
    """SIGTERM to all, and SIGKILL to who is still there a while later."""
    for pid in alive:
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while alive and time.monotonic() < deadline:
        if _reaped(alive) is None:
            time.sleep(POLL_S)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
