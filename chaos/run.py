"""One run: rows flow, step by step something is broken, then everything is mended, drained and judged."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos import events
from chaos.calls import CallLog
from chaos.events import Heard
from chaos.faults import play, struck
from chaos.judge import Verdict, judge
from chaos.load import BATCH_ROWS, BATCHES_A_BAD_ROW
from chaos.plan import KILLS, TIMES_MIN, Plan
from chaos.world import World, world
from local.stack import SANDBOX_ACCOUNT

POLL_S = 0.1
BREATH_S = 0.6  # between two faults, so that work goes on in between
BATCHES_WAITING_MAX = 60  # asked for and not confirmed: the next fault waits
UNSENT_MAX = 2_000  # meter events: a fault has to strike work, and the drain is not there to catch up with a run
LOOK_EVERY = 5  # steps
STUCK_S = 120
DRAIN_MAX_S = 300  # after the last fault, whatever happened
CALLS_READ_EVERY = 20  # steps; the sandbox forgets calls after a hundred thousand

UNSENT = "SELECT count(*) FROM meter_event WHERE state IN ('sealed', 'unknown')"
LEFT = """
SELECT (SELECT count(*) FROM meter_event WHERE state IN ('sealed', 'unknown', 'accepted'))
    + (SELECT count(*) FROM attempt WHERE ended_at IS NULL)
    + (SELECT count(*) FROM entry WHERE meter_event_id IS NULL)
"""
INTAKES = """
SELECT coalesce(sum(rows), 0), coalesce(sum(recorded), 0), coalesce(sum(duplicates), 0), coalesce(sum(conflicts), 0),
    (SELECT count(*) FROM quarantine)
