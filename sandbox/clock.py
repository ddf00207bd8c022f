"""The sandbox's own time: the wall clock plus an offset, which tests may move or stop.

Every stamp, window and period is read from here, so that days pass in a request. Rate limits and webhook backoff stay
on real time: they are about load, not about dates.
"""

import time
from collections.abc import Callable

from sandbox.wire import JsonObject


class Clock:
    def __init__(self, *, offset_s: int = 0, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._offset_s: float = offset_s
        self._stopped_at: float | None = None

    def now(self) -> int:
        """Whole seconds since the epoch, as Stripe stamps everything."""
        return int(self._instant())

    def advance(self, seconds: float) -> None:
        self._offset_s += seconds
        if self._stopped_at is not None:
            self._stopped_at += seconds

    def set_offset(self, seconds: float) -> None:
        self.advance(seconds - self._offset_s)

    def stop(self) -> None:
        self._stopped_at = self._instant()

    def run(self) -> None:
        """Runs on from the instant it stopped at: no time is made up for."""
        if self._stopped_at is not None:
            self._offset_s = self._stopped_at - self._wall()
            self._stopped_at = None

    def render(self) -> JsonObject:
        return {"now": self.now(), "offset": self._offset_s, "frozen": self._stopped_at is not None}

    def _instant(self) -> float:
        return self._wall() + self._offset_s if self._stopped_at is None else self._stopped_at
