"""The same lane in the hands of a machine that picks every next step itself, and looks for the shortest way to a wrong.

A history draws what goes wrong from its weather; here workers, readers, calls and clocks are moved one step at a time,
in any order, and what must always hold is looked at after each. In the end time passes until nothing is left to do.
"""

from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from model.facts import Look, Try, moment
from model.ledger import Lane, MakeLane
from model.rules import TIMING
from model.stripe_books import ANSWERS, StripeBooks
from model.weather import HOUR_S, LAG_S, STALE_S, Canary
from service.outcomes import NOT_MADE, Answer, Outcome, Reach
from service.timing import RETRY_WINDOW_S

WORKERS_MAX = 3
LATE_MAX_S = 600
ROUNDS_MAX = 300
DEADLINE_S = TIMING.call_deadline_s
SILENCE = Answer(reach=Reach.MAYBE_SENT)
PASSES = (1, 15, DEADLINE_S, TIMING.lease_s + 1, 600, HOUR_S, 6 * HOUR_S, 22 * HOUR_S, 25 * HOUR_S, 60 * HOUR_S)
FATES = ("sent", "sent", "vanished", *ANSWERS)
ARRIVALS = ("heard", "error_kept", "error_after", "gateway", "reply_lost")
SETTLED = ("accepted", "refused", "conflict")
LAGS = {"catches_up": LAG_S, "lags": 26 * HOUR_S, "lags_long": 40 * HOUR_S}
CHANGES = ("refuses", "rejects", "takes", *LAGS, "canary", "canary", "slow_canary")
numbers = st.integers(0, WORKERS_MAX - 1)


@dataclass(slots=True, kw_only=True)
class Worker:
    """A process within its turn; standing still is not being picked."""

    fence: int
    step: str = "leased"
    tried: Try | None = None
    outcome: Outcome | None = None
    rest_s: int = 0


@dataclass(slots=True, kw_only=True)
class Flight:
    """A call on its way to Stripe."""

    worker: Worker
    tried: Try
    sent_at: int


