"""Days in the life of one meter event: workers come and go, calls arrive or not, and in the end Stripe has counted.

A lane's lease and fence, attempts that stay open until somebody closes them, generations: all that could bill twice.
What follows from an outcome or a reading is asked of the service's own rules.
"""

from collections.abc import Iterator
from decimal import Decimal
from heapq import heappop, heappush
from random import Random

from model.ledger import BEGIN, MeterEvent, Try, moment
from model.rules import OURS, TIMING, Case, Rules
from model.stripe_books import ANSWERS, StripeBooks
from model.weather import HEARD, HOUR_S, Weather
from service.decide import Again, Attempt, Decision, Send, Settle
from service.outcomes import LOST, Accepted, Answer, Outcome, Reach, Refused, Unavailable, Unknown
from service.read_back import Absent, Contradicted, HeldMinute, Part, Present, Unseen, wait, why_unsendable

VALUE = Decimal(7)
LIFE_S = 16 * 24 * HOUR_S  # long after the last storm; what is not settled then never will be
ON_THE_WAY_MAX_S = 5.0
LATE_MAX_S = 600.0
FREEZE_MAX_S = 60 * HOUR_S
CANARY_EVERY_S = 6 * HOUR_S
RETRIES_MAX = 2  # by a person
NEVER = float("inf")
SILENCE = Answer(reach=Reach.MAYBE_SENT)


