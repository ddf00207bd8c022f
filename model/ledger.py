"""A lane with one meter event, as the model's ledger has it, and what each step of the workers does to it.

Each public method is one transaction of a worker or of a person, and says whose. What follows from an outcome or a
reading is asked of the service's own rules; what is here is what the ledger's statements hold: leases, fences, guards.
`tests/model/` plays the same histories through those statements themselves, and compares after every step.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from random import Random

from model.facts import ALONE, BEGIN, REJECTION, VALUE, Look, Reading, Try, absent_since, may_be_a_copy, moment
from model.rules import OURS, TIMING, Rules
from model.weather import Canary
from service.decide import Again, Attempt, Decision, Generation, Send, Settle
from service.outcomes import LOST, Accepted, Outcome, Scope, Unavailable, Unknown
from service.read_back import (
    Absent,
    Contradicted,
    Part,
    Present,
    Unseen,
    Verdict,
    is_too_old,
    wait,
    why_unsendable,
)

SENDABLE = ("sealed", "unknown")
LEASE_S = TIMING.lease_s


class Lane:
    """The ledger of one meter event."""

    def __init__(self, chance: Random, *, rules: Rules = OURS) -> None:
        self.rules = rules
        self.state = "sealed"
        self.generation = 1
        self.due_at: int | None = 0
        self.read_back_at: datetime | None = None
        self.is_discarded = False
        self.lane_due_at: int | None = 0
        self.leased_until = 0
        self.fence = 0
        self.open_try: Try | None = None
        self.tries: list[Try] = []
        self.readings: list[Reading] = []
        self.reported: set[int] = set()
        self._chance = chance.random
        self._facts = Generation(identifier="mp-1", ambiguous_since=None)
        self._attempts: list[Attempt] = []
        self._last_attempt_at = 0

    @property
    def doubt(self) -> datetime | None:
        return self._facts.ambiguous_since

    def take(self, now: int) -> int | None:
        """`submit` leases the lane. Returns the fence; None: it is not due, or another's."""
        if self.lane_due_at is None or self.lane_due_at > now or self.leased_until > now:
            return None
        self.fence += 1
        self.leased_until = now + LEASE_S
        return self.fence

    def close_dead(self, fence: int, now: int) -> None:
        """The holder closes what an earlier one left open."""
        tried = self.open_try
        if tried is not None and self._is_dead(tried, fence):
            self._end(tried, LOST, now)
            self._act(self._decided(LOST, now), now)

    def open(self, fence: int, now: int) -> Try | None:
        """The holder writes down its call. None: there is none to make."""
        if not self._is_holder(fence):
            return None
        self.leased_until = now + LEASE_S
        if self.state not in SENDABLE or self.due_at is None or self.due_at > now:
            return None
        decision = self._decided(None, now)
        if not isinstance(decision, Send):
            self._act(decision, now)
            return None
        assert self.open_try is None, "a lane has one open attempt"
        tried = Try(self.generation, self._identifier(), decision.idempotency_key, fence, now, len(self._attempts))
        self.tries.append(tried)
        self.open_try, self._last_attempt_at = tried, now
        return tried

    def close(self, tried: Try, outcome: Outcome, now: int) -> int:
        """Whoever opened an attempt closes it. Returns how many seconds the lane rests."""
        if not self._is_holder(tried.fence):
            self._end(tried, outcome, now)
            self._act_late(tried, outcome, now)
            return 0
        self.leased_until = now + LEASE_S
        self._end(tried, outcome, now)
        decision = self._decided(outcome, now)
        self._act(decision, now)
        return self._rest(outcome, decision)

    def release(self, fence: int, now: int, *, rest_s: int) -> None:
        """The holder gives the lane back."""
        if self._is_holder(fence):
            self.leased_until = 0
            self.lane_due_at = max(self.due_at, now + rest_s) if self.due_at is not None else None

    def claim(self, now: int) -> bool:
        """`reconcile` takes what is held and due to be read back."""
        is_due = self.read_back_at is None or self.read_back_at <= moment(now)
        if self.state != "held" or self.is_discarded or not is_due:
            return False
        self.read_back_at = moment(now + TIMING.drain_s)
        return True

    def look(self, now: int, canaries: Iterable[Canary]) -> Look | None:
        """`reconcile` asks what the ledger knows of the minute. None: nothing in it is held any more."""
        return self._look(now, canaries)

    def conclude(self, seen: Look, counted: int, now: int) -> Verdict | None:
        """`reconcile` acts on a reading. None: the ledger changed meanwhile, and it counts for nothing."""
        if seen.minute.is_moving:
            self._read_back_later(seen, now)
            return None
        verdict = self.rules.judge(seen.minute, counted * VALUE, read_at=seen.read_at, timing=TIMING)
        if not self._is_as_seen(seen, now):
            return None
        canary_id, figure = seen.minute.canary_id, counted * VALUE
        self.readings.append(Reading(self.generation, seen.read_at, figure, verdict, canary_id))
        match verdict:
            case Present():
                self._settle("accepted")
            case Contradicted():
                self._settle("conflict")
            case Absent(proof=str()) if why_unsendable(seen.minute, now=seen.read_at):
                self._settle("refused")
            case Absent(proof=str()):
                self._begin_next_generation(now)
            case Unseen() | Absent() | Part():
                self._read_back_later(seen, now)
        return verdict

    def report(self, generation: int, _: int) -> None:
        """`apply` acts on an error report that names a generation: refused, unless another call of it may count."""
        self.reported.add(generation)
        if generation == self.generation and self.state in (*SENDABLE, "accepted", "held"):
            self._settle("held" if self._is_called_again(generation) else "refused")
            self.read_back_at = None

    def retry(self, now: int) -> None:
        """A person asks: a refused one is sent anew, for a held one the books are read."""
        if self.is_discarded:
            return
        if self.state == "refused" and self.open_try is None:
            self._begin_next_generation(now)
        elif self.state == "held" and (self.read_back_at is None or self.read_back_at > moment(now)):
            self.read_back_at = moment(now)

    def discard(self, _: int) -> None:
        """A person takes it off the desk; it is never sent again."""
        self.is_discarded = self.is_discarded or self.state in ("refused", "held", "conflict")

    def jitter(self, seconds_max: float) -> int:
        return int(self._chance() * seconds_max)

    def _is_holder(self, fence: int) -> bool:
        return fence == self.fence

    def _is_dead(self, tried: Try, fence: int) -> bool:
        return tried.fence < fence

    def _identifier(self) -> str:
        return self._facts.identifier

    def _is_canary(self, canary: Canary) -> bool:
        """Called for and accepted after our last attempt; what was called for before may have been received before."""
        return canary.called_at > self._last_attempt_at

    def _decided(self, outcome: Outcome | None, now: int) -> Decision:
        return self.rules.decide(self._known(), self._attempts, outcome, now=moment(now), timing=TIMING)

    def _known(self) -> Generation:
        """What the ledger has of the present generation, with what Stripe reported of it."""
        if self.generation not in self.reported:
            return self._facts
        return replace(
            self._facts, rejection=REJECTION, is_rejection_of_one_copy=self._is_called_again(self.generation)
        )

    def _is_called_again(self, generation: int) -> bool:
        """Whether several calls of a generation may each have been taken."""
        return sum(may_be_a_copy(tried) for tried in self.tries if tried.generation == generation) > 1

    def _end(self, tried: Try, outcome: Outcome, now: int) -> None:
        if tried.outcome is not None and tried.outcome is not LOST:
            return
        tried.ended_at, tried.outcome, self._last_attempt_at = now, outcome, now
        if tried is self.open_try:
            self.open_try = None
        if tried.generation == self.generation:
            answer = outcome.answer
            told = Attempt(
                started_at=moment(tried.opened_at),
                outcome=type(outcome).__name__.lower(),
                status=answer.status,
                is_replayed=answer.is_replayed,
            )
            self._attempts[tried.place : tried.place + 1] = [told]

    def _act_late(self, tried: Try, outcome: Outcome, now: int) -> None:
        """An acceptance counts under any fence, a doubt too; the rest is the present holder's to find out."""
        is_current = self._is_current(tried)
        if not is_current and tried.generation in self.reported and not self._is_called_again(tried.generation):
            return
        facts = self._known() if is_current else replace(self._facts, is_current=False)
        if isinstance(outcome, Accepted) or (isinstance(outcome, Unknown) and is_current):
            decision = self.rules.decide(facts, self._attempts, outcome, now=moment(now), timing=TIMING)
            if isinstance(outcome, Accepted):
                self._act(decision, now)
            self._note_doubt(decision)

    def _is_current(self, tried: Try) -> bool:
        return tried.generation == self.generation and self.state != "refused"

    def _act(self, decision: Decision, now: int) -> None:
        match decision:
            case Send():
                raise AssertionError("to send is to open an attempt")
            case Again():
                wait_s = self.jitter(decision.wait_s_max)
                if self.state in SENDABLE:
                    self.state, self.due_at = decision.state, now + wait_s
            case Settle(state="accepted"):
                if self.state in ("sealed", "unknown", "held"):
                    self._settle("accepted")
            case Settle(state="conflict"):
                self._settle("conflict")
            case Settle():
                if self.state in SENDABLE:
                    self._settle(decision.state)
        self._note_doubt(decision)

    def _rest(self, outcome: Outcome, decision: Decision) -> int:
        if not isinstance(decision, Again) or not isinstance(outcome, Unavailable | Unknown):
            return 0
        if outcome.scope is Scope.LIMITER:
            return 0
        return self.jitter(min(decision.wait_s_max, TIMING.lane_backoff_max_s))

    def _note_doubt(self, decision: Decision) -> None:
        assert not isinstance(decision, Send), "an outcome is decided about"
        if decision.ambiguous_since is not None and self._facts.ambiguous_since is None:
            self._facts = Generation(identifier=self._facts.identifier, ambiguous_since=decision.ambiguous_since)

    def _settle(self, state: str) -> None:
        self.state, self.due_at = state, None
        if state == "accepted":
            self.read_back_at = None

    def _look(self, now: int, canaries: Iterable[Canary]) -> Look | None:
        if self.state != "held" or self.is_discarded:
            return None
        canary = next(filter(self._is_canary, canaries), None)
        minute = replace(
            ALONE,
            is_moving=self.open_try is not None,
            generation=self.generation,
            last_attempt_at=moment(self._last_attempt_at),
            absent_since=self._absent_since(),
            canary_id=canary and canary.number,
            report=REJECTION if self.generation in self.reported else None,
        )
        return Look(minute, moment(now))

    def _is_as_seen(self, seen: Look, now: int) -> bool:
        again, known = self._look(now, ()), seen.minute
        if again is None:
            return False
        return replace(again.minute, canary_id=known.canary_id, absent_since=known.absent_since) == known

    def _absent_since(self) -> datetime | None:
        ripe_at = moment(self._last_attempt_at + TIMING.absence_wait_s)
        return absent_since(self.readings, generation=self.generation, ripe_at=ripe_at)

    def _read_back_later(self, seen: Look, now: int) -> None:
        self.read_back_at = moment(now) + wait(seen.minute, now=seen.read_at, timing=TIMING)

    def _begin_next_generation(self, now: int) -> None:
        if is_too_old(BEGIN, now=moment(now)):
            return
        self.generation += 1
        self.state, self.due_at, self.read_back_at = "sealed", now, None
        self.lane_due_at = now if self.lane_due_at is None else min(self.lane_due_at, now)
        self._facts = Generation(identifier=f"mp-{self.generation}", ambiguous_since=None)
        self._attempts = []


MakeLane = Callable[[Random], Lane]
