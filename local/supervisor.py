"""The supervisor: runs the Procfile's processes and starts again what dies.

For `meterpost up`, the demo and tests; systemd or a container platform does it elsewhere. Killing any process
is part of its life: a death is answered by a start, after a delay that grows while a process keeps dying
young. When the supervisor itself is killed, the kernel ends its processes.
"""

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from local.child import Child, Launch
from local.procfile import read_procfile

STOP_TIMEOUT_S = 10.0


class Supervisor:
    """The processes of one Procfile; a process is named `submit`, or `submit.2` where it runs more than once.

    `scale` gives the number of each process, one where it is silent; 0 leaves it out. With `log_dir` each
    process writes to a file of its own there, otherwise to stdout behind its name.
    """

    def __init__(
        self,
        procfile: Path,
        env: Mapping[str, str],
        *,
        log_dir: Path | None = None,
        scale: Mapping[str, int] | None = None,
    ) -> None:
        commands = read_procfile(procfile)
        scale = scale or {}
        if unknown := scale.keys() - commands.keys():
            raise ValueError(f"{procfile} has no process called {', '.join(sorted(unknown))}")
        if log_dir is not None:
            log_dir.mkdir(parents=True, exist_ok=True)
        launches = (
            Launch(
                name=instance,
                command=command,
                env=env,
                cwd=procfile.resolve().parent,
                log=log_dir and log_dir / f"{instance}.log",
            )
            for name, command in commands.items()
            for instance in _instances(name, scale.get(name, 1))
        )
        self._children = {launch.name: Child(launch) for launch in launches}

    def start(self) -> None:
        """Start every process; each has a pid when this returns."""
        for child in self._children.values():
            child.start()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Ask all to stop at once; after `timeout_s` end what is left by SIGKILL."""
        deadline = time.monotonic() + timeout_s
        for child in self._children.values():
            child.ask_to_stop()
        for child in self._children.values():
            child.ensure_stopped(max(0.0, deadline - time.monotonic()))

    def pid(self, name: str) -> int | None:
        """The pid of a process, or None between a death and the next start."""
        return self._children[name].pid

    def kill(self, name: str, signal_number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the main process of `name`."""
        self._children[name].kill(signal_number)

    @property
    def names(self) -> list[str]:
        """The names of the processes, in the Procfile's order."""
        return list(self._children)

    @property
    def restarts(self) -> int:
        """How often any process died and was to be started again."""
        return sum(child.deaths for child in self._children.values())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()


def _instances(name: str, count: int) -> list[str]:
    return [name, *(f"{name}.{number}" for number in range(2, count + 1))] if count else []
