"""The rules that a history is played by: the product's own, and mutations that a blind model would not notice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from service.decide import Again, Attempt, Decision, Generation, Settle, decide, may_call
from service.outcomes import Accepted, Answer, Outcome, Refused, classify
from service.read_back import Absent, HeldMinute, Unseen, Verdict, judge
from service.timing import Timing

TIMING = Timing(backoff_max_s=4 * 3_600, read_back_s=6 * 3_600)
"""The standard one, with fewer calls and readings in an outage of days: what a history may become stays the same."""


class Case(NamedTuple):
    """What `decide` is asked about."""

    generation: Generation
    attempts: Sequence[Attempt]
    outcome: Outcome | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a worker asks while it works; each is a function of the service, imported and not copied."""

    decide: Callable[[Case], Decision]
    classify: Callable[[Answer], Outcome] = classify
    judge: Callable[[HeldMinute, Decimal, datetime], Verdict]
    identifier: Callable[[str, int], str] = lambda identifier, _: identifier
    """Of the generation's identifier and the number of its attempts."""
    may_call: Callable[[float], bool]
    """Whether the call may still be made that many seconds after its attempt was opened."""


def _decide(case: Case) -> Decision:
    return decide(case.generation, case.attempts, case.outcome, now=case.now, timing=TIMING)


def _judge(minute: HeldMinute, counted: Decimal, read_at: datetime) -> Verdict:
    return judge(minute, counted, read_at=read_at, timing=TIMING)


def _may_call(since_open_s: float) -> bool:
    return may_call(since_open_s, timing=TIMING)


OURS = Rules(decide=_decide, judge=_judge, may_call=_may_call)


def _never_held(case: Case) -> Decision:
    young = replace(case.generation, ambiguous_since=case.generation.ambiguous_since and case.now)
    return _decide(case._replace(generation=young))


def _refusal_is_final(case: Case) -> Decision:
    if isinstance(case.outcome, Refused):
        return Settle(state="refused", reason="Stripe said so", ambiguous_since=case.generation.ambiguous_since)
    return _decide(case)


def _duplicate_is_failure(answer: Answer) -> Outcome:
    found = classify(answer)
    return Refused(answer=answer) if isinstance(found, Accepted) and found.is_duplicate else found


def _doubt_is_forgotten(case: Case) -> Decision:
    found = _decide(case)
    return replace(found, state="sealed", ambiguous_since=None) if isinstance(found, Again) else found


def _absence_read_once(minute: HeldMinute, counted: Decimal, read_at: datetime) -> Verdict:
    return _judge(replace(minute, absent_since=read_at - timedelta(days=1)), counted, read_at)


def _no_canary(minute: HeldMinute, counted: Decimal, read_at: datetime) -> Verdict:
    return _judge(replace(minute, canary_id=minute.canary_id or 1), counted, read_at)


def _absence_at_once(minute: HeldMinute, counted: Decimal, read_at: datetime) -> Verdict:
    found = _judge(minute, counted, read_at)
    return Absent(proof="it is not there") if isinstance(found, Absent | Unseen) else found


MUTATIONS: dict[str, Rules] = {
    "a new identifier for each attempt": replace(OURS, identifier=lambda identifier, tried: f"{identifier}.{tried}"),
    "a duplicate is a failure, and a refusal final": replace(
        OURS, classify=_duplicate_is_failure, decide=_refusal_is_final
    ),
    "a refusal after an unknown is final": replace(OURS, decide=_refusal_is_final),
    "no look at the lease before the call": replace(OURS, may_call=lambda _: True),
    "nothing is ever held": replace(OURS, decide=_never_held),
    "a doubt is forgotten": replace(OURS, decide=_doubt_is_forgotten),
    "an absence read once is proof": replace(OURS, judge=_absence_read_once),
    "an absence needs no canary": replace(OURS, judge=_no_canary),
    "an absence is proof at any time": replace(OURS, judge=_absence_at_once),
}
"""Each a way in which somebody billed twice or lost usage; every one must be caught."""