class LaneMachine(RuleBasedStateMachine):
    """Subclasses name another lane."""

    make_lane: MakeLane = Lane

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.lane = type(self).make_lane(Random(0))
        self.books = StripeBooks()
        self.workers: list[Worker] = []
        self.flights: list[Flight] = []
        self.looks: list[tuple[Look, int]] = []
        self.canaries: list[Canary] = []
        self.is_refusing = self.is_rejecting = False
        self.rejected: list[tuple[int, str]] = []
        self.lag_s = LAG_S
        self.shown_until = 0
        self.stale_until: int | None = None

    @rule(seconds=st.sampled_from(PASSES))
    def time_passes(self, seconds: int) -> None:
        until = self.now + seconds
        while self.flights and self.flights[0].sent_at + DEADLINE_S + LATE_MAX_S < until:
            self.now = max(self.now, self.flights[0].sent_at + DEADLINE_S + LATE_MAX_S)
            self._arrive(self.flights.pop(0), "reply_lost")
        self.now = until
        self.shown_until = max(self.shown_until, until - self.lag_s)

    @precondition(lambda self: len(self.workers) < WORKERS_MAX)
    @rule()
    def a_worker_takes_the_lane(self) -> None:
        fence = self.lane.take(self.now)
        if fence is not None:
            self.workers.append(Worker(fence=fence))

    @precondition(lambda self: len(self.workers) < WORKERS_MAX)
    @rule(fate=st.sampled_from(FATES))
    def a_worker_comes_and_calls(self, fate: str) -> None:
        """Its first steps without a pause, as they mostly are."""
        known = len(self.workers)
        self.a_worker_takes_the_lane()
        while len(self.workers) > known and self.workers[-1].step in ("leased", "looked", "opened"):
            self.a_worker_takes_its_next_step(known, fate)

    @precondition(lambda self: self.workers)
    @rule(number=numbers, fate=st.sampled_from(FATES))
    def a_worker_takes_its_next_step(self, number: int, fate: str) -> None:
        worker = self.workers[number % len(self.workers)]
        match worker.step:
            case "leased":
                self.lane.close_dead(worker.fence, self.now)
                worker.step = "looked"
            case "looked":
                worker.tried = self.lane.open(worker.fence, self.now)
                worker.step = "opened" if worker.tried else "closed"
            case "opened":
                self._call(worker, fate)
            case "calling":
                self.time_passes(DEADLINE_S)
                self._hear(worker, SILENCE)
            case "heard":
                assert worker.tried is not None
                assert worker.outcome is not None, "it heard something"
                worker.rest_s = self.lane.close(worker.tried, worker.outcome, self.now)
                worker.step = "closed"
            case _:
                self.lane.release(worker.fence, self.now, rest_s=worker.rest_s)
                self.workers.remove(worker)

    @precondition(lambda self: self.flights)
    @rule(number=numbers, fate=st.sampled_from(ARRIVALS), is_twice=st.booleans())
    def a_call_arrives(self, number: int, fate: str, *, is_twice: bool) -> None:
        flight = self.flights.pop(number % len(self.flights))
        self._arrive(flight, fate)
        if is_twice:
            self._arrive(flight, "reply_lost")

    @precondition(lambda self: self.workers)
    @rule(number=numbers)
    def a_worker_is_killed(self, number: int) -> None:
        """Or never hears that its transaction was committed."""
        self.workers.pop(number % len(self.workers))

    @rule(change=st.sampled_from(CHANGES))
    def the_world_changes(self, change: str) -> None:
        """Stripe refuses, rejects later or takes again, its summaries fall behind or catch up, others use the meter."""
        match change:
            case "refuses" | "rejects" | "takes":
                self.is_refusing, self.is_rejecting = change == "refuses", change == "rejects"
            case "lags" | "lags_long" | "catches_up":
                self.lag_s = LAGS[change]
            case _:
                self._canary(called_before_s=20 * HOUR_S if change == "slow_canary" else 0)

    @precondition(lambda self: self.rejected)
    @rule(number=numbers, is_freed=st.booleans())
    def stripe_reports_what_it_rejected(self, number: int, *, is_freed: bool) -> None:
        generation, identifier = self.rejected.pop(number % len(self.rejected))
        if is_freed:
            self.books.free(identifier)
        self.lane.report(generation, self.now)

    @precondition(lambda self: self.lane.state == "held")
    @rule(is_stale=st.booleans())
    def a_reader_looks(self, *, is_stale: bool) -> None:
        """From an old copy at most within one short time: more than that no two readings could tell apart."""
        if not self.lane.claim(self.now):
            return
        if is_stale and self.stale_until is None:
            self.stale_until = self.now + STALE_S
        shown = [one for one in self.canaries if one.called_at <= self.shown_until]
        seen = self.lane.look(self.now, shown)
        assert seen is not None, "it was held as it was claimed"
        is_old = is_stale and self.stale_until is not None and self.now < self.stale_until
        self.looks.append((seen, 0 if is_old else self.books.shown(self.shown_until)))

    @precondition(lambda self: self.looks)
    @rule(number=numbers)
    def a_reader_concludes(self, number: int) -> None:
        seen, counted = self.looks.pop(number % len(self.looks))
        self.lane.conclude(seen, counted, self.now)

    @precondition(lambda self: self.lane.state in ("held", "refused"))
    @rule()
    def a_person_asks_again(self) -> None:
        self.lane.retry(self.now)

    @precondition(lambda self: self.lane.state in ("held", "refused"))
    @rule(is_sure=st.integers(0, 9))
    def a_person_discards(self, is_sure: int) -> None:
        if is_sure == 0:
            self.lane.discard(self.now)

    @invariant()
    def nothing_is_counted_twice(self) -> None:
        assert self.books.wrong is None, self.books.wrong

    @invariant()
    def at_most_one_attempt_is_open(self) -> None:
        assert sum(tried.outcome is None for tried in self.lane.tries) <= 1

    @invariant()
    def no_attempt_is_opened_after_the_window(self) -> None:
        for tried in self.lane.tries[-1:]:
            counted_at = self.books.identifiers.get(tried.identifier, tried.opened_at)
            assert tried.opened_at < counted_at + RETRY_WINDOW_S
            if tried.generation == self.lane.generation and self.lane.doubt is not None:
                assert moment(tried.opened_at - RETRY_WINDOW_S) < self.lane.doubt

    @invariant()
    def one_generation_may_count(self) -> None:
        current = f"mp-{self.lane.generation}"
        assert all(identifier == current for identifier in self.books.identifiers)
        assert all(flight.tried.generation == self.lane.generation for flight in self.flights)

    @invariant()
    def what_is_settled_is_true(self) -> None:
        if self.lane.state == "accepted" and not self.rejected:
            assert len(self.books.counted) == 1, "accepted, and never counted"
        if self.lane.state == "refused":
            assert (self.books.counted, self.flights) == ([], []), "refused, though it may count"

    def teardown(self) -> None:
        """No more faults: workers, readers and persons come until there is nothing left to do."""
        self.is_refusing, self.is_rejecting, self.lag_s = False, False, LAG_S
        self.workers, self.looks = [], []
        for _ in range(ROUNDS_MAX):
            while self.rejected:
                self.stripe_reports_what_it_rejected(0, is_freed=False)
            if self.books.wrong or self.lane.state in SETTLED or self.lane.is_discarded:
                break
            self.time_passes(HOUR_S)
            if self.lane.state == "held":
                self._canary(called_before_s=0)
                self.time_passes(HOUR_S)
                self._read()
            else:
                self._work()
        self.nothing_is_counted_twice()
        assert self.lane.state in SETTLED or self.lane.is_discarded, f"{self.lane.state} for ever"
        self.what_is_settled_is_true()

    def _canary(self, *, called_before_s: int) -> None:
        self.canaries.insert(0, Canary(len(self.canaries) + 1, self.now - called_before_s, self.now))

    def _work(self) -> None:
        self.a_worker_takes_the_lane()
        while self.workers:
            self.a_worker_takes_its_next_step(0, "sent")
            if self.flights:
                self._arrive(self.flights.pop(), "heard")

    def _read(self) -> None:
        self.a_reader_looks(is_stale=False)
        while self.looks:
            self.a_reader_concludes(0)

    def _call(self, worker: Worker, fate: str) -> None:
        tried = worker.tried
        assert tried is not None, "it was opened"
        if not self.lane.rules.may_call(self.now - tried.opened_at):
            worker.step, worker.outcome = "heard", NOT_MADE
            return
        self.books.begin_call(self.now, lasts_s=0 if fate in ANSWERS else DEADLINE_S)
        worker.step = "calling"
        if fate in ANSWERS:
            self._hear(worker, ANSWERS[fate])
        elif fate == "sent":
            self.flights.append(Flight(worker=worker, tried=tried, sent_at=self.now))

    def _arrive(self, flight: Flight, fate: str) -> None:
        identifier, key = flight.tried.identifier, flight.tried.key
        moods = {"is_refusing": self.is_refusing, "is_rejecting": self.is_rejecting}
        answer = self.books.take(identifier, key=key, at=self.now, fate=fate, **moods)
        self.rejected += [(flight.tried.generation, rejected) for rejected in self.books.rejections]
        self.books.rejections.clear()
        if fate != "reply_lost" and self.now <= flight.sent_at + DEADLINE_S and flight.worker.step == "calling":
            self.books.end_call(self.now)
            self._hear(flight.worker, answer)

    def _hear(self, worker: Worker, answer: Answer) -> None:
        worker.step, worker.outcome = "heard", self.lane.rules.classify(answer)
