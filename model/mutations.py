"""Mistakes somebody made, or would: the product's own rules with one thing wrong, which bills twice or loses usage.

A model that does not notice every one of them is blind.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from model.ledger import Lane, MakeLane
from model.rules import OURS, Rules
from model.weather import Canary
from service.decide import Again, Attempt, Decision, Generation, Send, Settle, decide
from service.outcomes import Accepted, Answer, Outcome, Reach, Refused, classify
from service.read_back import Absent, HeldMinute, Unseen, Verdict, judge
from service.timing import Timing

DAY = timedelta(days=1)
UNAVAILABLE = classify(Answer(reach=Reach.NOT_SENT))


def _never_held(
    generation: Generation, attempts: Sequence[Attempt], outcome: Outcome | None, *, now: datetime, timing: Timing
) -> Decision:
    young = replace(generation, ambiguous_since=generation.ambiguous_since and now)
    return decide(young, attempts, outcome, now=now, timing=timing)


def _refusal_is_final(
    generation: Generation, attempts: Sequence[Attempt], outcome: Outcome | None, *, now: datetime, timing: Timing
) -> Decision:
    if isinstance(outcome, Refused):
        return Settle(state="refused", reason="Stripe said so", ambiguous_since=generation.ambiguous_since)
    return decide(generation, attempts, outcome, now=now, timing=timing)


def _doubt_is_forgotten(
    generation: Generation, attempts: Sequence[Attempt], outcome: Outcome | None, *, now: datetime, timing: Timing
) -> Decision:
    found = decide(generation, attempts, outcome, now=now, timing=timing)
    return replace(found, state="sealed", ambiguous_since=None) if isinstance(found, Again) else found


def _since_last_doubt(
    generation: Generation, attempts: Sequence[Attempt], outcome: Outcome | None, *, now: datetime, timing: Timing
) -> Decision:
    doubts = [one.started_at for one in attempts if one.outcome == "unknown"]
    last = replace(generation, ambiguous_since=max(doubts, default=generation.ambiguous_since))
    return decide(last, attempts, outcome, now=now, timing=timing)


def _key_of_attempt(
    generation: Generation, attempts: Sequence[Attempt], outcome: Outcome | None, *, now: datetime, timing: Timing
) -> Decision:
    found = decide(generation, attempts, outcome, now=now, timing=timing)
    return Send(idempotency_key=f"{generation.identifier}.{len(attempts)}") if isinstance(found, Send) else found


def _duplicate_is_failure(answer: Answer) -> Outcome:
    found = classify(answer)
    return Refused(answer=answer) if isinstance(found, Accepted) and found.is_duplicate else found


def _bad_request_is_success(answer: Answer) -> Outcome:
    return Accepted(answer=answer, is_duplicate=True) if answer.status == 400 else classify(answer)


def _error_is_refusal(answer: Answer) -> Outcome:
    return Refused(answer=answer) if answer.status in (500, 502) else classify(answer)


def _silence_is_absence(answer: Answer) -> Outcome:
    return UNAVAILABLE if answer.reach is Reach.MAYBE_SENT else classify(answer)


def _absence_read_once(minute: HeldMinute, counted: Decimal, *, read_at: datetime, timing: Timing) -> Verdict:
    return judge(replace(minute, absent_since=read_at - DAY), counted, read_at=read_at, timing=timing)


def _no_canary(minute: HeldMinute, counted: Decimal, *, read_at: datetime, timing: Timing) -> Verdict:
    return judge(replace(minute, canary_id=minute.canary_id or 1), counted, read_at=read_at, timing=timing)


def _absence_at_once(minute: HeldMinute, counted: Decimal, *, read_at: datetime, timing: Timing) -> Verdict:
    found = judge(minute, counted, read_at=read_at, timing=timing)
    return Absent(proof="it is not there") if isinstance(found, Absent | Unseen) else found


class _IdentifierOfAttempt(Lane):
    def _identifier(self) -> str:
        return f"{super()._identifier()}.{len(self.tries)}"


class _AnyCanary(Lane):
    def _is_canary(self, canary: Canary) -> bool:
        return canary.accepted_at > self._last_attempt_at


class _SentOnRequest(Lane):
    """A person who asks for a held one has it sent again, though the old one may still be called for."""

    def claim(self, now: int) -> bool:
        self.retry(now)
        return super().claim(now)

    def retry(self, now: int) -> None:
        if self.state == "held":
            self._begin_next_generation(now)
        else:
            super().retry(now)


class _AcceptedForGood(Lane):
    """A report about what was accepted is not heard."""

    def report(self, generation: int, now: int) -> None:
        if self.state != "accepted":
            super().report(generation, now)


class _AcceptedAfterReport(Lane):
    """An acceptance that comes after the report of it is believed."""

    def _known(self) -> Generation:
        return self._facts


class _RefusedWhateverElse(Lane):
    """A report about one copy is taken as one about all."""

    def _is_called_again(self, _: int) -> bool:
        return False


class _DeadIsSealed(Lane):
    """An attempt that nobody closed is taken as not made."""

    def close_dead(self, fence: int, now: int) -> None:
        if self.open_try is not None and self.open_try.fence < fence:
            self._end(self.open_try, UNAVAILABLE, now)


def _by(rules: Rules) -> MakeLane:
    return partial(Lane, rules=rules)


MUTATIONS: dict[str, MakeLane] = {
    "a new identifier for each attempt": _IdentifierOfAttempt,
    "a new key for each attempt": _by(replace(OURS, decide=_key_of_attempt)),
    "a duplicate is a failure, and a refusal final": _by(
        replace(OURS, classify=_duplicate_is_failure, decide=_refusal_is_final)
    ),
    "a 400 is a success": _by(replace(OURS, classify=_bad_request_is_success)),
    "a 5xx is a refusal": _by(replace(OURS, classify=_error_is_refusal)),
    "silence means that it never arrived": _by(replace(OURS, classify=_silence_is_absence)),
    "a refusal after an unknown is final": _by(replace(OURS, decide=_refusal_is_final)),
    "no look at the lease before the call": _by(replace(OURS, may_call=lambda _: True)),
    "an attempt that nobody closed was not made": _DeadIsSealed,
    "nothing is ever held": _by(replace(OURS, decide=_never_held)),
    "a doubt is forgotten": _by(replace(OURS, decide=_doubt_is_forgotten)),
    "the window is counted from the last doubt": _by(replace(OURS, decide=_since_last_doubt)),
    "an absence read once is proof": _by(replace(OURS, judge=_absence_read_once)),
    "an absence needs no canary": _by(replace(OURS, judge=_no_canary)),
    "a canary may have been called for before": _AnyCanary,
    "an absence is proof at any time": _by(replace(OURS, judge=_absence_at_once)),
    "what is held is sent anew when asked for": _SentOnRequest,
    "a report does not beat an acceptance before it": _AcceptedForGood,
    "a report does not beat an acceptance after it": _AcceptedAfterReport,
    "a report of one copy is one of all": _RefusedWhateverElse,
}
"""By name, for tests and the command line."""
