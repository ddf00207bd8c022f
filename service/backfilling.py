"""What becomes of a backfill's entry when the backfill is reverted: one pure function over what is known of it.

An entry beside it takes it back, at the time at which it counts while its period is open, and in the period of now
once it is final; but only from a sum, and only what is known to count. What is not known yet waits, and what no entry
can take back is kept, with the reason.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.figures import NOTHING
from service.timing import SENDABLE_AGE_MAX_S

UNDECIDED = {"unknown", "held", "conflict"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledIn:
    """An entry of a backfill, with all that corrects it; or what corrects a meter event of its entries as a whole."""

    formula: str  # unknown: its meter is not known yet
    state: str | None  # of its meter event; None: not sealed yet
    units: Decimal
    is_taken_back: bool  # its meter event is, by a person's hand
    is_moving: bool  # Stripe is being asked to cancel it
    is_late: bool  # its invoice was final without it, and nobody has decided of it
    lateness: str | None  # its invoice is final, as a sentence
    is_billed_now: bool
    at: datetime  # at which it counts: sealed, the time that Stripe was told; else its own
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """An entry of as many units less, at that time."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Nothing of it counts any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Whether it counts is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Nothing of ours takes it back; the reason says what does."""

    reason: str


Ending = TakeBack | Gone | Wait | Keep


def end(filled: FilledIn) -> Ending:
    """What becomes of it."""
    if filled.is_taken_back or filled.units == NOTHING:
        return Gone()
    if filled.is_moving or filled.state in UNDECIDED or filled.formula == "unknown":
        return Wait()
    if filled.formula != "sum":
        return Keep(reason=f"no entry takes back what a {filled.formula} meter counts; see meterpost correct")
    if filled.state == "refused":
        return Keep(reason="it never counted: discard its meter event, see meterpost dead list")
    if filled.is_late:
        return Keep(reason="it is on no invoice: waive it, see meterpost late list")
    return _take_back(filled)


def _take_back(filled: FilledIn) -> Ending:
    is_too_old = filled.at <= filled.now - timedelta(seconds=SENDABLE_AGE_MAX_S)
    if filled.lateness is None and not is_too_old:
        return TakeBack(at=filled.at)
    if filled.is_billed_now:
        return TakeBack(at=filled.now)
    return Keep(reason="its invoice is final, and no open period bills its customer now: set it right by hand")
