"""When `subscribe` makes no calls for a while: Stripe cannot be reached, fails for most, or refuses the key.

A meter event's trial closes the account's breaker; these calls have a rest of their own, in this process alone, the
longer the more often it was in vain. One call that fails at Stripe's side is its customer's own trouble; several in a
row, of whomever, are not.
"""

import threading
import time

from service.logs import say
from service.outcomes import Outcome, Scope, Unavailable, Unknown
from service.timing import Timing

FAILURES_MIN = 3  # in a row
DOUBLINGS_MAX = 20


class Rests:
    """Thread-safe: every turn tells what its calls came to, and whoever begins one asks."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._lock = threading.Lock()
        self._failures = 0
        self._in_vain = 0
        self._until_s = 0.0

    def is_resting(self) -> bool:
        with self._lock:
            return time.monotonic() < self._until_s

    def judge(self, outcome: Outcome) -> None:
        match outcome:
            case Unavailable(scope=Scope.ACCOUNT):
                self._rest(outcome, wait_s=self._timing.breaker_s)
            case Unavailable(scope=Scope.STRIPE) | Unknown(scope=Scope.STRIPE):
                self._note_failure(outcome)
            case _:
                self._note_answer()

    def _note_failure(self, outcome: Outcome) -> None:
        with self._lock:
            self._failures += 1
            is_pattern = self._failures >= FAILURES_MIN
            doublings = min(self._in_vain, DOUBLINGS_MAX)
        if is_pattern:
            self._rest(outcome, wait_s=min(self._timing.unreachable_s * 2**doublings, self._timing.unreachable_max_s))

    def _note_answer(self) -> None:
        with self._lock:
            self._failures = self._in_vain = 0

    def _rest(self, outcome: Outcome, *, wait_s: int) -> None:
        with self._lock:
            if time.monotonic() < self._until_s:
                return  # it was under way when the rest began
            self._until_s = time.monotonic() + wait_s
            self._in_vain += 1
        say("subscribe.rested", reason=outcome.answer.message, status=outcome.answer.status, wait_s=wait_s)
