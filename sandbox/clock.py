"""The sandbox's own time, and its agenda: it may stand still, jump and run fast, and never passes what falls due.

Every stamp, window and period is read from here, so that months pass in a request. What is to happen at an instant (a
period's end, a finalization, a delivery's repeat) is put on the agenda; until it has been carried out, `now` does not
go beyond it, so it always finds the books as they were then. Rate limits alone stay on real time: they are about load.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from sandbox.wire import JsonObject

SPEED_MAX = 1_000_000.0


@dataclass(frozen=True, slots=True, order=True)
class Appointment:
    at: float
    number: int
    """Decides between appointments of one second: the one made first comes first."""
    action: Callable[[], None] = field(compare=False)


class Clock:
    def __init__(
        self, *, begins_at: float | None = None, speed: float = 1.0, wall: Callable[[], float] = time.time
    ) -> None:
        self._wall = wall
        self._set_out_at = wall()
        self._set_out_from = self._set_out_at if begins_at is None else begins_at
        self._speed = speed
        self._agenda: list[Appointment] = []
        self._number = 0
        self._pinned_at: float | None = None
        self._second = 0
        """As `now` last told it: stamps are kept by the million, and one object serves all of a second."""
        self.on_change: Callable[[], None] = _nobody
        """Told when the next due instant may come sooner than it seemed."""

    @property
    def speed(self) -> float:
        """Seconds here for one of the wall clock: 0 stands still."""
        return self._speed

    def now(self) -> int:
        """Whole seconds since the epoch, as Stripe stamps everything."""
        if self._pinned_at is not None:
            return int(self._pinned_at)
        due = self.next_due()
        second = int(self.instant() if due is None else min(self.instant(), due))
        if second != self._second:
            self._second = second
        return self._second

    def at(self, instant: float, action: Callable[[], None]) -> None:
        """Has the action carried out once, at that instant; at once (and after what is due already) if it is past."""
        self._number += 1
        heappush(self._agenda, Appointment(max(instant, self.now()), self._number, action))
        self.on_change()

    def next_due(self) -> float | None:
        return self._agenda[0].at if self._agenda else None

    def real_s_until(self, instant: float) -> float | None:
        """Seconds of the wall clock until then; None while the clock stands still."""
        ahead_s = instant - self.instant()
        if ahead_s <= 0:
            return 0.0
        return ahead_s / self._speed if self._speed else None

    def strike(self) -> None:
        """Carries out everything that is due, in order, each at its own instant."""
        while self._agenda and self._agenda[0].at <= self.instant():
            appointment = heappop(self._agenda)
            self._pinned_at = appointment.at
            try:
                appointment.action()
            finally:
                self._pinned_at = None

    def move_to(self, instant: float) -> None:
        """Sets the time; what falls due in between is left to `strike`. Backwards undoes nothing."""
        self._set_out_at, self._set_out_from = self._wall(), instant
        self.on_change()

    def run_at(self, speed: float) -> None:
        """Goes on from this instant at another speed: no time is made up for."""
        self.move_to(self.instant())
        self._speed = speed
        self.on_change()

    def instant(self) -> float:
        """The time to the fraction, whatever is still due."""
        return self._set_out_from + (self._wall() - self._set_out_at) * self._speed

    def wall(self) -> float:
        return self._wall()

    def render(self) -> JsonObject:
        return {
            "now": self.now(),
            "offset": round(self.instant() - self._wall(), 3) + 0.0,  # and no -0.0
            "speed": self._speed,
            "frozen": self._speed == 0,
            "next_due": self.next_due(),
        }


def _nobody() -> None:
    """The listener before there is one."""
