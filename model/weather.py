"""What goes wrong in a history, and when: stretches of hours, each with its own chances, all drawn from one seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

HOUR_S = 3_600
STORM_MAX_S = 60 * HOUR_S
STORMS_MAX = 4
STALE_S = 20 * 60  # shorter than the time between two readings that prove an absence
LAG_MAX_S = 40 * HOUR_S

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
    "killed_before",  # the worker dies between its commit and its call
    "killed_after",  # the worker dies before it hears the answer
    "frozen_before",  # the worker stands still between its commit and its call
    "frozen_after",  # the worker stands still before it hears the answer
)
"""What may become of one call."""
DOUBTFUL = ("vanished", "reply_lost", "late", "error_kept", "error_after", "gateway", "conflict", "killed_after")
"""Those that leave a doubt about what Stripe has."""
HARD_SHARE = 0.5
REFUSING_SHARE = 0.15
EVERYTHING_SHARE = 0.2
CANARY_SHARE = 0.8
"""Of the histories: mostly a meter is used by others too."""
STALE_WHERE_IT_HURTS = (42 * HOUR_S, 50 * HOUR_S)
"""When an absence is first read: a day after the window has closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    until: float
    weights: Sequence[int]
    is_refusing: bool
    """Stripe refuses for good what it would have to count: a customer deleted, a meter deactivated."""
    lag_s: float
    """How far Stripe's summaries are behind."""


FAIR = Stretch(until=float("inf"), weights=(1, *[0] * (len(FATES) - 1)), is_refusing=False, lag_s=60.0)


class Weather:
    """Storms one after the other, and fair weather after them for ever; every second history has it hard."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        is_hard = chance.random() < HARD_SHARE
        self._stretches = list(_hard_storms(chance) if is_hard else _storms(chance))
        self._stale_from = chance.uniform(*(STALE_WHERE_IT_HURTS if is_hard else (0, 2 * STORM_MAX_S)))
        self.has_canaries = chance.random() < CANARY_SHARE

    def at(self, instant: float) -> Stretch:
        for stretch in self._stretches:
            if instant < stretch.until:
                return stretch
        return FAIR

    def fate(self, instant: float) -> str:
        stretch = self.at(instant)
        return HEARD if stretch is FAIR else self._chance.choices(FATES, stretch.weights)[0]

    def is_stale(self, instant: float) -> bool:
        """Whether a single reading of a minute may be answered from an old copy."""
        return self._stale_from <= instant < self._stale_from + STALE_S


def _storms(chance: Random) -> Iterator[Stretch]:
    """Of any length: minutes, mostly, and now and then days."""
    until = 0.0
    for _ in range(chance.randint(0, STORMS_MAX)):
        until += min(STORM_MAX_S, chance.lognormvariate(9.5, 1.5))
        yield Stretch(
            until=until,
            weights=_weights(chance, FATES),
            is_refusing=chance.random() < REFUSING_SHARE,
            lag_s=chance.choice([60.0, HOUR_S, chance.uniform(0, LAG_MAX_S)]),
        )


def _hard_storms(chance: Random) -> Iterator[Stretch]:
    """Of a day or two, in which nobody hears what became of a call; the window closes within them."""
    until = 0.0
    for _ in range(chance.randint(1, STORMS_MAX)):
        until += chance.uniform(10 * HOUR_S, STORM_MAX_S)
        yield Stretch(
            until=until,
            weights=_weights(chance, DOUBTFUL),
            is_refusing=chance.random() < REFUSING_SHARE,
            lag_s=chance.choice([60.0, chance.uniform(20 * HOUR_S, LAG_MAX_S)]),
        )


def _weights(chance: Random, reasons: Sequence[str]) -> Sequence[int]:
    """Of most storms a few fates are the reason; some bring everything."""
    if chance.random() < EVERYTHING_SHARE:
        return [1 + chance.randrange(3) for _ in FATES]
    chosen = set(chance.sample(reasons, chance.randint(1, 3)))
    return [1 if fate in chosen else 0 for fate in FATES]