class History:
    def __init__(self, seed: int, *, rules: Rules = OURS) -> None:
        self._chance = Random(seed)
        self._weather = Weather(self._chance)
        self._rules = rules
        self._books = StripeBooks()
        self._event = MeterEvent()
        self._now = 0.0
        self._fence = 0
        self._leased_until = 0.0
        self._to_come: list[tuple[float, int, Try, str, Answer]] = []
        self._number = 0
        self._told: list[tuple[float, tuple[object, ...]]] = []

    def play(self) -> str | None:
        """Plays it to its end. What is wrong with it, in a sentence; None where nothing is."""
        while (at := min(self._next_turn(), self._to_come[0][0] if self._to_come else NEVER)) <= LIFE_S:
            self._now = at
            if self._to_come and self._to_come[0][0] <= at:
                _, _, tried, fate, answer = heappop(self._to_come)
                self._arrive(tried, fate) if fate else self._hear(tried, answer)
            else:
                self._turn()
            if len(self._books.counted) > 1:
                return "counted twice"
        return self._wrong_at_last()

    @property
    def state(self) -> str:
        return self._event.state

    def told(self) -> Iterator[str]:
        """What happened, a line each, with its hour."""
        for at, what in self._told:
            yield f"{at / HOUR_S:8.3f} h  {' '.join(map(str, what))}"

    def _wrong_at_last(self) -> str | None:
        counted, state = len(self._books.counted), self._event.state
        match state:
            case "accepted":
                return None if counted == 1 else "accepted, and never counted"
            case "refused":
                return None if counted == 0 else "refused, though it was counted"
            case "held" | "conflict":
                return None
            case _:
                return f"{state} for ever"

    def _next_turn(self) -> float:
        match self._event.state:
            case "sealed" | "unknown":
                return max(self._now, self._event.due_at, self._leased_until)
            case "held" | "refused":
                return max(self._now, self._event.due_at)
            case _:
                return NEVER

    def _turn(self) -> None:
        match self._event.state:
            case "held":
                self._read_back()
            case "refused":
                self._retry()
            case _:
                self._lease()

    def _lease(self) -> None:
        """A worker takes the lane, closes what an earlier one left open, and calls."""
        self._fence += 1
        self._leased_until = self._now + TIMING.lease_s
        for tried in self._event.tries:
            if tried.is_open():
                self._close(tried, LOST)
                self._act(self._decided(LOST))
        if self._event.state not in ("sealed", "unknown") or self._event.due_at > self._now:
            self._leased_until = self._now
            return
        match self._decided(None):
            case Send(idempotency_key=key):
                self._call(self._opened(key))
            case decision:
                self._act(decision)
                self._leased_until = self._now

    def _opened(self, key: str) -> Try:
        event = self._event
        identifier = self._rules.identifier(event.facts().identifier, len(event.current()))
        tried = Try(
            generation=event.generation,
            identifier=identifier,
            key=key,
            fence=self._fence,
            opened_at=self._now,
            told=Attempt(started_at=moment(self._now), outcome=None, status=None, is_replayed=False),
        )
        event.tries.append(tried)
        return tried

    def _call(self, tried: Try) -> None:
        fate = self._weather.fate(self._now)
        self._say("call", tried.identifier, "under", tried.key, fate)
        call_at = self._now + (self._freeze() if fate == "frozen_before" else self._chance.random())
        if fate == "killed_before":
            return
        if not self._rules.may_call(call_at - tried.opened_at):
            self._later(call_at, tried, Answer(reach=Reach.NOT_SENT))
        elif fate in ANSWERS:
            self._later(call_at + 0.2, tried, ANSWERS[fate])
        elif fate == "vanished":
            self._later(call_at + TIMING.call_deadline_s, tried, SILENCE)
        else:
            self._send(tried, fate, call_at=call_at)

    def _send(self, tried: Try, fate: str, *, call_at: float) -> None:
        if fate in ("reply_lost", "late"):
            self._later(call_at + TIMING.call_deadline_s, tried, SILENCE)
        late_s = TIMING.call_deadline_s + self._chance.uniform(0, LATE_MAX_S) if fate == "late" else 0.0
        self._push(call_at + late_s + self._chance.uniform(0, ON_THE_WAY_MAX_S), tried, fate=fate, answer=SILENCE)

    def _arrive(self, tried: Try, fate: str) -> None:
        is_refusing = self._weather.at(self._now).is_refusing
        answer = self._books.take(tried.identifier, key=tried.key, at=self._now, fate=fate, is_refusing=is_refusing)
        self._say("Stripe answers", answer.status, answer.message)
        if fate in (HEARD, "frozen_before", "error_kept", "error_after", "gateway"):
            self._later(self._now + 0.1, tried, answer)
        elif fate == "frozen_after":
            self._later(self._now + self._freeze(), tried, answer)

    def _hear(self, tried: Try, answer: Answer) -> None:
        """The worker hears, or gives up waiting; by now the lane may be another's."""
        if tried.outcome is not None and tried.outcome is not LOST:
            return
        outcome = self._rules.classify(answer)
        self._close(tried, outcome)
        if tried.fence == self._fence:
            self._act(self._decided(outcome))
            self._leased_until = self._now
        else:
            self._hear_late(tried, outcome)

    def _hear_late(self, tried: Try, outcome: Outcome) -> None:
        """An acceptance counts under any fence, a doubt too; the rest is the present holder's to find out."""
        match outcome:
            case Accepted() if tried.generation != self._event.generation:
                self._settle("conflict")
            case Accepted():
                self._act(self._decided(outcome))
            case Unknown() if tried.generation == self._event.generation:
                decision = self._decided(outcome)
                assert not isinstance(decision, Send), "an outcome is decided about"
                self._event.doubt = self._event.doubt or decision.ambiguous_since
            case Unknown() | Refused() | Unavailable():
                return

    def _decided(self, outcome: Outcome | None) -> Decision:
        attempts = [tried.told for tried in self._event.current()]
        return self._rules.decide(Case(self._event.facts(), attempts, outcome, moment(self._now)))

    def _act(self, decision: Decision) -> None:
        event = self._event
        match decision:
            case Send():
                raise AssertionError("to send is to open an attempt")
            case Again():
                if event.state in ("sealed", "unknown"):
                    event.state = decision.state
                    event.due_at = self._now + self._chance.uniform(0, decision.wait_s_max)
                    event.doubt = event.doubt or decision.ambiguous_since
            case Settle(state="accepted"):
                if event.state in ("sealed", "unknown", "held"):
                    self._settle("accepted")
            case Settle():
                if event.state in ("sealed", "unknown"):
                    event.doubt = event.doubt or decision.ambiguous_since
                    self._settle(decision.state)

    def _settle(self, state: str) -> None:
        self._event.state, self._event.absent_since = state, None
        self._event.due_at = self._now + self._chance.uniform(HOUR_S, 48 * HOUR_S)
        self._say(state)

    def _read_back(self) -> None:
        minute = self._minute()
        counted = 0 if self._weather.is_stale(self._now) else self._books.shown(self._now, lag_s=self._lag_s())
        verdict = self._rules.judge(minute, counted * VALUE, moment(self._now))
        self._say("read", counted, verdict)
        match verdict:
            case Present():
                self._settle("accepted")
            case Contradicted():
                self._settle("conflict")
            case Absent(proof=str()) if why_unsendable(minute, now=moment(self._now)):
                self._settle("conflict")
            case Absent(proof=str()):
                self._begin_next_generation()
            case Unseen() | Absent() | Part():
                self._note_absence(minute, is_absent=isinstance(verdict, Absent))

    def _note_absence(self, minute: HeldMinute, *, is_absent: bool) -> None:
        now = moment(self._now)
        self._event.absent_since = (self._event.absent_since or now) if is_absent else None
        again = wait(minute, now=now, timing=TIMING)
        self._event.due_at = self._now + max(60.0, again.total_seconds())

    def _minute(self) -> HeldMinute:
        event, last_attempt_s = self._event, self._last_attempt_s()
        return HeldMinute(
            formula="sum",
            settled=Decimal(0),
            held=VALUE,
            held_least=VALUE,
            low=Decimal(0),
            high=VALUE,
            is_alone=True,
            is_mixed=False,
            is_moving=False,
            is_contested=False,
            stamped_at=BEGIN,
            generation=event.generation,
            last_attempt_at=moment(last_attempt_s),
            absent_since=event.absent_since,
            canary_id=self._canary(last_attempt_s),
        )

    def _canary(self, last_attempt_s: float) -> int | None:
        """Another meter event of the meter, accepted after our last attempt and visible by now."""
        number = int(last_attempt_s // CANARY_EVERY_S) + 1
        is_visible = number * CANARY_EVERY_S <= self._now - self._lag_s()
        return number if is_visible and self._weather.has_canaries else None

    def _last_attempt_s(self) -> float:
        return max(tried.opened_at if tried.ended_at is None else tried.ended_at for tried in self._event.tries)

    def _lag_s(self) -> float:
        return self._weather.at(self._now).lag_s

    def _retry(self) -> None:
        """A person asks for a refused one to be sent anew; nothing of it can have counted."""
        if self._event.retries < RETRIES_MAX:
            self._event.retries += 1
            self._begin_next_generation()
        else:
            self._event.due_at = NEVER

    def _begin_next_generation(self) -> None:
        event = self._event
        event.generation, event.state, event.doubt = event.generation + 1, "sealed", None
        event.due_at, event.absent_since = self._now, None
        self._say("generation", event.generation)

    def _close(self, tried: Try, outcome: Outcome) -> None:
        tried.close(outcome, at=self._now)
        self._say(tried.identifier, "lost" if outcome is LOST else type(outcome).__name__)

    def _freeze(self) -> float:
        return min(FREEZE_MAX_S, self._chance.lognormvariate(7, 3))

    def _later(self, at: float, tried: Try, answer: Answer) -> None:
        self._push(at, tried, fate="", answer=answer)

    def _push(self, at: float, tried: Try, *, fate: str, answer: Answer) -> None:
        self._number += 1
        heappush(self._to_come, (at, self._number, tried, fate, answer))

    def _say(self, *what: object) -> None:
        self._told.append((self._now, what))
