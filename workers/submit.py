"""Step 5: meter event → attempt → outcome.

A wake-up names an account. The step leases its due lanes and works each in a thread of its own, one call at a time, in
order. A token of the limiter comes first: without one no attempt is opened, and the lane rests. Every call is written
down (an open attempt, committed) before it is made and closed after it, so that a crash here leaves at most one open
attempt a lane; the next holder closes it as `lost`, which makes its meter event `unknown`, and sends it again under the
same identifier. What an outcome means is decided in `service/decide.py`, not here.
"""

import random
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

from service.crash_points import crash_point
from service.decide import Again, Decision, Send, Settle, decide, may_call
from service.epoch import UNGUARDED, Guards
from service.gateway import Gateway
from service.ledger import Ledger, LedgerUnavailable, Transaction, lanes, second_readings
from service.ledger.lanes import Lease, MeterEventToSend
from service.limiter import Pace
from service.logs import say
from service.outcomes import (
    LOST,
    NOT_MADE,
    NOT_WITNESSED,
    Accepted,
    Outcome,
    Refused,
    Scope,
    Unavailable,
    Unknown,
    classify,
)
from service.timing import Timing
from service.wakeups import WakeUps, WakeUpWorker
from workers._brakes import Brakes
from workers._loop import raise_first
from workers._setup import set_up_with_stripe

