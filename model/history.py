"""Days in the life of one meter event: workers come and go, calls arrive or not, and in the end Stripe has counted.

The weather draws what goes wrong; the lane is the ledger and the workers' steps; Stripe's books are the oracle.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from heapq import heappop, heappush
from random import Random

from model.facts import BEGIN, Look, Try
from model.ledger import LEASE_S, Lane, MakeLane
from model.rules import TIMING
from model.stripe_books import ANSWERS, StripeBooks
from model.weather import HOUR_S, REPORT_MIN_S, Weather
from service.outcomes import NOT_MADE, Answer, Outcome, Reach

LIFE_S = 16 * 24 * HOUR_S  # long after the last storm; what is not settled then never will be
ON_THE_WAY_MAX_S = 6
LATE_MAX_S = 600
FREEZE_MAX_S = 60 * HOUR_S
VISIT_MIN_S, VISIT_MAX_S = HOUR_S, 48 * HOUR_S  # until a reader or a person comes to what has just settled
READER_FREEZES_SHARE = 0.05
RETRIES_MAX = 2  # by a person
NEVER = 1 << 60
SILENCE = Answer(reach=Reach.MAYBE_SENT)
SECOND = timedelta(seconds=1)


class History:
    def __init__(self, seed: int, *, make_lane: MakeLane = Lane, is_told: bool = False) -> None:
        chance = Random(seed)
        self.lane = make_lane(chance)
        self._chance = chance
        self._random = chance.random
        self._weather = Weather(chance)
        self._books = StripeBooks()
        self._now = 0
        self._to_come: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._number = 0
        self._visit_at: int | None = None
        self._retries = 0
        self._told: list[str] | None = [] if is_told else None

    @property
    def state(self) -> str:
        return self.lane.state

    def play(self) -> str | None:
        """Plays it to its end. What is wrong with it, in a sentence; None where nothing is."""
        to_come, books = self._to_come, self._books
        while books.wrong is None:
            at = self._next_visit()
            if to_come and to_come[0][0] <= at:
                self._now, _, act, about = heappop(to_come)
                act(*about)
            elif at <= LIFE_S:
                self._now = at
                self._visit()
            else:
                break
            if self._told is not None:
                self._say(self.lane.state, "generation", self.lane.generation)
        return books.wrong or self._wrong_at_last()

    def told(self) -> Iterator[str]:
        """What happened, a line each, with its hour."""
        yield from self._told or ()

    def _wrong_at_last(self) -> str | None:
        counted, state = len(self._books.counted), self.lane.state
        match state:
            case "accepted":
                return None if counted == 1 else "accepted, and never counted"
            case "refused":
                return None if counted == 0 else "refused, though it was counted"
            case "held" | "conflict":
                return None
            case _:
                return f"{state} for ever"

    def _next_visit(self) -> int:
        """When somebody next comes by himself: a worker, a reader or a person."""
        lane = self.lane
        due_at = lane.lane_due_at
        at = NEVER if due_at is None else max(due_at, lane.leased_until)
        if lane.state in ("held", "refused"):
            if self._visit_at is None:
                self._visit_at = self._now + VISIT_MIN_S + int(self._random() * (VISIT_MAX_S - VISIT_MIN_S))
            at = min(at, self._visit_at)
        else:
            self._visit_at = None
        return max(at, self._now)

    def _visit(self) -> None:
        if self._visit_at is not None and self._visit_at <= self._now:
            self._stand_by()
        else:
            self._work()

    def _work(self) -> None:
        """A worker takes the lane, closes what an earlier one left open, and calls."""
        lane, now = self.lane, self._now
        fence = lane.take(now)
        assert fence is not None, "a worker comes when the lane is due and free"
        lane.close_dead(fence, now)
        tried = lane.open(fence, now)
        if tried is None:
            lane.release(fence, now, rest_s=0)
        else:
            self._call(tried)

    def _call(self, tried: Try) -> None:
        fate = self._weather.fate(self._now)
        if self._told is not None:
            self._say("call", tried.identifier, "under", tried.key, "with fence", tried.fence, fate)
        if fate == "killed_before":
            return
        call_at = self._now + (self._freeze() if fate == "frozen_before" else int(self._random() * 3))
        if not self.lane.rules.may_call(call_at - tried.opened_at):
            self._later(call_at, self._close, (tried, NOT_MADE, fate))
            return
        self._books.begin_call(call_at, lasts_s=0 if fate in ANSWERS else TIMING.call_deadline_s)
        if fate in ANSWERS:
            self._later(call_at, self._hear, (tried, ANSWERS[fate], fate))
        elif fate == "vanished":
            self._later(call_at + TIMING.call_deadline_s, self._hear, (tried, SILENCE, fate))
        else:
            self._send(tried, fate, call_at=call_at)

    def _send(self, tried: Try, fate: str, *, call_at: int) -> None:
        arrives_at = call_at + int(self._random() * ON_THE_WAY_MAX_S)
        if fate in ("reply_lost", "late"):
            self._later(call_at + TIMING.call_deadline_s, self._hear, (tried, SILENCE, fate))
        if fate == "late":
            arrives_at += TIMING.call_deadline_s + int(self._random() * LATE_MAX_S)
        self._later(arrives_at, self._arrive, (tried, fate))

    def _arrive(self, tried: Try, fate: str) -> None:
        sky = self._weather.at(self._now)
        moods = {"is_refusing": sky.is_refusing, "is_rejecting": sky.is_rejecting}
        answer = self._books.take(tried.identifier, key=tried.key, at=self._now, fate=fate, **moods)
        self._tell_of_rejections(tried)
        if self._told is not None:
            self._say("Stripe answers", answer.status, answer.message)
        if fate != "late":
            self._books.end_call(self._now)
        if fate == "frozen_after":
            self._later(self._now + self._freeze(), self._hear, (tried, answer, fate))
        elif fate not in ("reply_lost", "late", "killed_after"):
            self._later(self._now, self._hear, (tried, answer, fate))

    def _tell_of_rejections(self, tried: Try) -> None:
        """What was rejected just now is reported later; before that, Stripe may have freed its identifier."""
        while self._books.rejections:
            identifier = self._books.rejections.pop()
            if self._weather.is_freeing:
                self._later(self._now + REPORT_MIN_S, self._books.free, (identifier,))
            self._later(self._now + self._weather.told_after_s(), self._report, (tried.generation,))

    def _report(self, generation: int) -> None:
        if self._told is not None:
            self._say("Stripe reports that it rejected generation", generation)
        self.lane.report(generation, self._now)

    def _hear(self, tried: Try, answer: Answer, fate: str) -> None:
        self._close(tried, self.lane.rules.classify(answer), fate)

    def _close(self, tried: Try, outcome: Outcome, fate: str) -> None:
        """The worker has heard, or gave up waiting; by now the lane may be another's."""
        if self._told is not None:
            self._say(tried.identifier, "with fence", tried.fence, "is", type(outcome).__name__)
        rest_s = self.lane.close(tried, outcome, self._now)
        if fate != "killed_closing":
            self.lane.release(tried.fence, self._now, rest_s=rest_s)

    def _stand_by(self) -> None:
        """What stands is read back, or a person asks for it to be sent anew."""
        lane = self.lane
        if lane.state == "refused":
            self._retries += 1
            self._visit_at = None
            if self._retries > RETRIES_MAX:
                self._visit_at = NEVER
            else:
                lane.retry(self._now)
            return
        self._read_back()
        if lane.read_back_at is not None:
            self._visit_at = -((BEGIN - lane.read_back_at) // SECOND)

    def _read_back(self) -> None:
        if not self.lane.claim(self._now):
            return
        seen = self.lane.look(self._now, self._weather.canaries(self._now))
        assert seen is not None, "it was held as it was claimed"
        is_stale = self._weather.is_stale(self._now)
        counted = 0 if is_stale else self._books.shown(self._weather.shown_until(self._now))
        if self._random() < READER_FREEZES_SHARE:
            self._later(self._now + self._freeze(), self._conclude, (seen, counted))
        else:
            self._conclude(seen, counted)

    def _conclude(self, seen: Look, counted: int) -> None:
        verdict = self.lane.conclude(seen, counted, self._now)
        if self._told is not None:
            self._say("read at", f"{seen.read_at:%d %H:%M}:", counted, "counted,", verdict)

    def _freeze(self) -> int:
        """Half of the freezes end just after the lease, when the next holder is busy."""
        if self._random() < 0.5:
            return LEASE_S + int(self._random() * LEASE_S)
        return min(FREEZE_MAX_S, int(self._chance.lognormvariate(7, 3)))

    def _later(self, at: int, act: Callable[..., None], about: tuple[object, ...]) -> None:
        self._number += 1
        heappush(self._to_come, (at, self._number, act, about))

    def _say(self, *what: object) -> None:
        assert self._told is not None, "whoever says asked before whether it is told"
        self._told.append(f"{self._now / HOUR_S:8.3f} h  {' '.join(map(str, what))}")
