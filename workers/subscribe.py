"""Step 5 for subscriptions: signup → steps → subscription.

A wake-up names an account. The step leases the customers of whom something is due and works each in a thread of its
own, one call at a time: of two signups of a customer the second sees what became of the first. Every call is written
down (an open attempt, committed) before it is made and closed after it, with what it told; so a crash here leaves at
most one open attempt a customer, which the next holder closes as `lost`, and goes on behind the last step that is done.
What follows from an outcome is decided in `service/signups.py`, not here.
"""

import random
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from service.crash_points import crash_point
from service.decide import may_call
from service.epoch import UNGUARDED, Guards
from service.gateway import Gateway
from service.ledger import Ledger, LedgerUnavailable, Transaction, signup_lanes, signups
from service.ledger.lanes import outcome_name
from service.ledger.signup_lanes import SignupLease
from service.ledger.signups import SignupNow
from service.limiter import Pace
from service.logs import say
from service.outcomes import LOST, NOT_MADE, Accepted, Outcome, Unknown
from service.signup_facts import Step
from service.signups import Decision, Later, Settle, Take, after_call, next_step
from service.stripe_signups import Said
from service.timing import Timing
from service.wakeups import WakeUps, WakeUpWorker
from workers._brakes import CALLS, Brakes
from workers._loop import raise_first
from workers._rests import Rests
from workers._setup import set_up_with_stripe
from workers._signup_calls import Call, Ended, is_known, make, note, prepare, tell
from workers.submit import CLOCK, OPENS_WITHIN_S

CALLS_A_TURN_MAX = 50  # then the customer goes back, so that one with many rows cannot keep a thread for ever
LOOKS_A_TRANSACTION_MAX = 50  # at what needs no call; it holds the customer, and must end long before his lease


