"""What is wrong with Stripe, and when: storms of days, hours and minutes, drawn from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

METER_EVENTS = "/v1/billing/meter_events"
SUMMARIES = "/v1/billing/meters/*"
HOUR = timedelta(hours=1)

OUTAGE_S = 0.2  # of ours: each call that is tried meets it, and the rest of that drain with it

Fault = dict[str, object]


def _sent(kind: str, share: float = 1.0, **more: object) -> Fault:
    return {"kind": kind, "path": METER_EVENTS, "share": share, **more}


REJECTED_LATER = "rejected later"
AWAY = "Stripe away"
KINDS: dict[str, tuple[Fault, ...]] = {
    "no answer comes back": (_sent("reply_lost", 0.5), _sent("truncated", 0.5), _sent("connection_reset")),
    "errors of a server": (
        _sent("error_before", 0.3),
        _sent("error_kept", 0.3),
        _sent("error_after", 0.5),
        _sent("bad_gateway_before", 0.5),
        _sent("bad_gateway_after"),
    ),
    AWAY: (_sent("error_before", 0.5), _sent("bad_gateway_before")),
    "nobody listens": (_sent("connection_refused", for_s=OUTAGE_S),),
    "keys refused": (_sent("unauthorized"),),
    "limits": (_sent("rate_limited", 0.4, reason="endpoint-rate"),),
    "locks": (_sent("lock_timeout", 0.4), _sent("conflict", 0.3)),
    REJECTED_LATER: (_sent("rejected_later", 0.7),),
    "books closed": ({"kind": "error_before", "path": SUMMARIES, "share": 0.7},),
    "here and there": (
        _sent("reply_lost", 0.1),
        _sent("error_before", 0.1),
        _sent("error_after", 0.1),
        _sent("connection_reset", 0.1),
        _sent("unauthorized", 0.02),
    ),
}
# A breaker keeps most calls out of an outage. What is in doubt for days was called as it began, when Stripe still
# answered most of its callers.
BEGINNING = (_sent("reply_lost", 0.2), _sent("error_before", 0.2))
BEGINNING_LASTS = timedelta(minutes=10)
LONG_H = {AWAY: 60, "no answer comes back": 36, "keys refused": 30}  # no retry outlives these
SHORT_MAX_H = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """A stretch of time, counted from the beginning of the run, in which faults strike."""

    name: str
    begins: timedelta
    ends: timedelta
    is_long: bool = False

    @property
    def is_in_doubt(self) -> bool:
        """Whether what is called as it begins is mostly held in the end."""
        return self.is_long or self.name == REJECTED_LATER

    def faults(self, passed: timedelta, *, seed: int) -> list[Fault]:
        """Those that strike when so much of the run has passed."""
        is_beginning = self.is_long and passed < self.begins + BEGINNING_LASTS
        return [{**fault, "seed": seed + n} for n, fault in enumerate(BEGINNING if is_beginning else KINDS[self.name])]


def forecast(*, days: int, chance: Random) -> list[Storm]:
    """The long storms, and short ones of every kind, one at a time, before the last day ends."""
    storms: list[Storm] = []
    now, end = 4 * HOUR, timedelta(days=days)
    names = [*((name, True) for name in LONG_H), *((name, False) for name in KINDS)]
    chance.shuffle(names)
    while now < end:
        name, is_long = names.pop() if names else (chance.choice(list(KINDS)), False)
        hours = LONG_H[name] if is_long else chance.uniform(1, SHORT_MAX_H)
        storms.append(Storm(name=name, begins=now, ends=min(end, now + hours * HOUR), is_long=is_long))
        now += hours * HOUR + chance.uniform(1, 6) * HOUR
    return storms


def storm_at(storms: Sequence[Storm], passed: timedelta) -> Storm | None:
    return next((storm for storm in storms if storm.begins <= passed < storm.ends), None)


def next_beginning(storms: Sequence[Storm], passed: timedelta) -> timedelta | None:
    """When the next storm begins."""
    return next((storm.begins for storm in storms if storm.begins > passed), None)
