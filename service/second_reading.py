"""What Stripe's books say later of what was confirmed: one pure function over a minute's summary and what is known.

A call that was made long after its lease may count a second time, once Stripe has forgotten the identifier; and what
was counted may vanish. Both show only when confirmed hours are read again.

The rules, and the reason of each:
- A surplus of exactly one meter event, of which more calls may have counted than one, is a copy too many. Its newest
  copy is cancelled, so that what stays is one, while Stripe allows it: 24 hours from its receipt.
- Several meter events that would explain the surplus alike explain nothing: which one is too many is not guessed.
- Whatever else differs is a conflict when two readings at a distance show it: one answer may come from an old copy.
- Which copy Stripe takes out, where one identifier counts twice, is not documented; so a cancellation proves nothing by
  its answer. The minute is read again until it shows each meter event once, and is a conflict where it does not.
- A meter event is cancelled once at most, whatever follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from service.figures import is_equal, shown
from service.timing import CANCELLABLE_S, Timing

WAIT_SHARE = 16  # what is waited for is asked for as rarely as a sixteenth of the time that it has been waited for
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedMinute:
    """What the ledger knows of a minute of a lane that was confirmed. A `count` meter's count as 1 each."""

    expected: Decimal  # what Stripe counts if each of its meter events counts once
    is_mixed: bool  # of both signs, so that something missing may look like something too many
    agreed_at: datetime | None  # when Stripe's books last agreed
    differs_since: datetime | None  # the first of the readings that differed since then
    cancelling: Decimal | None  # what the copy adds whose cancellation was asked for; None: none is
    asked_at: datetime | None  # when that call ended
    refusal: str | None  # Stripe's words where it refused that call, after another that it may have heeded


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The calls for a meter event under one identifier that may each have counted by themselves."""

    meter_event_id: int
    generation: int
    adds: Decimal
    calls: int
    received_at: datetime | None  # the newest that Stripe is known to have counted
    is_doubtful: bool  # of a call nobody heard the end, so that it may have been received at any time since


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """Each counts once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """It does not agree, as one answer may: noted, and read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surplus:
    """One counts twice: cancel the copy under this generation's identifier, before `cancel_until`."""

    meter_event_id: int
    generation: int
    cancel_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The copy whose cancellation was asked for still shows, as a lag may explain: read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradicted:
    """No lag explains it, and no cancellation of ours sets it right: a person decides."""

    reason: str


Verdict = Agreed | Differs | Surplus | Pending | Contradicted


def judge(
    minute: ConfirmedMinute, counted: Decimal, copies: Sequence[Copy], *, read_at: datetime, timing: Timing
) -> Verdict:
    """What follows from one reading. `read_at` is the ledger's time before the question was asked."""
    if is_equal(counted, minute.expected):
        return Agreed()
    if _is_pending(minute, counted, read_at=read_at, timing=timing):
        return Pending()
    is_read_again = _is_read_again(minute, read_at, timing)
    surplus = _surplus(minute, counted, copies)
    if surplus is not None and read_at < surplus.cancel_until_in(timing) and (is_read_again or not minute.is_mixed):
        return Surplus(
            meter_event_id=surplus.copy.meter_event_id,
            generation=surplus.copy.generation,
            cancel_until=surplus.cancel_until_in(timing),
        )
    if not is_read_again:
        return Differs()
    return Contradicted(reason=_figures(minute, counted, is_late=surplus is not None))


def wait(minute: ConfirmedMinute, verdict: Verdict, *, now: datetime, timing: Timing) -> timedelta | None:
    """Until the minute is read again on its own account; None: when its hour's turn comes."""
    match verdict:
        case Agreed() | Contradicted():
            return None
        case Differs():
            return timedelta(seconds=timing.absence_again_s)
        case Surplus():
            return timedelta(seconds=timing.cancel_settle_s)
        case Pending():
            asked_at = minute.asked_at or now
            return max(timedelta(seconds=timing.cancel_settle_s), (now - asked_at) / WAIT_SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CopyTooMany:
    copy: Copy
    received_at: datetime

    def cancel_until_in(self, timing: Timing) -> datetime:
        if self.received_at == NEVER:
            return NEVER
        return self.received_at + timedelta(seconds=CANCELLABLE_S - timing.cancel_margin_s)


def _is_pending(minute: ConfirmedMinute, counted: Decimal, *, read_at: datetime, timing: Timing) -> bool:
    if minute.cancelling is None or minute.asked_at is None:
        return False
    is_lag = read_at < minute.asked_at + timedelta(seconds=timing.confirm_missing_s)
    return is_lag and is_equal(counted, minute.expected + minute.cancelling)


def _is_read_again(minute: ConfirmedMinute, read_at: datetime, timing: Timing) -> bool:
    again = timedelta(seconds=timing.absence_again_s)
    return minute.differs_since is not None and read_at >= minute.differs_since + again


def _surplus(minute: ConfirmedMinute, counted: Decimal, copies: Sequence[Copy]) -> _CopyTooMany | None:
    """The newest copy of the one meter event that explains all of the difference; None: there is none, or several."""
    if minute.cancelling is not None:
        return None
    calls: dict[int, int] = {}
    for copy in copies:
        calls[copy.meter_event_id] = calls.get(copy.meter_event_id, 0) + copy.calls
    explaining = [
        copy
        for copy in copies
        if calls[copy.meter_event_id] > 1 and copy.calls and is_equal(counted, minute.expected + copy.adds)
    ]
    if len({copy.meter_event_id for copy in explaining}) != 1:
        return None
    newest = max(explaining, key=lambda copy: (_received_at(copy, minute), copy.generation))
    return _CopyTooMany(copy=newest, received_at=_received_at(newest, minute))


def _received_at(copy: Copy, minute: ConfirmedMinute) -> datetime:
    """No later than this for what was heard of; what was not heard of came after the books last agreed."""
    unheard = minute.agreed_at if copy.is_doubtful else None
    return max(copy.received_at or NEVER, unheard or NEVER)


def _figures(minute: ConfirmedMinute, counted: Decimal, *, is_late: bool) -> str:
    told = f"Stripe counts {shown(counted)} in its minute, where {shown(minute.expected)} was confirmed"
    if minute.cancelling is not None:
        refused = f"; Stripe says: {minute.refusal}" if minute.refusal else ""
        return f"{told} and a copy of {shown(minute.cancelling)} was to be cancelled{refused}"
    return f"{told}; received too long ago to be cancelled" if is_late else told
