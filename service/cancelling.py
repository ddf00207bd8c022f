"""Cancelling a copy too many at Stripe: what its answers mean, and what follows, as pure functions.

A cancellation changes Stripe's books, but its answer only says that it was asked for: what it did is read back, so that
no answer is believed. A call whose end is not known is made again under the same key, and never under another one: a
second cancellation could take out the copy that is to stay.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from service.outcomes import (
    CONFLICT,
    FORBIDDEN,
    OK,
    REFUSING,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    Accepted,
    Answer,
    Outcome,
    Reach,
    Refused,
    Scope,
    Unavailable,
    Unknown,
    is_limited,
)
from service.timing import Timing

CALLS_MAX = 100  # of one cancellation; its window is a day
DOUBLINGS_MAX = 20  # of a wait, which has its own bound long before
SERVER_ERROR = 500
ALREADY_CANCELLED = re.compile(r"\balready (?:been )?cancell?ed\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One call that was made for the same cancellation, the one that has just ended included."""

    outcome: str | None  # None: still open
    status: int | None
    is_replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Call Stripe now, under this idempotency key."""

    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Call again, within `wait_s_max` seconds (the caller draws the jitter)."""

    wait_s_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """It may be cancelled: Stripe's books tell. `said` is what Stripe answered where it refused."""

    said: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """It is not cancelled, and will not be: a person decides, or an entry takes the place of what a person decided."""

    reason: str
    said: str | None = None  # Stripe's words where it refused


Step = Cancel | Later | ReadBack | GiveUp


def classify_cancellation(answer: Answer) -> Outcome:
    """The outcome of a call that cancels. Total: every answer has exactly one."""
    return next(outcome(answer) for fits, outcome in TABLE if fits(answer))


def next_step(
    identifier: str,
    calls: Sequence[Made],
    outcome: Outcome | None,
    *,
    now: datetime,
    cancel_until: datetime,
    timing: Timing,
) -> Step:
    """What to do about a copy too many now. `outcome` is the last call's; None asks whether a call may be made."""
    is_doubtful = any(call.outcome in {"accepted", "unknown"} for call in calls)
    match outcome:
        case Accepted():
            return ReadBack()
        case Refused(answer=answer) if is_doubtful:
            return ReadBack(said=_words(answer))
        case Refused(answer=answer):
            said = _words(answer)
            return GiveUp(reason=f"Stripe counts it twice and refuses to cancel one: {said}", said=said)
        case Unavailable() | Unknown() | None:
            if now < cancel_until and len(calls) < CALLS_MAX and not any(map(_is_stored_error, calls)):
                return _again(calls, timing) if outcome else Cancel(idempotency_key=f"{identifier}.cancel")
            return ReadBack() if is_doubtful else GiveUp(reason="Stripe counts it twice, and no call could cancel one")
        case _ as never:
            assert_never(never)


def _again(calls: Sequence[Made], timing: Timing) -> Later:
    return Later(wait_s_max=min(timing.backoff_max_s, timing.backoff_base_s * 2 ** min(len(calls), DOUBLINGS_MAX)))


def _is_stored_error(call: Made) -> bool:
    """The same key would only replay it, and another one might cancel twice."""
    return call.is_replayed and (call.status or 0) >= SERVER_ERROR


def _words(answer: Answer) -> str:
    return answer.message or answer.code or f"status {answer.status}"


def _is_cancelled_already(answer: Answer) -> bool:
    return answer.status in REFUSING and ALREADY_CANCELLED.search(answer.message) is not None


def _is_refused(answer: Answer) -> bool:
    return answer.status in REFUSING and answer.type != "idempotency_error"


# Of a refusal Stripe documents no words. Any will do: what was applied in spite of it shows in the books.
TABLE: tuple[tuple[Callable[[Answer], bool], Callable[[Answer], Outcome]], ...] = (
    (lambda a: a.reach is Reach.NOT_SENT, lambda a: Unavailable(answer=a, scope=Scope.CALL)),
    (lambda a: a.reach is Reach.MAYBE_SENT, lambda a: Unknown(answer=a)),
    (lambda a: a.status == OK, lambda a: Accepted(answer=a)),
    (_is_cancelled_already, lambda a: Accepted(answer=a, is_duplicate=True)),
    (is_limited, lambda a: Unavailable(answer=a, scope=Scope.LIMITER)),
    (lambda a: a.status in {UNAUTHORIZED, FORBIDDEN}, lambda a: Unavailable(answer=a, scope=Scope.ACCOUNT)),
    (lambda a: a.status in {TOO_MANY_REQUESTS, CONFLICT}, lambda a: Unknown(answer=a, scope=Scope.LANE)),
    (_is_refused, lambda a: Refused(answer=a)),
    (lambda _: True, lambda a: Unknown(answer=a)),
)