FROM intake
"""
STANDING = "SELECT state, reason FROM meter_event WHERE state IN ('refused', 'held', 'conflict')"

Tell = Callable[[str], None]


class Stuck(Exception):
    """A run does not go on: neither lost nor doubled, but nobody would wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run found, whether it came to its end or not."""

    seed: int
    rows: int
    acknowledged: int
    taken_in: int  # rows that record saw, however often
    recorded: int
    duplicates: int
    redelivered: int  # seen more often than producers meant to tell them
    conflicts: int
    quarantined: int
    quarantined_wanted: int
    standing: tuple[str, ...]  # meter events before a person, each with its reason
    faults: dict[str, int]
    restarts: int  # of workers, the door and producers
    run_s: float
    drain_s: float | None  # None: it did not drain within DRAIN_MAX_S
    verdict: Verdict
    heard: Heard

    @property
    def kills(self) -> int:
        return sum(self.faults[kind] for kind in KILLS)

    def wrongs(self) -> list[str]:
        """What is wrong, a sentence each; none in a good run."""
        rare = [f"{kind} struck only {times} times" for kind, times in self.faults.items() if times < TIMES_MIN]
        claims = {
            f"{self.rows - self.acknowledged:,} rows were not acknowledged": self.rows == self.acknowledged,
            f"{self.recorded:,} rows were recorded of {self.rows:,}": self.recorded == self.rows,
            f"{self.conflicts:,} rows told something else than before": self.conflicts == 0,
            f"{self.quarantined:,} rows in quarantine": self.quarantined == self.quarantined_wanted,
            f"not drained within {DRAIN_MAX_S} s": self.drain_s is not None,
        }
        broken = [wrong for wrong, is_well in claims.items() if not is_well]
        unexplained = [f"unexplained: {each}" for each in self.standing]
        return [*self.verdict.wrongs(), *self.heard.wrongs(), *unexplained, *rare, *broken]


@dataclass(kw_only=True)
class Run:
    """A run on its way; `found` can be asked at any time."""

    world: World
    plan: Plan
    tell: Tell
    played: Counter[str] = field(default_factory=Counter)
    began_at: float = field(default_factory=time.monotonic)
    drain_s: float | None = None
    _struck: dict[str, int] | None = None

    def __post_init__(self) -> None:
        self.calls = CallLog(sandbox_url=self.world.sandbox_url, account=SANDBOX_ACCOUNT)

    def hurt(self) -> None:
        """Every step of the plan, then the rest of the rows, until each of them is acknowledged."""
        for step in self.plan.steps:
            self._go_on(step.batches, step.number)
            play(self.world, step)
            self.played[step.kind] += 1
            self._breathe()
            if step.number % LOOK_EVERY == 0:
                self._wait(self._keeps_up, what="meter events are not sent", max_s=STUCK_S)
            if step.number % CALLS_READ_EVERY == 0:
                self.calls.read_on()
                self._tell_progress(step.number)
        rest = self._see_them_strike(self.plan.tail)
        self.world.producers.ask(rest)
        self._wait(lambda: self.world.producers.waiting == 0, what="the last rows are not acknowledged", max_s=STUCK_S)

    def drain(self) -> None:
        """Lay every fault down and wait until nothing is left to be done."""
        self._struck = struck(self.world, self.played)
        self.world.calm()
        began_at = time.monotonic()
        try:
            self._wait(self._is_drained, what="something is left", max_s=DRAIN_MAX_S)
        except Stuck:
            return
        self.drain_s = time.monotonic() - began_at

    def found(self) -> Found:
        """What is known as of now."""
        safe = self.world.producers.safe
        told = self.world.load.units(safe)
        verdict = judge(told, database_url=self.world.database_url, calls=self.calls)
        ((taken_in, recorded, duplicates, conflicts, quarantined),) = self.world.ask(INTAKES)
        batches, bad = self.world.load.batches, len(range(0, self.world.load.batches, BATCHES_A_BAD_ROW))
        meant = batches * BATCH_ROWS + (batches - 1) + bad
        return Found(
            seed=self.world.load.seed,
            rows=batches * BATCH_ROWS,
            acknowledged=len(safe) * BATCH_ROWS,
            taken_in=int(taken_in),
            recorded=int(recorded),
            duplicates=int(duplicates),
            redelivered=max(0, int(taken_in) - meant),
            conflicts=int(conflicts),
            quarantined=quarantined,
            quarantined_wanted=bad,
            standing=tuple(f"{state}: {reason}" for state, reason in self.world.ask(STANDING)),
            faults=self._struck or struck(self.world, self.played),
            restarts=self.world.producers.deaths + self.world.web.restarts + self.world.workers.rebirths,
            run_s=time.monotonic() - self.began_at,
            drain_s=self.drain_s,
            verdict=verdict,
            heard=self._heard(),
        )

    def _go_on(self, batches: Sequence[int], number: int) -> None:
        """Something to do for every step: rows are told, and a subscription changes at Stripe."""
        self.world.producers.ask(batches)
        subscriptions = self.world.subscriptions
        events.change(self.world.stripe, subscriptions[number % len(subscriptions)], step=number)

    def _see_them_strike(self, batches: tuple[int, ...]) -> tuple[int, ...]:
        """Send batch after batch for as long as a fault that is armed finds nothing to strike; returns the rest."""
        number = len(self.plan.steps)
        while batches and not self._have_struck():
            self._go_on(batches[:1], number)
            batches, number = batches[1:], number + 1
            self._wait(lambda: self._have_struck() or self._is_idle(), what="an armed fault waits", max_s=STUCK_S)
        return batches

    def _have_struck(self) -> bool:
        happened = struck(self.world, self.played)
        return all(happened[kind] >= times for kind, times in self.played.items())

    def _is_idle(self) -> bool:
        ((left,),) = self.world.ask(LEFT)
        return bool(left == 0) and self.world.producers.waiting == 0

    def _breathe(self) -> None:
        threading.Event().wait(BREATH_S)
        self._wait(lambda: self.world.producers.waiting <= BATCHES_WAITING_MAX, what="producers wait", max_s=STUCK_S)

    def _wait(self, claim: Callable[[], bool], *, what: str, max_s: float) -> None:
        deadline = time.monotonic() + max_s
        self.world.producers.tend()
        while not claim():
            if time.monotonic() > deadline:
                raise Stuck(f"{what} after {max_s:.0f} s")
            threading.Event().wait(POLL_S)
            self.world.producers.tend()

    def _keeps_up(self) -> bool:
        ((unsent,),) = self.world.ask(UNSENT)
        return bool(unsent <= UNSENT_MAX)

    def _is_drained(self) -> bool:
        ((_, recorded, _, _, _),) = self.world.ask(INTAKES)
        if recorded < self.world.load.batches * BATCH_ROWS:
            return False
        ((left,),) = self.world.ask(LEFT)
        return bool(left == 0) and not self._heard().wrongs()

    def _heard(self) -> Heard:
        return events.hear(self.world.stripe, database_url=self.world.database_url)

    def _tell_progress(self, step: int) -> None:
        safe = len(self.world.producers.safe) * BATCH_ROWS
        rows = self.world.load.batches * BATCH_ROWS
        elapsed_s = time.monotonic() - self.began_at
        self.tell(
            f"{elapsed_s:5.0f} s  {step + 1:>5,} faults  {safe:>9,} of {rows:,} rows  {len(self.calls.calls):,} calls"
        )


def run(seed: int, plan: Plan, *, batches: int, log_dir: Path, tell: Tell) -> Found:
    """The whole of it. Ctrl-C ends the faults, and what is known by then is found."""
    with world(seed, batches=batches, log_dir=log_dir) as made:
        on_its_way = Run(world=made, plan=plan, tell=tell)
        try:
            on_its_way.hurt()
            on_its_way.drain()
        except KeyboardInterrupt:
            tell("interrupted: this is what is known")
        except Stuck as stuck:
            tell(f"stuck: {stuck}")
        return on_its_way.found()
