"""One run: rows come in waves, processes die by how many are made, and what is held waits for its proof."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from chaos.signups.judge import CREATE, Verdict, judge
from chaos.signups.place import STRIKES, UNHEARD_SHARE, Place, begin_storm, place
from chaos.signups.shop import Shop, open_shop

AHEAD_S = 40  # of calls: so many rows wait at least, while there are more to tell
WAVE_ROWS = 250
POLL_S = 0.25
LINE_S = 15
QUIET_S = 180  # without any progress: the run is stuck
JUMP_S_MIN = 3  # what is due sooner is waited for
STANDING_SHARE = 0.1  # of the rows: with fewer left, those that back off may be all that is left
STATES = "SELECT state, count(*) FROM signup GROUP BY state"
TAKEN_IN = "SELECT coalesce(sum(rows), 0) FROM intake"
NEXT_DUE = "SELECT min(due_at) - ledger_now() FROM signup WHERE due_at IS NOT NULL"
OPEN = "SELECT count(*) FROM signup_attempt WHERE ended_at IS NULL"
PACE = """
WITH made AS (
    SELECT a.ended_at FROM signup_attempt AS a WHERE a.step = 'create' AND a.outcome = 'accepted' ORDER BY a.ended_at
), many AS (
    SELECT max(ended_at) AS ends FROM (SELECT ended_at FROM made LIMIT %s) AS first_made
)
SELECT count(*), extract(epoch FROM max(a.started_at) - min(a.started_at))::float8
FROM signup_attempt AS a
JOIN many ON a.started_at <= many.ends
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    seed: int
    rows: int
    rate: int
    kills: int
    timing: str  # the profile's name
    is_blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one run. Rates are calls a second; `used_per_s` is of the time in which many rows waited."""

    rows: int
    verdict: Verdict
    is_settled: bool
    struck: dict[str, int]
    deaths: int
    minutes_passed: int  # on the virtual clocks, for what had to be proven absent
    held: int  # most at a look
    permitted_per_s: int
    used_per_s: float
    seconds: int
    calls_again: int  # that create, when the same rows were told once more

    @property
    def calls(self) -> int:
        return sum(self.verdict.calls.values())

    @property
    def used_share(self) -> float:
        return self.used_per_s / self.permitted_per_s

    def wrongs(self) -> list[str]:
        verdict = self.verdict
        claims = {
            "not every row is settled": self.is_settled,
            f"{len(verdict.missing):,} rows have no subscription: {verdict.missing[:3]}": not verdict.missing,
            f"{len(verdict.doubled):,} rows have several subscriptions: {verdict.doubled[:3]}": not verdict.doubled,
            f"{self.calls_again:,} calls create, though every row is made": self.calls_again == 0,
        }
        return [*(wrong for wrong, holds in claims.items() if not holds), *verdict.wrongs]


@dataclass(kw_only=True)
class Run:
    here: Place
    plan: Plan
    shop: Shop
    chance: Random
    tell: Callable[[str], None]
    published: int = 0
    passed: timedelta = timedelta()
    held: int = 0

    def __post_init__(self) -> None:
        self.strikes = list(STRIKES * (self.plan.kills // len(STRIKES) + 1))[: self.plan.kills]
        self.began_at = self.told_at = time.monotonic()

    def weather(self) -> bool:
        """Rows are told and processes die until every row is made; False where nothing moves any more."""
        seen, until = (-1, timedelta()), time.monotonic() + QUIET_S
        while (made := self._look()) < self.plan.rows or self._is_under_way():
            self._publish_on(made)
            self._strike_on(made)
            self._wait_or_jump()
            if (made, self.passed) != seen:
                seen, until = (made, self.passed), time.monotonic() + QUIET_S
            if time.monotonic() > until:
                return False
        return True

    def again(self) -> int:
        """Tell every row once more; how many calls create something then."""
        self.here.calls.read_on()
        before = self._creations()
        taken_in = self._taken_in()
        self.here.publish(self.shop.rows)
        until = time.monotonic() + QUIET_S
        while self._taken_in() < taken_in + self.plan.rows and time.monotonic() < until:
            time.sleep(POLL_S)
        time.sleep(2 * self.here.timing.poll_s)  # and a look of dispatch, which finds nothing to wake anybody for
        self.here.calls.read_on()
        return self._creations() - before

    def figures(self, *, is_settled: bool) -> Figures:
        self.here.calm()
        took_s, pace = time.monotonic() - self.began_at, self._used_per_s()
        calls_again = self.again() if is_settled else 0
        return Figures(
            rows=self.plan.rows,
            verdict=judge(self.here, self.shop.identifiers()),
            is_settled=is_settled,
            struck=dict(self.here.struck),
            deaths=self.here.workers.rebirths,
            minutes_passed=round(self.passed / timedelta(minutes=1)),
            held=self.held,
            permitted_per_s=self.plan.rate,
            used_per_s=round(pace, 1),
            seconds=round(took_s),
            calls_again=calls_again,
        )

    def _look(self) -> int:
        """How many are made."""
        states: dict[str, int] = dict(self.here.ask(STATES))
        self.held = max(self.held, states.get("held", 0))
        if time.monotonic() > self.told_at + LINE_S:
            self.told_at = time.monotonic()
            told = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
            self.tell(f"{self.told_at - self.began_at:5.0f} s  {told}; struck {self.here.struck.total()}")
        return states.get("created", 0)

    def _publish_on(self, made: int) -> None:
        ahead = max(WAVE_ROWS, self.plan.rate * AHEAD_S)
        while self.published < min(self.plan.rows, made + ahead):
            self.here.publish(self.shop.rows[self.published : self.published + WAVE_ROWS])
            self.published = min(self.plan.rows, self.published + WAVE_ROWS)

    def _strike_on(self, made: int) -> None:
        """At even distances in what is made, the last before all is."""
        done = self.plan.kills - len(self.strikes)
        if self.strikes and made >= self.plan.rows * (done + 0.5) / self.plan.kills:
            self.here.strike(self.strikes.pop(0), self.chance)

    def _wait_or_jump(self) -> None:
        ((due_in,),) = self.here.ask(NEXT_DUE)
        if self.published < self.plan.rows or due_in is None or due_in.total_seconds() < JUMP_S_MIN:
            time.sleep(POLL_S)
            return
        self.here.pass_time(int(due_in.total_seconds()) + 1)
        self.passed += due_in

    def _is_under_way(self) -> bool:
        return bool(self.here.ask(OPEN)[0][0])

    def _taken_in(self) -> int:
        return int(self.here.ask(TAKEN_IN)[0][0])

    def _creations(self) -> int:
        return sum(call.method == "POST" and call.path == CREATE for call in self.here.calls.calls)

    def _used_per_s(self) -> float:
        ((calls, took_s),) = self.here.ask(PACE, int(self.plan.rows * (1 - STANDING_SHARE)))
        return float(calls / took_s) if took_s else 0.0


def run(plan: Plan, *, log_dir: Path, tell: Callable[[str], None]) -> Figures:
    chance = Random(plan.seed)
    subscribe = "chaos.signups.blind" if plan.is_blind else "workers.subscribe"
    with place(log_dir, rate=plan.rate, timing=plan.timing, subscribe=subscribe) as here:
        tell(f"{plan.rows:,} customers come")
        shop = open_shop(here.stripe, rows=plan.rows, chance=chance)
        begin_storm(here, rate=plan.rate, unheard=1.0 if plan.is_blind else UNHEARD_SHARE, chance=chance)
        tell("their rows are told, and the storm begins")
        this = Run(here=here, plan=plan, shop=shop, chance=chance, tell=tell)
        return this.figures(is_settled=this.weather())
