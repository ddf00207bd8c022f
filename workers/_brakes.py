"""What must wait besides the meter event that failed: all calls on a limiter's 429, the account where none succeeds."""

from typing import assert_never

from redis.exceptions import RedisError

from service.ledger import Ledger, lanes
from service.limiter import Pace
from service.logs import say
from service.outcomes import Outcome, Scope, Unavailable
from service.timing import Timing

METER_EVENTS = "meter_events"


class Brakes:
    """Slows down as much as an outcome asks for, and says so."""

    def __init__(self, ledger: Ledger, limiter: Pace, *, timing: Timing) -> None:
        self._ledger = ledger
        self._limiter = limiter
        self._timing = timing

    def slow_down(self, account: str, outcome: Outcome) -> None:
        if not isinstance(outcome, Unavailable):
            return
        match outcome.scope:
            case Scope.LIMITER:
                self._slow_limiter(account, reason=outcome.answer.limited_reason or outcome.answer.code)
            case Scope.ACCOUNT:
                reason, wait_s = f"{outcome.answer.status}: {outcome.answer.message}", self._timing.breaker_s
                if self._pause(account, reason=reason, wait_s=wait_s):
                    say("account.paused", account=account, reason=reason, wait_s=wait_s)
            case Scope.CALL:
                reason, wait_s = f"Stripe cannot be reached: {outcome.answer.message}", self._timing.unreachable_s
                if self._pause(account, reason=reason, wait_s=wait_s):
                    say("worker.waiting", step="submit", reason=reason, wait_s=wait_s)
            case Scope.LANE:
                return  # it rests by itself
            case _ as never:
                assert_never(never)

    def _slow_limiter(self, account: str, *, reason: str) -> None:
        try:
            is_slower = self._limiter.slow_down(METER_EVENTS)
        except RedisError as away:  # a courtesy; the attempt is open and must be closed
            say("worker.waiting", step="submit", reason=str(away), wait_s=0)
            return
        if is_slower:
            say("limiter.slowed", account=account, reason=reason)

    def _pause(self, account: str, *, reason: str, wait_s: int) -> bool:
        with self._ledger.transaction() as tx:
            return lanes.pause_account(tx, account, reason=reason, wait_s=wait_s)
