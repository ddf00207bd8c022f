"""What goes wrong in a history, and when: stretches of hours, each with its own chances, all drawn from one seed.

Times are whole seconds from the history's begin. Instants are asked about in order, so that a stretch is drawn when the
history comes to it and not before: most end sooner.
"""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

HOUR_S = 3_600
STORM_MAX_S = 60 * HOUR_S
STORMS_MAX = 4
STALE_S = 20 * 60  # shorter than the time between two readings that prove an absence
LAG_MAX_S = 40 * HOUR_S
LAG_S = 60

HEARD = "heard"
FATES = (
    HEARD,
    "limited",  # 429 of the limiter, before the books
    "unauthorized",
    "unreachable",  # no byte was sent
    "vanished",  # sent, and never arrived
    "reply_lost",
    "late",  # arrives after the caller has given up
    "error_kept",  # 500 with nothing applied, replayed under its key
    "error_after",  # 500 though applied, replayed under its key
    "gateway",  # 502 though applied, kept nowhere
    "conflict",  # 409: another call is under way
    "lock_timeout",  # 429: another call holds the customer
    "killed_before",  # the worker dies between its commit and its call
    "killed_after",  # the worker dies before it hears the answer
    "killed_closing",  # the worker dies between closing its attempt and giving the lane back
    "frozen_before",  # the worker stands still between its commit and its call
    "frozen_after",  # the worker stands still before it hears the answer
)
"""What may become of one call."""
DOUBTFUL = ("vanished", "reply_lost", "late", "error_kept", "error_after", "gateway", "conflict", "killed_after")
"""Those that leave a doubt about what Stripe has."""
HARD_SHARE = 0.5
REFUSING_SHARE = 0.15
REJECTING_SHARE = 0.15
REPORT_MIN_S = 10  # the window of a report is over
FREEING_SHARE = 0.5
"""Of the histories: undocumented whether Stripe frees the identifier of what it rejects."""
EVERYTHING_SHARE = 0.2
REASONS_MAX = 3
CANARY_SHARE = 0.8
"""Of the histories: mostly a meter is used by others too."""
CANARY_EVERY_S = 6 * HOUR_S
SLOW_CANARY_S = 20 * HOUR_S
"""How long before its acceptance every second canary was called for and received, though nobody heard so."""
STALE_READINGS_MAX = 4
"""One of the first so many readings of a minute is answered from an old copy, and others soon after it."""


class Stretch(NamedTuple):
    until: float
    fates: tuple[str, ...]
    is_refusing: bool
    """Stripe refuses for good what it would have to count: a customer deleted, a meter deactivated."""
    is_rejecting: bool
    """Stripe takes with a 200 what it rejects, and tells of it later."""
    lag_s: int
    """How far Stripe's summaries are behind."""


class Canary(NamedTuple):
    """Another meter event of the meter, which the books show."""

    number: int
    called_at: int
    accepted_at: int


FAIR = Stretch(until=float("inf"), fates=(HEARD,), is_refusing=False, is_rejecting=False, lag_s=LAG_S)


class Weather:
    """Storms one after the other, and fair weather after them for ever; every second history has it hard."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._random = chance.random
        self._is_hard = self._random() < HARD_SHARE
        self._storms = 1 + int(self._random() * STORMS_MAX) if self._is_hard else int(self._random() * (STORMS_MAX + 1))
        self._readings_until_stale = int(self._random() * STALE_READINGS_MAX)
        self._stale_until = 0
        self._has_canaries = self._random() < CANARY_SHARE
        self._shown_until = 0
        self.is_freeing = self._random() < FREEING_SHARE
        self._stretch = self._next(0)

    def at(self, instant: int) -> Stretch:
        while instant >= self._stretch.until:
            until = int(self._stretch.until)
            self._shown_until = max(self._shown_until, until - self._stretch.lag_s)
            self._stretch = self._next(until)
        return self._stretch

    def fate(self, instant: int) -> str:
        fates = self.at(instant).fates
        return fates[int(self._random() * len(fates))]

    def shown_until(self, instant: int) -> int:
        """Up to when the summaries show what was counted; it stands still in a lag, and never goes back."""
        lag_s = self.at(instant).lag_s
        return max(self._shown_until, instant - lag_s)

    def is_stale(self, instant: int) -> bool:
        """Whether this reading of a minute is answered from an old copy, which is there once and not for long."""
        if self._readings_until_stale == 0:
            self._stale_until = instant + STALE_S
        self._readings_until_stale -= 1
        return instant < self._stale_until

    def canaries(self, instant: int) -> Iterator[Canary]:
        """Those that are accepted and shown by now, the newest first."""
        shown_until = self.shown_until(instant)
        for number in range(instant // CANARY_EVERY_S if self._has_canaries else 0, 0, -1):
            accepted_at = number * CANARY_EVERY_S
            called_at = accepted_at - SLOW_CANARY_S * (number % 2)
            if called_at <= shown_until:
                yield Canary(number, called_at, accepted_at)

    def _next(self, begin: int) -> Stretch:
        if self._storms == 0:
            return FAIR
        self._storms -= 1
        if self._is_hard:
            return self._hard_storm(begin)
        return self._storm(begin)

    def _storm(self, begin: int) -> Stretch:
        """Of any length: minutes, mostly, and now and then days."""
        lasts_s = min(STORM_MAX_S, int(self._chance.lognormvariate(9.5, 1.5)))
        lag_s = (LAG_S, HOUR_S, int(self._random() * LAG_MAX_S))[int(self._random() * 3)]
        return Stretch(begin + lasts_s, self._fates(FATES), *self._moods(), lag_s)

    def _hard_storm(self, begin: int) -> Stretch:
        """Of a day or two, in which nobody hears what became of a call; the window closes within them."""
        lasts_s = 10 * HOUR_S + int(self._random() * (STORM_MAX_S - 10 * HOUR_S))
        lag_s = LAG_S if self._random() < 0.5 else 20 * HOUR_S + int(self._random() * (LAG_MAX_S - 20 * HOUR_S))
        return Stretch(begin + lasts_s, self._fates(DOUBTFUL), *self._moods(), lag_s)

    def _moods(self) -> tuple[bool, bool]:
        """Whether Stripe refuses, and whether it rejects."""
        return self._random() < REFUSING_SHARE, self._random() < REJECTING_SHARE

    def told_after_s(self) -> int:
        """How long after a rejection its report is heard: seconds, mostly, and now and then days."""
        return REPORT_MIN_S + min(STORM_MAX_S, int(self._chance.lognormvariate(5, 3)))

    def _fates(self, reasons: tuple[str, ...]) -> tuple[str, ...]:
        """Of most storms a few fates are the reason; some bring everything."""
        if self._random() < EVERYTHING_SHARE:
            return FATES
        return tuple(
            [reasons[int(self._random() * len(reasons))] for _ in range(1 + int(self._random() * REASONS_MAX))]
        )