class Subscriber:
    """Makes due subscriptions: `threads` customers at once, each one call at a time."""

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
        self._brakes = Brakes(ledger, limiter, timing=timing, kind=CALLS, step="subscribe")
        self._rests = Rests(timing)
        self._stopping = stopping
        self._guard = guard
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="signup")
        self._chance = random.Random()  # noqa: S311 — jitter, not a secret

    def drain(self, account: str, bell: int) -> None:
        """Take customers of an account until none is due, the time is up, or the process stops.

        `bell` only says which of the account's wake-ups this answers. A customer whose turn fails stops no other, and
        comes again when his lease has run out; the first failure is raised last.
        """
        del bell
        if not self._guard.may_send():
            return  # the ledger was restored: a person comes first
        until = time.monotonic() + self._timing.drain_s
        turns: set[Future[None]] = set()
        failures: list[BaseException] = []
        while True:
            if time.monotonic() < until and not self._stopping.is_set() and not self._rests.is_resting():
                try:
                    turns |= self._start_turns(account, turns_max=self._threads - len(turns))
                except LedgerUnavailable as away:
                    failures.append(away)
                    until = time.monotonic()  # the turns that run come to their end
            if not turns:
                break
            done, turns = wait(turns, timeout=self._timing.poll_s, return_when=FIRST_COMPLETED)
            failures += [failure for turn in done if (failure := turn.exception()) is not None]
        raise_first(failures)

    def turn(self, lease: SignupLease) -> None:
        """One customer: what an earlier holder left open first, then what is due, until nothing is or Stripe fails."""
        self._close_dead_calls(lease)
        is_due, rest_s = True, 0.0
        for _ in range(CALLS_A_TURN_MAX):
            if not is_due or self._rests.is_resting():
                break
            if (token_s := self._brakes.reserve()) is None:
                rest_s = self._timing.token_wait_max_s
                break
            self._stopping.wait(token_s - time.monotonic() - OPENS_WITHIN_S)  # with nothing open yet
            crash_point("subscribe.after_token")
            if (call := self._open(lease)) is None:
                break
            ended = self._make(call, token_s=token_s)
            is_due = self._close(call, ended, lease=lease)
            self._brakes.slow_down(call.signup.account, ended.outcome)
            self._rests.judge(ended.outcome)
        self._release(lease, rest_s=rest_s)

    def _start_turns(self, account: str, *, turns_max: int) -> set[Future[None]]:
        if turns_max == 0:
            return set()
        with self._ledger.transaction() as tx:
            leases = signup_lanes.lease_signup_lanes(tx, account, lanes_max=turns_max, timing=self._timing)
            crash_point("subscribe.before_lease_commit")
        crash_point("subscribe.after_lease_commit")
        return {self._pool.submit(self.turn, lease) for lease in leases}

    def _close_dead_calls(self, lease: SignupLease) -> None:
        with self._ledger.transaction() as tx:
            if not signup_lanes.renew_lease(tx, lease, timing=self._timing):
                return
            for dead in signup_lanes.dead_calls(tx, lease):
                if not signup_lanes.close_call(tx, dead.signup_attempt_id, LOST):
                    continue  # its holder came back just now and said more than we could
                self._follow(tx, dead.signup_id, step=Step(dead.step), outcome=LOST)
                say("signup_call.lost", signup_id=dead.signup_id, step=dead.step)
                crash_point("subscribe.before_lost_commit")

    def _open(self, lease: SignupLease) -> Call | None:
        """Write down the customer's next call. What needs none comes to its next state on the way.

        None: nothing is due, or more than one transaction may move; then the customer goes back, due at once.
        """
        leased_at_s = time.clock_gettime(CLOCK)
        with self._ledger.transaction() as tx:
            if not signup_lanes.renew_lease(tx, lease, timing=self._timing):
                return None
            call = self._open_next(tx, lease, leased_at_s=leased_at_s)
            crash_point("subscribe.before_open_commit")
        crash_point("subscribe.after_open_commit")
        return call

    def _open_next(self, tx: Transaction, lease: SignupLease, *, leased_at_s: float) -> Call | None:
        for _ in range(LOOKS_A_TRANSACTION_MAX):
            if self._stopping.is_set() or (signup := signups.next_due(tx, lease)) is None:
                break
            decision = next_step(signups.facts(tx, signup), now=signup.now, timing=self._timing)
            if not isinstance(decision, Take):
                self._move(tx, signup, decision)
                continue
            known = is_known(tx, signup, decision, timing=self._timing)
            if isinstance(known, Settle):
                self._move(tx, signup, known)
            elif not known:
                signup = prepare(tx, signup, decision)
                attempt_id = signup_lanes.open_call(tx, signup.signup_id, lease=lease, take=decision)
                return Call(
                    attempt_id=attempt_id, signup=signup, take=decision, fence=lease.fence, leased_at_s=leased_at_s
                )
        return None

    def _make(self, call: Call, *, token_s: float) -> Ended:
        """Call Stripe, unless this process was stopped for so long that the customer may be another's by now."""
        self._brakes.use(token_s)  # as late as can be: what comes behind it delays the call
        if not may_call(time.clock_gettime(CLOCK) - call.leased_at_s, timing=self._timing):
            return Ended(outcome=NOT_MADE, said=Said(answer=NOT_MADE.answer))
        crash_point("subscribe.before_call")
        ended = make(self._gateway.signups, call)
        crash_point("subscribe.after_call")
        return ended

    def _close(self, call: Call, ended: Ended, *, lease: SignupLease) -> bool:
        """Close the attempt, with what it told and what follows. True: the customer's next call is due."""
        is_due = False
        with self._ledger.transaction() as tx:
            if signup_lanes.renew_lease(tx, lease, timing=self._timing):
                signup_lanes.close_call(tx, call.attempt_id, ended.outcome)
                self._act(tx, call, ended)
                is_due = signups.next_due(tx, lease) is not None
            else:
                self._close_late(tx, call, ended)
            crash_point("subscribe.before_close_commit")
        crash_point("subscribe.after_close_commit")
        self._tell(call, ended.outcome)
        return is_due

    def _act(self, tx: Transaction, call: Call, ended: Ended) -> None:
        told = note(tx, call, ended.said.found) if isinstance(ended.outcome, Accepted) else None
        if told is not None:
            self._move(tx, signups.signup_now(tx, call.signup.signup_id), told)
        else:
            self._follow(tx, call.signup.signup_id, step=call.take.step, outcome=ended.outcome)

    def _close_late(self, tx: Transaction, call: Call, ended: Ended) -> None:
        """The customer is another's by now. What was created counts all the same, and so does a doubt."""
        signup_lanes.lock_lane(tx, call.signup.signup_lane_id)
        signup_lanes.close_call(tx, call.attempt_id, ended.outcome)
        if call.take.step == Step.CREATE and isinstance(ended.outcome, Accepted | Unknown):
            self._act(tx, call, ended)

    def _follow(self, tx: Transaction, signup_id: int, *, step: Step, outcome: Outcome) -> None:
        signup = signups.signup_now(tx, signup_id)
        decision = after_call(signups.facts(tx, signup), step, outcome, now=signup.now, timing=self._timing)
        if decision is not None:
            self._move(tx, signup, decision)

    def _move(self, tx: Transaction, signup: SignupNow, decision: Decision) -> None:
        wait_s = decision.in_s if isinstance(decision, Later) else 0.0
        if isinstance(decision, Later) and decision.is_spread:
            wait_s = self._chance.uniform(0, wait_s)
        for moved in signups.move(tx, signup, decision, wait_s=wait_s):
            tell(moved)

    def _release(self, lease: SignupLease, *, rest_s: float) -> None:
        with self._ledger.transaction() as tx:
            signup_lanes.release_lane(tx, lease, rest_s=rest_s)
            crash_point("subscribe.before_release_commit")
        crash_point("subscribe.after_release_commit")

    def _tell(self, call: Call, outcome: Outcome) -> None:
        answer = outcome.answer
        say(
            "signup_call.ended",
            signup_id=call.signup.signup_id,
            identifier=call.signup.identifier,
            step=call.take.step,
            outcome=outcome_name(outcome),
            status=answer.status,
            code=answer.code or None,
            reason=answer.message or None,
            request_id=answer.request_id,
        )


def main() -> None:
    stopping = threading.Event()
    with set_up_with_stripe("subscribe") as setup:
        subscriber = Subscriber(
            setup.ledger,
            setup.gateway,
            setup.limiter,
            timing=setup.timing,
            threads=setup.settings.submit_threads,
            stopping=stopping,
            guard=setup.guard,
        )
        wakeups = WakeUps(setup.redis, "subscribe", timing=setup.timing)
        WakeUpWorker(wakeups, {"subscribe": subscriber.drain}, stopping=stopping).work()


if __name__ == "__main__":
    main()
