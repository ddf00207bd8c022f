"""What becomes of a meter event: one pure function over what was tried and what Stripe answered.

The rules, and the reason of each:
- The same identifier again is safe while Stripe remembers it, so *unknown* is sent again until `ambiguous_since` +
  23 h. After that a resend may count twice: it is *held*, and only Stripe's own books can release it.
- The hold depends on `ambiguous_since` alone. A day of 401s leaves no doubt behind and holds nothing.
- A refusal is final only if no attempt of the generation may have been applied; else the refusal may be of a second
  copy.
- What an error report names is refused, whatever its call was answered, before or after: Stripe took it, and rejected
  it then. Only where another call may have brought in a copy of its own do Stripe's books decide.
- An acceptance of a generation that was given up is a conflict: it and the present one may both count.
- A call is not made when it could outlive its lease: the lane may be another's before its answer comes.
- The idempotency key starts equal to the identifier and changes only after a replayed 5xx, which Stripe would
  replay for a day. The identifier stays, so the new key cannot count twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from service.outcomes import Accepted, Outcome, Refused, Unavailable, Unknown
from service.timing import RETRY_WINDOW_S, Timing

SERVER_ERROR = 500
DOUBLINGS_MAX = 20  # of a wait, which has its own bound long before
SEVERAL_CALLS = "another call under its identifier may count"
TAKEN_LATE = "Stripe took it under an identifier that was given up as absent; it may count twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A meter event under one identifier, as the ledger has it."""

    identifier: str
    ambiguous_since: datetime | None
    is_current: bool = True  # False: the call was made under an identifier that was given up since
    rejection: str | None = None  # Stripe's words in an error report that names it
    is_rejection_of_one_copy: bool = False  # another of its calls may have brought in a copy as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One earlier call of this generation, or the one that has just ended."""

    started_at: datetime
    outcome: str | None  # None: still open, or ended without anyone hearing
    status: int | None
    is_replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Call Stripe now, under this idempotency key."""

    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Call later, within `wait_s_max` seconds (the caller draws the jitter)."""

    state: str  # sealed: nothing was applied; unknown: it may have been
    wait_s_max: int
    ambiguous_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """No call is due any more."""

    state: str  # accepted, refused, held or conflict
    reason: str | None
    ambiguous_since: datetime | None


Decision = Send | Again | Settle


def decide(
    generation: Generation, attempts: Sequence[Attempt], outcome: Outcome | None, *, now: datetime, timing: Timing
) -> Decision:
    """What to do with a meter event now.

    `attempts` are those of the current generation, oldest first, the one just ended last; of many, every stored error
    and the newest DOUBLINGS_MAX are enough. `outcome` is its outcome; None asks whether a call may be made. `now` is
    the ledger's time.
    """
    doubt = _doubt(generation, attempts, outcome)
    match outcome:
        case Accepted() if not generation.is_current:
            return Settle(state="conflict", reason=TAKEN_LATE, ambiguous_since=doubt)
        case _ if generation.is_current and generation.rejection is not None:
            return _rejected(generation, generation.rejection, doubt)
        case Accepted():
            return Settle(state="accepted", reason=None, ambiguous_since=doubt)
        case Refused():
            return _refused(outcome, doubt)
        case Unavailable() | Unknown() | None:
            if doubt is not None and now >= doubt + window(timing):
                return Settle(state="held", reason="window_closed", ambiguous_since=doubt)
            return _again(attempts, doubt, timing=timing) if outcome else _send(generation, attempts)
        case _ as never:
            assert_never(never)


def window(timing: Timing) -> timedelta:
    """How long after the first doubt a call may still be *opened*: a lease earlier than the last moment to call."""
    return timedelta(seconds=RETRY_WINDOW_S - timing.lease_s)


def may_call(since_leased_s: float, *, timing: Timing) -> bool:
    """Whether a call may still be made so long after its lane was leased; asked directly before it is."""
    return since_leased_s <= timing.lease_s - timing.call_deadline_s


def _doubt(generation: Generation, attempts: Sequence[Attempt], outcome: Outcome | None) -> datetime | None:
    if generation.ambiguous_since is None and isinstance(outcome, Unknown):
        return attempts[-1].started_at
    return generation.ambiguous_since


def _rejected(generation: Generation, said: str, doubt: datetime | None) -> Settle:
    if generation.is_rejection_of_one_copy:
        return Settle(state="held", reason=f"{said}; {SEVERAL_CALLS}", ambiguous_since=doubt)
    return Settle(state="refused", reason=said, ambiguous_since=doubt)


def _refused(outcome: Refused, doubt: datetime | None) -> Settle:
    said = outcome.answer.message or outcome.answer.code
    if doubt is None:
        return Settle(state="refused", reason=said, ambiguous_since=None)
    return Settle(state="held", reason=f"refused after a call that may have counted: {said}", ambiguous_since=doubt)


def _again(attempts: Sequence[Attempt], doubt: datetime | None, *, timing: Timing) -> Again:
    wait_s = min(timing.backoff_max_s, timing.backoff_base_s * 2 ** min(len(attempts), DOUBLINGS_MAX))
    return Again(state="sealed" if doubt is None else "unknown", wait_s_max=wait_s, ambiguous_since=doubt)


def _send(generation: Generation, attempts: Sequence[Attempt]) -> Send:
    stored = sum(_is_stored_error(attempt) for attempt in attempts)
    return Send(idempotency_key=generation.identifier if stored == 0 else f"{generation.identifier}.{stored}")


def _is_stored_error(attempt: Attempt) -> bool:
    return attempt.is_replayed and (attempt.status or 0) >= SERVER_ERROR
