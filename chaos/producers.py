"""The producers of a run, and what they were told is safe: kept here, outside of everything that is killed."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from chaos.load import Load
from local.guarded import ROOT
from local.parent import PARENT_VARIABLE

STOP_TIMEOUT_S = 10


class Producers:
    """Several processes; `ask` for batches, `tend` them at times, and read in `safe` which ones were confirmed."""

    def __init__(self, load: Load, env: Mapping[str, str], *, count: int) -> None:
        self._producers = [_Producer(load, env) for _ in range(count)]

    @property
    def safe(self) -> set[int]:
        return set[int]().union(*(producer.safe for producer in self._producers))

    @property
    def deaths(self) -> int:
        return sum(producer.deaths for producer in self._producers)

    @property
    def waiting(self) -> int:
        """How many batches were asked for and are not safe yet."""
        return sum(producer.waiting for producer in self._producers)

    def ask(self, batches: Sequence[int]) -> None:
        for number, producer in enumerate(self._producers):
            producer.ask(batches[number :: len(self._producers)])

    def tend(self) -> None:
        """Start again whoever died, with what it was asked for and did not confirm."""
        for producer in self._producers:
            producer.tend()

    def kill(self, number: int) -> None:
        self._producers[number % len(self._producers)].kill()

    def __enter__(self) -> Self:
        self.tend()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for producer in self._producers:
            producer.stop()


class _Producer:
    def __init__(self, load: Load, env: Mapping[str, str]) -> None:
        self.safe: set[int] = set()
        self.deaths = -1  # the first start follows no death
        self._command = [sys.executable, "-m", "chaos.producer", json.dumps(load.told())]
        self._env = {**env, PARENT_VARIABLE: "1"}
        self._asked: list[int] = []
        self._process: subprocess.Popen[str] | None = None

    @property
    def waiting(self) -> int:
        return len(self._asked) - len(self.safe)

    def ask(self, batches: Iterable[int]) -> None:
        batches = list(batches)
        self._asked += batches
        self._tell(batches)

    def tend(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.deaths += 1
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        self._tell([batch for batch in self._asked if batch not in self.safe])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)

    def _tell(self, batches: Iterable[int]) -> None:
        assert self._process is not None, "it is tended before it is asked"
        assert self._process.stdin is not None, "opened with pipes"
        with suppress(BrokenPipeError):  # it was killed: the next one is asked anew
            self._process.stdin.writelines(f"{batch}\n" for batch in batches)
            self._process.stdin.flush()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None, "opened with pipes"
        for line in process.stdout:
            if line.endswith("\n"):  # half a line was cut off by a kill: not told
                self.safe.add(int(line))
