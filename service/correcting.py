"""What a person may take back or change of what was used, and in which way: one pure function over what is known.

The rules, and the reason of each:
- What Stripe received within a day, and is taken back as a whole, is cancelled there: no trace of it stays on the
  invoice. Its books tell whether it was, so only what they are known to show, and show once, is cancelled.
- All else is an entry beside it, which adds or takes away: at the time at which it counts, while its invoice is open,
  in the period of now once it is final, or once Stripe would refuse its time.
- An entry takes away from a sum alone. A `count` meter counts entries, also negative ones, so that only a cancellation
  takes one back; a `last` meter keeps a value, and the right one replaces it.
- What may or may not count is not corrected: half of a guess would be right.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.figures import NOTHING
from service.timing import CANCELLABLE_S, SENDABLE_AGE_MAX_S, Timing

LAST = (
    "a last meter keeps its latest value, so there is nothing to add or to take away: publish the right value as a row"
    " of now, or of any later time than this one's"
)
NOT_BY_ENTRIES = {
    "last": LAST,
    "unknown": "its meter is not known yet, nor what an entry would do: ask again once its rows are sealed",
}
UNDECIDED = {
    "unknown": "whether it counts is not known yet: ask again once meterpost row show says accepted",
    "held": "whether it counts is for Stripe's books to say: ask again once they have, see meterpost dead show",
    "conflict": "Stripe's books contradict ours about it: set it right first, see meterpost dead show",
    "refused": "it never counted: meterpost dead discard leaves it so, and meterpost late carry bills what is late",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Correctable:
    """What is to be corrected, as the ledger has it: a meter event as a whole, or one entry of it."""

    formula: str
    state: str | None  # of its meter event; None: not sealed yet
    units: Decimal  # what it says now, with all that corrects it
    is_whole: bool  # no other entry is in its meter event
    is_corrected: bool  # something corrects it, its meter event or an entry of that
    is_external: bool = False  # counted in a life of the ledger that was forgotten
    is_called_off: bool = False  # a cancellation was asked for, of it or of a copy too many
    received_after: datetime | None = None  # Stripe received it no sooner; None: nobody knows
    calls: int = 0  # that may each have counted by themselves
    lateness: str | None = None  # its invoice is final, as a sentence
    is_late: bool = False  # that invoice was final without it, and nobody has decided of it
    carried_as: str | None = None  # the row as which it was carried
    corrected_as: str | None = None  # the row that corrects its meter event as a whole, where one entry is meant
    is_billed_now: bool = True
    at: datetime  # at which it counts: sealed, the time that Stripe was told; else its own
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """By how much, or to what; neither: all of it is taken back."""

    by: Decimal | None = None
    to: Decimal | None = None

    def units(self, present: Decimal) -> Decimal:
        return self.by if self.by is not None else (self.to or NOTHING) - present


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Stripe cancels it; the call may be begun before `until`."""

    until: datetime
    units: Decimal
    why: str = "Stripe received it within a day, and all of it is taken back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    """An entry of so many units at that time."""

    units: Decimal
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """It cannot be done; the text says what can."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """It says so already."""

    text: str


Way = Cancel | Enter | Refuse | Nothing


def choose(found: Correctable, change: Change, *, is_only_writer: bool, timing: Timing) -> Way:
    """In which way it is corrected."""
    why = NOT_BY_ENTRIES.get(found.formula) or UNDECIDED.get(found.state or "") or _elsewhere(found)
    if why is not None:
        return Refuse(text=why)
    units = change.units(found.units)
    if units == NOTHING:
        return Nothing(text="it says so already, with all that corrects it")
    why_not = _why_not_cancelled(found, units, is_only_writer=is_only_writer, timing=timing)
    if why_not is None and found.received_after is not None:
        return Cancel(until=cancel_until(found.received_after, timing), units=units)
    if found.formula == "count" and not (found.state == "cancelled" and units == 1):
        return Refuse(
            text=f"a count meter counts entries, also negative ones, so only Stripe can cancel one: {why_not}"
        )
    return _enter(found, units, why_not=why_not or "")


def cancel_until(received_after: datetime, timing: Timing) -> datetime:
    return received_after + timedelta(seconds=CANCELLABLE_S - timing.cancel_margin_s)


def _elsewhere(found: Correctable) -> str | None:
    """What is to be corrected instead; None: this."""
    if found.carried_as is not None:
        return f"it was carried into a later period: correct the row {found.carried_as}"
    if found.is_late:
        return (
            "its invoice was final without it, so it is not billed: meterpost late carry bills it, late waive leaves it"
        )
    if found.corrected_as is not None:
        return f"its meter event was corrected as a whole: correct the row {found.corrected_as}"
    return None


def _why_not_cancelled(found: Correctable, units: Decimal, *, is_only_writer: bool, timing: Timing) -> str | None:
    """The first reason for which Stripe is not asked to cancel it; None: it is."""
    reasons = (
        (found.units + units != NOTHING, "only a part is changed"),
        (found.state is None, "it is not sealed yet, so that Stripe has nothing of it to cancel"),
        (not found.is_whole, "other rows are in its meter event, which Stripe cancels as a whole"),
        (found.is_corrected, "something corrects it already"),
        (found.state != "confirmed", "Stripe's books do not show it (yet)"),
        (found.is_external or found.received_after is None, "no call of this ledger's brought it in"),
        (found.calls > 1, "more calls than one may have brought it in"),
        (found.is_called_off, "a cancellation of it was asked for before"),
        (not is_only_writer, "others report to the meter, so that Stripe's books could not tell"),
        (found.lateness is not None, "its invoice is final"),
        (
            found.received_after is not None and found.now >= cancel_until(found.received_after, timing),
            "Stripe received it too long ago to cancel it",
        ),
    )
    return next((why for is_so, why in reasons if is_so), None)


def _enter(found: Correctable, units: Decimal, *, why_not: str) -> Enter | Refuse:
    is_too_old = found.at <= found.now - timedelta(seconds=SENDABLE_AGE_MAX_S)
    if found.lateness is None and not is_too_old:
        return Enter(units=units, at=found.at, why=why_not)
    why = found.lateness or "Stripe takes nothing of so long ago"
    if not found.is_billed_now:
        return Refuse(text=f"{why}, and no open period bills its customer now: set it right by hand, on an invoice")
    return Enter(units=units, at=found.now, why=f"{why}; it counts in the period of now")
