"""One look at everything that stands somewhere: what `status` answers once, and what it redraws while watched."""

from dataclasses import dataclass, field
from datetime import datetime

from cli import alarms_shown
from cli.alarms_shown import OpenAlarms
from cli.output import age, instant, shown
from service.ledger.epochs import Restore
from service.ledger.pauses import ALL_METERS, Pause

COLUMNS = ("step", "state", "#count", "#oldest", "", "meaning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the answer, and the shape of one item of `steps` in JSON."""

    step: str
    state: str
    count: int
    oldest_s: int | None  # how long the oldest has stood there; None: nothing, or not known
    needs_person: bool
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """What a person has paused, and for how long it has been."""

    pause: Pause
    age_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Stripe fails, or refuses the key: nothing is called before `until`, and then one call tries."""

    until: datetime
    trials_failed: int  # since it was opened, itself not counted
    reason: str


@dataclass(slots=True, kw_only=True)
class Seen:
    """The shape of the answer in JSON. `away` says what could not be looked at."""

    steps: list[Step]
    pauses: list[Paused]
    away: list[str]
    breaker: Breaker | None = None  # null: closed
    restore: Restore | None = None  # that waits for a person: nothing is sealed or sent
    alarms: list[OpenAlarms] = field(default_factory=list)  # what is wrong with money, by kind


def row_of(step: Step) -> tuple[object, ...]:
    mark = "!" if step.needs_person else ""
    return (step.step, step.state, step.count, age(step.oldest_s), mark, step.meaning)


def words_of(seen: Seen) -> list[str]:
    """What a person should read before the figures."""
    away = [f"away: {text}" for text in seen.away]
    alarms = [f"alarm: {alarms_shown.words_of(one)}; see meterpost alarms list" for one in seen.alarms]
    return [*away, *_restored(seen), *_broken(seen), *map(_told, seen.pauses), *alarms]


def _restored(seen: Seen) -> list[str]:
    if seen.restore is None:
        return []
    why = f"since {instant(seen.restore.began_at)}: {shown(seen.restore.cause)}"
    return [f"the ledger was restored, and nothing is sealed or sent {why}; run meterpost reconcile --epoch"]


def _broken(seen: Seen) -> list[str]:
    if seen.breaker is None:
        return []
    tries = f"one call tries at {instant(seen.breaker.until)}; so far {seen.breaker.trials_failed} have failed"
    return [f"nothing is sent: {shown(seen.breaker.reason)}; {tries}"]


def _told(paused: Paused) -> str:
    pause = paused.pause
    what = "the account" if pause.meter == ALL_METERS else f"the meter {shown(pause.meter)}"
    return f"paused: {what}, since {age(paused.age_s)}, by {shown(pause.actor)}: {shown(pause.reason)}"
