"""What must wait besides the meter event that failed: all calls on a limiter's 429, the account where none succeeds.

A refused key, and no way to Stripe, open the account's breaker at once: no lane can be the cause. A 5xx, a timeout or a
lost answer may be the lane's own trouble, so they open it where most lanes that were called last have failed so. Then
trials are made, one call at a time, the waits between them growing; the first that is answered closes the breaker, and
calls begin anew at a part of their rate. A crash here leaves the breaker as it was: the next failure opens it, and a
trial that never told is made again when its lease has run out.
"""

import random
import time

from redis.exceptions import RedisError

from service.crash_points import crash_point
from service.ledger import Ledger, breaker
from service.ledger.breaker import Opened, Waits
from service.ledger.lanes import Lease
from service.limiter import Pace, Throttled
from service.logs import say
from service.outcomes import Outcome, Scope, Unavailable, Unknown, is_limited
from service.timing import Timing

METER_EVENTS = "meter_events"
CALLS = "calls"  # all others
TOKEN_LATE_S_MAX = 0.02  # the calls of that time are what the limiter's pace leaves free of each second
TOKENS_A_CALL_MAX = 3  # on a machine that is always late; then the call is made


class Brakes:
    """Slows down as much as an outcome asks for, and says so. `kind` is that of the limiter's tokens."""

    def __init__(
        self, ledger: Ledger, limiter: Pace, *, timing: Timing, kind: str = METER_EVENTS, step: str = "submit"
    ) -> None:
        self._ledger = ledger
        self._limiter = limiter
        self._kind = kind
        self._step = step
        self._token_wait_max_s = timing.token_wait_max_s
        self._of_key = Waits(min_s=timing.breaker_s, max_s=timing.breaker_s)
        self._of_stripe = Waits(min_s=timing.unreachable_s, max_s=timing.unreachable_max_s)
        self._chance = random.Random()  # noqa: S311 — jitter, not a secret

    def reserve(self, *, late_s: float = 0) -> float | None:
        """Take a token. Returns from when on our monotonic clock it may be used; None: too many calls wait already."""
        try:
            wait_s = self._limiter.reserve(self._kind, wait_s_max=self._token_wait_max_s, late_s=late_s)
            return time.monotonic() + wait_s
        except Throttled:
            return None
        except RedisError as away:
            say("worker.waiting", step=self._step, reason=str(away), wait_s=self._token_wait_max_s)
            return None

    def use(self, token_at_s: float) -> None:
        """Asleep until the token may be used. For whom it was ready too long ago it is void: he gives it for another.

        Without this, calls held up together would be made together, and exceed the rate in that second.
        """
        token: float | None = token_at_s
        for _ in range(TOKENS_A_CALL_MAX):
            if token is None:
                return
            time.sleep(max(0.0, token - time.monotonic()))
            late_s = time.monotonic() - token
            if late_s <= TOKEN_LATE_S_MAX:
                return
            token = self.reserve(late_s=late_s)

    def slow_down(self, account: str, outcome: Outcome) -> None:
        """The limiter is told of every answer, and what it was."""
        if is_limited(outcome.answer):
            self._slow_limiter(account, reason=outcome.answer.limited_reason or outcome.answer.code)
        elif outcome.answer.status is not None:
            self._limiter.passed(self._kind)

    def judge(self, account: str, outcome: Outcome, *, lease: Lease) -> None:
        """Open or close the breaker, once the attempt is closed."""
        answer = outcome.answer
        match outcome:
            case Unavailable(scope=Scope.ACCOUNT):
                reason = f"{answer.status}: {answer.message}"
                if self._open(account, lease, reason=reason, waits=self._of_key):
                    say("account.paused", account=account, reason=reason, wait_s=self._of_key.min_s)
            case Unavailable(scope=Scope.STRIPE):
                reason = f"Stripe cannot be reached: {answer.message}"
                if self._open(account, lease, reason=reason, waits=self._of_stripe):
                    say("breaker.opened", account=account, reason=reason, wait_s=self._of_stripe.min_s)
            case Unknown(scope=Scope.STRIPE):
                reason = f"Stripe fails: {answer.status or 'no answer'}: {answer.message}"
                if self._open_if_most_fail(account, lease, reason=reason):
                    say("breaker.opened", account=account, reason=reason, wait_s=self._of_stripe.min_s)
            case _ if lease.is_trial and answer.status is not None:
                self._close(account, lease)
            case _:
                return  # it is the meter event's, its lane's or the limiter's alone

    def _slow_limiter(self, account: str, *, reason: str) -> None:
        try:
            crash_point("brakes.before_slow_down")
            is_slower = self._limiter.slow_down(self._kind)
        except RedisError as away:  # a courtesy; the attempt is open and must be closed
            say("worker.waiting", step=self._step, reason=str(away), wait_s=0)
            return
        crash_point("brakes.after_slow_down")
        if is_slower:
            say("limiter.slowed", account=account, reason=reason)

    def _open(self, account: str, lease: Lease, *, reason: str, waits: Waits) -> bool:
        """Whether it was closed until now."""
        with self._ledger.transaction() as tx:
            chance = self._chance.random()
            opened = breaker.open_breaker(tx, account, lease, reason=reason, waits=waits, chance=chance)
            crash_point("brakes.before_pause_commit")
        crash_point("brakes.after_pause_commit")
        return self._is_new(account, opened)

    def _open_if_most_fail(self, account: str, lease: Lease, *, reason: str) -> bool:
        if lease.is_trial:
            return self._open(account, lease, reason=reason, waits=self._of_stripe)
        with self._ledger.transaction() as tx:
            opened = breaker.trip_breaker(tx, account, reason=reason, waits=self._of_stripe)
        return self._is_new(account, opened)

    def _is_new(self, account: str, opened: Opened | None) -> bool:
        if opened is None:
            return False
        if opened.openings > 1:
            say("breaker.kept", account=account, openings=opened.openings, until=opened.paused_until)
        return opened.openings == 1

    def _close(self, account: str, lease: Lease) -> None:
        try:
            self._limiter.begin_anew(self._kind)  # before anybody else may call
        except RedisError as away:  # then they come at the rate that they had
            say("worker.waiting", step=self._step, reason=str(away), wait_s=0)
        with self._ledger.transaction() as tx:
            is_closed = breaker.close_breaker(tx, account, lease)
        if is_closed:
            say("breaker.closed", account=account)
