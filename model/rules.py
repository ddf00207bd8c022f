"""The rules that a history is played by: functions of the service, imported and not copied."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Protocol

from service.decide import Attempt, Decision, Generation, decide, may_call
from service.outcomes import Answer, Outcome, classify
from service.read_back import HeldMinute, Verdict, judge
from service.timing import Timing

TIMING = Timing(backoff_base_s=120, backoff_max_s=6 * 3_600, read_back_s=3 * 3_600)
"""The standard one, with fewer calls and readings in an outage of days: what a history may become stays the same."""


class Decide(Protocol):
    def __call__(
        self,
        generation: Generation,
        attempts: Sequence[Attempt],
        outcome: Outcome | None,
        *,
        now: datetime,
        timing: Timing,
    ) -> Decision: ...


class Judge(Protocol):
    def __call__(self, minute: HeldMinute, counted: Decimal, *, read_at: datetime, timing: Timing) -> Verdict: ...


@cache
def _classify(answer: Answer) -> Outcome:
    """Remembered: the model's Stripe says few different things, and each means one."""
    return classify(answer)


def _may_call(since_leased_s: float) -> bool:
    return may_call(since_leased_s, timing=TIMING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a worker asks while it works."""

    decide: Decide = decide
    judge: Judge = judge
    classify: Callable[[Answer], Outcome] = _classify
    may_call: Callable[[float], bool] = _may_call
    """Whether the call may still be made that many seconds after its attempt was opened."""


OURS = Rules()
