"""What Stripe's books say of held meter events: one pure function over a minute's summary and what is known of it.

The rules, and the reason of each:
- The whole set of a minute is compared, never a part of it guessed by sums: all of the held ones are counted, none of
  them, or it is a person's. Where the figures cannot tell these apart, nothing is read into them.
- Presence is proof at any time: nothing but the held ones can have brought the sum to the whole.
- Absence is proof only where nothing but absence explains it: read at least 25 hours after the last attempt, when
  Stripe has forgotten the identifier; again at least half an hour later, because one answer may come from an old copy;
  and both times with a *canary*, a meter event of the same meter that was called for and accepted after that last
  attempt and is visible before the reading. Summaries 30 hours late show neither; without a canary it stays held.
- A figure that no lag explains is a conflict at once; one that a lag might explain is one when a lag is excluded.
- What is absent under an error report was refused by Stripe: a person decides, because it would be refused again.
- The time of a meter event never changes. What Stripe would refuse as too old goes to a person.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.figures import NOTHING, is_equal, shown
from service.timing import SENDABLE_AGE_MAX_S, Timing

GENERATIONS_MAX = 5  # Stripe dropped it under each of them; a sixth would be dropped as well
WAIT_SHARE = 16  # a reading is as rare as a sixteenth of the time that it has been waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMinute:
    """What the ledger knows of a minute of a lane in which meter events are held. A `count` meter's count as 1 each."""

    formula: str
    settled: Decimal  # what meter events add that were accepted before
    held: Decimal  # what the held ones add if each counts
    held_least: Decimal  # the smallest of them, without its sign
    low: Decimal  # the least and the most that the sum can be while Stripe's summaries lag
    high: Decimal
    is_alone: bool  # one held one, and nothing else of which a lag may hide a part
    is_mixed: bool  # of both signs, so that different selections may have one sum
    is_moving: bool  # something in it is still to be sent, or is being sent
    is_contested: bool  # something in it is in conflict: what it adds is not known
    stamped_at: datetime  # of the oldest held one
    generation: int  # the highest of the held ones
    last_attempt_at: datetime  # when the last attempt ended, of all that is not confirmed
    absent_since: datetime | None  # the first of the readings that found all held ones absent, late enough to count
    canary_id: int | None
    report: str | None = None  # an error report that names a held one, or in whose window it was called for


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """All of the held ones count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """None of them shows, as a lag may explain: no part of a proof; read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """None of them is there, and no lag explains it. Without a proof that is noted, and read again."""

    proof: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of it is there, as a lag may explain: read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradicted:
    """Neither the whole nor nothing: a person decides."""

    reason: str


Verdict = Present | Unseen | Absent | Part | Contradicted


def why_unread(minute: HeldMinute, *, is_only_writer: bool) -> str | None:
    """Why Stripe's books cannot tell of this minute what became of its held ones; None: they can."""
    if not is_only_writer:
        return "METERPOST_ONLY_WRITER is false, and what others report cannot be told from it"
    if minute.formula == "last":
        return "the summary of a `last` meter shows no single meter event"
    if minute.is_contested:
        return "it shares its minute with a meter event in conflict"
    if minute.is_mixed:
        return "it shares its minute with one of the opposite sign"
    if _is_too_fine(minute.settled, minute) or _is_too_fine(minute.settled + minute.held, minute):
        return "its minute's sum has more digits than Stripe's summary"
    return None


def judge(minute: HeldMinute, counted: Decimal, *, read_at: datetime, timing: Timing) -> Verdict:
    """What follows from one reading. `read_at` is the ledger's time before the question was asked."""
    if is_equal(counted, minute.settled + minute.held):
        return Present()
    is_lag_excluded = minute.canary_id is not None and read_at >= _ripe_at(minute, timing)
    if is_equal(counted, minute.settled) and is_lag_excluded:
        return Absent(proof=_proof(minute, read_at) if _is_read_again(minute, read_at, timing) else None)
    if is_equal(counted, minute.settled):
        return Unseen()
    if not is_lag_excluded and not minute.is_alone and minute.low <= counted <= minute.high:
        return Part()
    return Contradicted(reason=_figures(minute, counted))


def why_unsendable(minute: HeldMinute, *, now: datetime) -> str | None:
    """Why what is proven absent is not sent anew; None: it is."""
    if minute.report is not None:
        return minute.report
    if is_too_old(minute.stamped_at, now=now):
        return "it does not count, and is too old to be sent again: Stripe takes no meter event older than 35 days"
    if minute.generation >= GENERATIONS_MAX:
        return f"it does not count, though it was sent under {minute.generation} identifiers"
    return None


def is_too_old(stamped_at: datetime, *, now: datetime) -> bool:
    """Whether Stripe may refuse the timestamp before a generation that is begun now has come to its end."""
    return stamped_at <= now - timedelta(seconds=SENDABLE_AGE_MAX_S)


def wait(minute: HeldMinute, *, now: datetime, timing: Timing) -> timedelta:
    """Until the next reading: when it may prove something, else the rarer the longer it was waited for."""
    ordinary = max(timedelta(seconds=timing.read_back_s), (now - minute.last_attempt_at) / WAIT_SHARE)
    ripe_at = _ripe_at(minute, timing)
    if minute.canary_id is None and now >= ripe_at:
        return ordinary
    telling_at = ripe_at if now < ripe_at else _again_at(minute.absent_since or now, timing)
    return min(ordinary, telling_at - now) if now < telling_at else ordinary


def _is_too_fine(total: Decimal, minute: HeldMinute) -> bool:
    return is_equal(total, total + minute.held_least) or is_equal(total, total - minute.held_least)


def _figures(minute: HeldMinute, counted: Decimal) -> str:
    told = f"{shown(minute.settled)} was accepted and " if minute.settled != NOTHING else ""
    return f"Stripe counts {shown(counted)} in its minute, where {told}{shown(minute.held)} is held"


def _proof(minute: HeldMinute, read_at: datetime) -> str:
    return (
        f"absent from Stripe's books since {minute.absent_since:%Y-%m-%d %H:%M} and at {read_at:%Y-%m-%d %H:%M} UTC,"
        f" in which meter event {minute.canary_id} shows"
    )


def _is_read_again(minute: HeldMinute, read_at: datetime, timing: Timing) -> bool:
    return minute.absent_since is not None and read_at >= _again_at(minute.absent_since, timing)


def _ripe_at(minute: HeldMinute, timing: Timing) -> datetime:
    return minute.last_attempt_at + timedelta(seconds=timing.absence_wait_s)


def _again_at(first: datetime, timing: Timing) -> datetime:
    return first + timedelta(seconds=timing.absence_again_s)
