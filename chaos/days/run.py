"""A run: days of usage in the weather, then days of rest in which everything comes to its end."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from chaos.days.books import Books, audited
from chaos.days.mishaps import Mishaps
from chaos.days.people import Person
from chaos.days.usage import Usage
from chaos.days.weather import Storm, forecast, next_beginning, storm_at
from chaos.days.works import BEFORE_SENDING, SENDING_AND_READING, Works, opened

CALM = timedelta(minutes=30)  # after a storm, in which all is sent that was left; no other begins so soon
STEPS = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 120, 240, 480, 600))
CUSTOMERS = 24
ROWS_AN_HOUR = 4
RUSH_ROWS = 200  # as a storm begins that leaves much in doubt
REST_DAYS = 6  # summaries 30 hours late, two readings 25 hours after the last attempt, and readings 45 hours later
REST_STEP = timedelta(hours=8)
STALE_COPY_SHARE = 0.05  # of the walks: what is read is an old copy
STALE_S = 3 * 86_400
HELD = "SELECT meter_event_id FROM meter_event WHERE state = 'held'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    days: int
    seed: int
    lag_s: int  # of Stripe's summaries
    rest_days: int = REST_DAYS
    rows_an_hour: int = ROWS_AN_HOUR
    rush_rows: int = RUSH_ROWS
    customers: int = CUSTOMERS


@dataclass(slots=True, kw_only=True)
class Run:
    works: Works
    plan: Plan
    chance: Random
    storms: list[Storm]
    usage: Usage
    person: Person
    mishaps: Mishaps
    passed: timedelta = timedelta()
    steps: int = 0
    held: set[int] = field(default_factory=set)
    stormy: Counter[str] = field(default_factory=Counter)

    def live(self) -> None:
        """Usage, weather, mishaps and a person, until the last day is over."""
        end, step = timedelta(days=self.plan.days), STEPS[0]
        while self.passed < end:
            rows = max(1, round(self.plan.rows_an_hour * step.total_seconds() / 3600))
            storm = storm_at(self.storms, self.passed + step)
            is_rush = storm is not None and storm.is_in_doubt and storm.begins == self.passed + step
            if is_rush:
                self.person.go_home()
            self._step(step, rows=rows + is_rush * self.plan.rush_rows, storm=storm, is_rush=is_rush)
            self.person.visit()
            step = self._next_step()

    def _next_step(self) -> timedelta:
        """As long as it happens to be, but no storm begins unseen, nor before the one before it is known to be over."""
        step = self.chance.choice(STEPS)
        begins = next_beginning(self.storms, self.passed)
        storm = storm_at(self.storms, self.passed)
        is_over = [] if storm is None else [storm.ends + CALM]
        return min([step, *(instant - self.passed for instant in [*is_over, begins] if instant is not None)])

    def rest(self) -> None:
        """Fair weather and a little usage: what is held needs canaries, and what is late comes in."""
        self.mishaps.thaw_all()
        self.person.go_home()
        end = timedelta(days=self.plan.days + self.plan.rest_days)
        while self.passed < end:
            self._step(REST_STEP, rows=3, storm=None, is_rush=False)

    def _step(self, step: timedelta, *, rows: int, storm: Storm | None, is_rush: bool) -> None:
        since = self.works.now()
        self.works.pass_time(step)
        self.passed += step
        self.steps += 1
        self._set_weather(storm)
        self.mishaps.thaw(self.passed, is_fair=storm is None)
        self.usage.publish(rows, since=since, until=self.works.now())
        self.works.walk(BEFORE_SENDING)
        self._strike(is_outage=is_rush and storm is not None and storm.is_long)
        self.works.walk(SENDING_AND_READING)
        self.held |= {found[0] for found in self.works.ask(HELD)}
        self.works.calls.read_on()

    def _strike(self, *, is_outage: bool) -> None:
        if is_outage:
            self.mishaps.kill_all()
        elif self.passed < timedelta(days=self.plan.days):
            self.mishaps.strike(self.passed)

    def _set_weather(self, storm: Storm | None) -> None:
        is_stale = self.chance.random() < STALE_COPY_SHARE
        self.works.say_to_stripe("settings", {"summary_lag_s": STALE_S if is_stale else self.plan.lag_s})
        self.works.say_to_stripe("faults", {}, method="DELETE")
        if storm is not None:
            self.stormy[storm.name] += 1
            for fault in storm.faults(self.passed, seed=self.chance.getrandbits(31)):
                self.works.say_to_stripe("faults", fault)


def play(plan: Plan) -> tuple[Run, Books]:
    """Live through it all, and audit what came of it."""
    chance = Random(plan.seed)
    with opened(days=plan.days + plan.rest_days + 1) as works:
        run = Run(
            works=works,
            plan=plan,
            chance=chance,
            storms=forecast(days=plan.days, chance=chance),
            usage=Usage(works=works, chance=Random(chance.random())),
            person=Person(works=works, chance=Random(chance.random())),
            mishaps=Mishaps(works=works, chance=Random(chance.random())),
        )
        run.usage.prepare(customers=plan.customers)
        try:
            run.live()
            run.rest()
        finally:
            run.mishaps.thaw_all()
        return run, audited(works, run.usage.told, forgotten=run.mishaps.forgotten)