OPENS_WITHIN_S = 0.1  # so long before its token may be used an attempt is opened, so that the call comes in time
CALLS_A_TURN_MAX = 200  # then the lane goes back, so that a hot one cannot keep a thread for ever
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that is written down and about to be made."""

    attempt_id: int
    event: MeterEventToSend
    idempotency_key: str
    fence: int
    token_s: float  # from when on its token may be used, on our monotonic clock
    leased_at_s: float  # on our own clock, before the lease was asked for


class Submitter:
    """Sends due meter events: `threads` lanes at once, each lane one call at a time."""

    def __init__(
        self,
        ledger: Ledger,
        gateway: Gateway,
        limiter: Pace,
        *,
        timing: Timing,
        threads: int,
        stopping: threading.Event,
        guard: Guards = UNGUARDED,
    ) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._timing = timing
        self._threads = threads
        self._brakes = Brakes(ledger, limiter, timing=timing)
        self._stopping = stopping
        self._guard = guard
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lane")
        self._chance = random.Random()  # noqa: S311 — jitter, not a secret

    def drain(self, account: str, bell: int) -> None:
        """Take due lanes of an account until none is left, the time is up, or the process stops.

        `bell` only says which of the account's wake-ups this answers: as many workers are woken as bells ring. A lane
        whose turn fails stops no other, and comes again when its lease has run out; the first failure is raised last.
        """
        del bell
        if not self._guard.may_send():
            return  # the ledger was restored: a person comes first
        until = time.monotonic() + self._timing.drain_s
        turns: set[Future[None]] = set()
        failures: list[BaseException] = []
        while True:
            if time.monotonic() < until and not self._stopping.is_set():
                try:
                    turns |= self._start_turns(account, turns_max=self._threads - len(turns))
                except LedgerUnavailable as away:
                    failures.append(away)
                    until = time.monotonic()  # the turns that run come to their end
            if not turns:
                break
            done, turns = wait(turns, timeout=self._timing.poll_s, return_when=FIRST_COMPLETED)
            failures += [failure for turn in done if (failure := turn.exception()) is not None]
        self._guard.settle()
        raise_first(failures)

    def turn(self, lease: Lease) -> None:
        """One lane: what an earlier holder left open first, then what is due, until a call did not succeed."""
        self._close_dead_attempts(lease)
        if (token_s := self._brakes.reserve()) is None:
            return self._release(lease, rest_s=self._timing.token_wait_max_s)
        self._stopping.wait(token_s - time.monotonic() - OPENS_WITHIN_S)  # with nothing open yet
        crash_point("submit.after_token")
        call, rest_s = self._open(lease, token_s=token_s), 0.0
        for number in range(1, CALLS_A_TURN_MAX + 1):
            if call is None:
                break
            account, outcome = call.event.account, self._make(call)
            self._brakes.slow_down(account, outcome)
            is_last = lease.is_trial or number == CALLS_A_TURN_MAX
            goes_on = call.event.is_followed and isinstance(outcome, Accepted | Refused) and not is_last
            token_s = self._brakes.reserve() if goes_on else None  # a token for nobody would slow down the account
            call, rest_s = self._close(call, outcome, lease=lease, token_s=token_s)
            self._brakes.judge(account, outcome, lease=lease)
            if goes_on and token_s is None:
                rest_s = self._timing.token_wait_max_s
        return self._release(lease, rest_s=rest_s)

    def _start_turns(self, account: str, *, turns_max: int) -> set[Future[None]]:
        if turns_max == 0:
            return set()
        with self._ledger.transaction() as tx:
            leases = lanes.lease_lanes(tx, account, lanes_max=turns_max, timing=self._timing)
            crash_point("submit.before_lease_commit")
        crash_point("submit.after_lease_commit")
        return {self._pool.submit(self.turn, lease) for lease in leases}

    def _close_dead_attempts(self, lease: Lease) -> None:
        with self._ledger.transaction() as tx:
            for dead in lanes.dead_attempts(tx, lease):
                if not lanes.close_attempt(tx, dead.attempt_id, LOST):
                    continue  # its holder came back just now and said more than we could
                event = lanes.meter_event_to_send(tx, dead.meter_event_id)
                self._decide(tx, event, LOST, now=event.now)
                say("attempt.lost", attempt_id=dead.attempt_id, meter_event_id=dead.meter_event_id)
                crash_point("submit.before_lost_commit")

    def _open(self, lease: Lease, *, token_s: float | None = None) -> Call | None:
        leased_at_s = time.clock_gettime(CLOCK)
        token_s = time.monotonic() if token_s is None else token_s
        with self._ledger.transaction() as tx:
            if not lanes.renew_lease(tx, lease, timing=self._timing):
                return None
            call = self._open_next(tx, lease, token_s=token_s, leased_at_s=leased_at_s)
            crash_point("submit.before_open_commit")
        crash_point("submit.after_open_commit")
        return call

    def _open_next(self, tx: Transaction, lease: Lease, *, token_s: float, leased_at_s: float) -> Call | None:
        """Write down the lane's next call. Meter events that may no longer be called for are held on the way."""
        while not self._stopping.is_set() and (event := lanes.next_due(tx, lease)) is not None:
            decision = self._decide(tx, event, None, now=event.now)
            if isinstance(decision, Send):
                attempt_id = lanes.open_attempt(tx, event.meter_event_id, lease=lease, send=decision)
                key, waits = decision.idempotency_key, {"token_s": token_s, "leased_at_s": leased_at_s}
                return Call(attempt_id=attempt_id, event=event, idempotency_key=key, fence=lease.fence, **waits)
        return None

    def _make(self, call: Call) -> Outcome:
        """Call Stripe, unless this process was stopped for so long that the lane may be another's before it answers."""
        crash_point("submit.before_witness")
        if not self._guard.witness(call.attempt_id, idempotency_key=call.idempotency_key, at=call.event.now):
            return NOT_WITNESSED
        self._brakes.use(call.token_s)  # as late as can be: what comes behind it delays the call
        if not may_call(time.clock_gettime(CLOCK) - call.leased_at_s, timing=self._timing):
            return NOT_MADE
        event = call.event
        crash_point("submit.before_call")
        answer = self._gateway.send_meter_event(
            event.meter,
            payload=event.payload,
            timestamp=int(event.stamped_at.timestamp()),
            identifier=event.identifier,
            idempotency_key=call.idempotency_key,
            call_id=f"mp-{call.attempt_id}-{call.fence}",
        )
        crash_point("submit.after_call")
        return classify(answer)

    def _close(
        self, call: Call, outcome: Outcome, *, lease: Lease, token_s: float | None = None
    ) -> tuple[Call | None, float]:
        """Close the attempt, act on its outcome and, with a token, open the lane's next call in the same transaction.

        Returns that call, None where the turn ends, and how many seconds the lane should rest then.
        """
        leased_at_s = time.clock_gettime(CLOCK)
        with self._ledger.transaction() as tx:
            if not lanes.renew_lease(tx, lease, timing=self._timing):
                self._close_late(tx, call, outcome)
                crash_point("submit.before_late_commit")
                return None, 0.0
            lanes.close_attempt(tx, call.attempt_id, outcome)
            event = lanes.meter_event_to_send(tx, call.event.meter_event_id)
            decision = self._decide(tx, event, outcome, now=event.now)
            following = None
            if token_s is not None:
                following = self._open_next(tx, lease, token_s=token_s, leased_at_s=leased_at_s)
            crash_point("submit.before_close_commit")
        crash_point("submit.after_close_commit")
        self._tell(call, outcome, decision)
        return following, self._rest_s(outcome, decision)

    def _close_late(self, tx: Transaction, call: Call, outcome: Outcome) -> None:
        """The lane is another's by now. An acceptance counts all the same, and so does a doubt; the rest is theirs.

        An acceptance of a generation that was given up contradicts the present one, whatever became of that.
        """
        lanes.lock_lane(tx, call.event.lane_id)  # before the rows that its holder locks after it
        lanes.close_attempt(tx, call.attempt_id, outcome)
        event = lanes.meter_event_to_send(tx, call.event.meter_event_id).as_called(call.event)
        if isinstance(outcome, Accepted | Unknown):
            second_readings.read_anew(tx, event.meter_event_id, timing=self._timing)  # it may count once more
        match outcome:
            case Accepted() if not event.is_current and lanes.is_rejected(tx, call.event):
                return  # a report beats it, and its generation was given up on that
            case Accepted():
                self._tell(call, outcome, self._decide(tx, event, outcome, now=event.now))
            case Unknown() if event.is_current:
                # The next holder may find the attempt closed; then nobody else would set the start of the window.
                attempts = lanes.attempts_of(tx, event.meter_event_id)
                decision = decide(event.generation_facts(), attempts, outcome, now=event.now, timing=self._timing)
                assert not isinstance(decision, Send), "an outcome is decided about, not asked for"
                lanes.note_doubt(tx, event, decision.ambiguous_since)
            case Unknown() | Refused() | Unavailable():
                return

    def _release(self, lease: Lease, *, rest_s: float) -> None:
        with self._ledger.transaction() as tx:
            lanes.release_lane(tx, lease, rest_s=rest_s)
            crash_point("submit.before_release_commit")
        crash_point("submit.after_release_commit")

    def _decide(self, tx: Transaction, event: MeterEventToSend, outcome: Outcome | None, *, now: datetime) -> Decision:
        is_final = isinstance(outcome, Accepted | Refused)  # whatever was tried before
        attempts = lanes.attempts_of(tx, event.meter_event_id) if event.is_tried and not is_final else []
        decision = decide(event.generation_facts(), attempts, outcome, now=now, timing=self._timing)
        if not isinstance(decision, Send):
            wait_s = self._chance.uniform(0, decision.wait_s_max) if isinstance(decision, Again) else 0.0
            lanes.move(tx, event, decision, wait_s=wait_s, timing=self._timing)
        return decision

    def _rest_s(self, outcome: Outcome, decision: Decision) -> float:
        """The limiter paces the account already; a busy or failing lane rests a little, its other events with it."""
        if not isinstance(decision, Again) or not isinstance(outcome, Unavailable | Unknown):
            return 0.0
        if outcome.scope is Scope.LIMITER:
            return 0.0
        return self._chance.uniform(0, min(decision.wait_s_max, self._timing.lane_backoff_max_s))

    def _tell(self, call: Call, outcome: Outcome, decision: Decision) -> None:
        state = decision.state if isinstance(decision, Settle) else "retried"
        say(
            f"meter_event.{state}",
            meter_event_id=call.event.meter_event_id,
            identifier=call.event.identifier,
            attempt_id=call.attempt_id,
            outcome=lanes.outcome_name(outcome),
            status=outcome.answer.status,
            code=outcome.answer.code or None,
            reason=(decision.reason if isinstance(decision, Settle) else None) or outcome.answer.message or None,
            request_id=outcome.answer.request_id,
        )


def main() -> None:
    stopping = threading.Event()
    with set_up_with_stripe("submit") as setup:
        submitter = Submitter(
            setup.ledger,
            setup.gateway,
            setup.limiter,
            timing=setup.timing,
            threads=setup.settings.submit_threads,
            stopping=stopping,
            guard=setup.guard,
        )
        wakeups = WakeUps(setup.redis, "submit", timing=setup.timing)
        WakeUpWorker(wakeups, {"submit": submitter.drain}, stopping=stopping).work()


if __name__ == "__main__":
    main()
