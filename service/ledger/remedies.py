"""What a person may do about a dead letter, decided in one place and written down with its effect in one transaction.

A refused meter event gets its next generation: nothing of it can have counted. A held one is never sent by a person's
word: Stripe's books are read, and they decide. A quarantined row goes through the door of every row. Whatever is asked
twice, or of a letter that has moved on, changes nothing.
"""

from dataclasses import dataclass
from typing import assert_never

from meterpost.rows import NO_UNITS, Units
from service.corrections import Correction
from service.ledger import lanes
from service.ledger.answers import Answer, Ordered
from service.ledger.connection import execute, fetch_one
from service.ledger.generations import next_generation
from service.ledger.replaying import find_quarantined, replay
from service.ledger.signup_remedies import discard_signup, retry_signup
from service.letters import Kind
from service.timing import Timing

NO_CORRECTION = Correction()
LAST_WORDS = {
    "refused": "nothing of it can have counted, and nothing more of it is sent",
    "held": "it may have been billed, and nothing more of it is sent",
    "conflict": "what Stripe counts of it stays as it is",
}


@dataclass(frozen=True, slots=True)
class DeadMeterEvent:
    lane_id: int
    state: str
    generation: int
    is_confirmed: bool  # Stripe's books had shown it before it was refused
    is_called: bool  # a call for it has not ended
    is_restored: bool  # the ledger was, and nobody has confirmed that it may go on
    is_counted: bool  # Stripe counts something in its minute that a restored ledger does not know
    lateness: str | None  # the invoice that would have billed it is final; None: it can still be billed


@dataclass(frozen=True, slots=True)
class DeadConflict:
    source: str
    row_id: str


@dataclass(frozen=True, slots=True)
class DeadEvent:
    account: str
    event_id: str
    state: str


@dataclass(frozen=True, slots=True)
class DeadExternal:
    lane_id: int
    meter_event_id: int | None  # its rows came again


def retry(
    ordered: Ordered, *, correction: Correction = NO_CORRECTION, timing: Timing, units: Units = NO_UNITS
) -> Answer:
    """Try again what can be, in the way that its kind allows; a row by the units of the rate card too."""
    kind = ordered.letter.kind
    if kind is Kind.QUARANTINED:
        return replay(ordered, correction=correction, timing=timing, units=units)
    if kind is Kind.SIGNUP:
        return retry_signup(ordered, correction=correction)
    if correction:
        return ordered.declined("only a row in quarantine can be corrected; leave --set and --drop out")
    return _retry_as_it_stands(ordered)


def discard(ordered: Ordered) -> Answer:
    """Take it off the desk as it stands: never deleted, and a meter event is never sent again."""
    match ordered.letter.kind:
        case Kind.METER_EVENT:
            return _discard_meter_event(ordered)
        case Kind.SIGNUP:
            return discard_signup(ordered)
        case Kind.EVENT:
            return _discard_event(ordered)
        case Kind.EXTERNAL:
            return _discard_external(ordered)
        case Kind.QUARANTINED | Kind.CONFLICTING:
            return _discard_told(ordered)
        case _ as never:
            assert_never(never)


def _retry_as_it_stands(ordered: Ordered) -> Answer:
    match ordered.letter.kind:
        case Kind.METER_EVENT:
            return _retry_meter_event(ordered)
        case Kind.CONFLICTING:
            return _retry_conflicting(ordered)
        case Kind.EVENT:
            return _retry_event(ordered)
        case Kind.EXTERNAL:
            return _retry_external(ordered)
        case Kind.QUARANTINED | Kind.SIGNUP as never:
            raise AssertionError(f"{never} has a remedy of its own")


def _retry_meter_event(ordered: Ordered) -> Answer:
    found = _lock_meter_event(ordered)
    if found is None:
        return ordered.unknown()
    if closed := ordered.closed():
        return closed
    match found.state:
        case "refused":
            return _send_anew(ordered, found)
        case "held":
            execute(ordered.tx, "ask_reading", meter_event_id=ordered.letter.number)
            text = "Stripe's books are read for it next; it is sent again only if they prove that it does not count"
            return ordered.retried(before="held", after="held", text=text)
        case "conflict":
            return ordered.declined(
                "another call could count it twice: compare it with Stripe's books (meterpost dead show"
                f" {ordered.letter}), set it right there, then discard it"
            )
        case _:
            return ordered.unneeded(f"it is {found.state} and needs nobody")


def _send_anew(ordered: Ordered, found: DeadMeterEvent) -> Answer:
    made = next_generation(ordered.tx, ordered.letter.number, reason=ordered.order.reason)
    if made is None:
        return ordered.declined(_why_not_anew(found, letter=str(ordered.letter)))
    text = f"sent again as generation {made.generation}; nothing of generation {found.generation} can have counted"
    return ordered.retried(before="refused", after="sealed", text=text)


def _why_not_anew(found: DeadMeterEvent, *, letter: str) -> str:
    if found.lateness is not None:
        return f"{found.lateness}: sent again it would be billed on no invoice; run meterpost late carry {letter}"
    if found.is_restored:
        return (
            "the ledger was put back to an earlier time, and may have forgotten that it was sent again: run meterpost"
            " reconcile --epoch first"
        )
    if found.is_called:
        return "a call under its present identifier has not ended: ask again in a minute"
    if found.is_confirmed:
        return (
            "Stripe's books had shown it before: compare them at Stripe, publish a row for what is missing, then"
            " discard it"
        )
    if found.is_counted:
        return (
            "Stripe counts something in its minute that the restored ledger does not know, which may be this: compare"
            " them at Stripe, then discard it"
        )
    return (
        "its time, which never changes, is too long ago for Stripe: bill it by hand or with a row of today, then"
        " discard it"
    )


def _discard_meter_event(ordered: Ordered) -> Answer:
    found = _lock_meter_event(ordered)
    if found is None:
        return ordered.unknown()
    if closed := ordered.closed():
        return closed
    if found.state not in LAST_WORDS:
        return ordered.unneeded(f"it is {found.state} and needs nobody")
    return ordered.discarded(before=found.state, text=LAST_WORDS[found.state])


def _lock_meter_event(ordered: Ordered) -> DeadMeterEvent | None:
    """As it stands under its lane's lock: a worker may just be deciding about it."""
    known = _find_meter_event(ordered)
    if known is None:
        return None
    lanes.lock_lane(ordered.tx, known.lane_id)
    return _find_meter_event(ordered)


def _find_meter_event(ordered: Ordered) -> DeadMeterEvent | None:
    return fetch_one(ordered.tx, DeadMeterEvent, "dead_meter_event", meter_event_id=ordered.letter.number)


def _discard_told(ordered: Ordered) -> Answer:
    if ordered.letter.kind is Kind.QUARANTINED:
        is_known = find_quarantined(ordered.tx, ordered.letter) is not None
        return _discard_row(ordered, is_known=is_known, before="quarantined", text="it never counted")
    is_known = _lock_conflict(ordered) is not None
    return _discard_row(ordered, is_known=is_known, before="row_conflict", text="what was told first counts")


def _discard_row(ordered: Ordered, *, is_known: bool, before: str, text: str) -> Answer:
    if not is_known:
        return ordered.unknown()
    return ordered.closed() or ordered.discarded(before=before, text=text)


def _retry_conflicting(ordered: Ordered) -> Answer:
    found = _lock_conflict(ordered)
    if found is None:
        return ordered.unknown()
    return ordered.closed() or ordered.declined(
        f"row {found.row_id} of {found.source} counts as it was told first, and a recorded row never changes: publish"
        " the difference as a row with an id of its own, then discard this"
    )


def _retry_event(ordered: Ordered) -> Answer:
    found = _lock_event(ordered)
    if found is None:
        return ordered.unknown()
    if closed := ordered.closed():
        return closed
    if execute(ordered.tx, "revive_event", account=found.account, event_id=found.event_id) == 0:
        return ordered.unneeded(f"it is {found.state} and needs nobody")
    return ordered.retried(before="failed", after="received", text="its effect is tried again from the start")


def _discard_event(ordered: Ordered) -> Answer:
    found = _lock_event(ordered)
    if found is None:
        return ordered.unknown()
    if closed := ordered.closed():
        return closed
    if found.state != "failed":
        return ordered.unneeded(f"it is {found.state} and needs nobody")
    return ordered.discarded(before="failed", text="it changes nothing here")


def _retry_external(ordered: Ordered) -> Answer:
    if _lock_external(ordered) is None:
        return ordered.unknown()
    return ordered.closed() or ordered.declined(
        "it is matched by itself when producers send the rows of its time again; there is nothing here to try"
    )


def _discard_external(ordered: Ordered) -> Answer:
    found = _lock_external(ordered)
    if found is None:
        return ordered.unknown()
    if closed := ordered.closed():
        return closed
    if found.meter_event_id is not None:
        return ordered.unneeded(f"its rows came again, as me-{found.meter_event_id}")
    text = "what Stripe counts of it stays as it is, and the rows of its hour are sent as usual"
    return ordered.discarded(before="external", text=text)


def _lock_external(ordered: Ordered) -> DeadExternal | None:
    """As it stands under its lane's lock: seal may just be finding its rows."""
    found = fetch_one(ordered.tx, DeadExternal, "dead_external", external_id=ordered.letter.number)
    if found is None:
        return None
    lanes.lock_lane(ordered.tx, found.lane_id)
    return fetch_one(ordered.tx, DeadExternal, "dead_external", external_id=ordered.letter.number)


def _lock_conflict(ordered: Ordered) -> DeadConflict | None:
    return fetch_one(ordered.tx, DeadConflict, "dead_conflicting", conflict_id=ordered.letter.number)


def _lock_event(ordered: Ordered) -> DeadEvent | None:
    return fetch_one(ordered.tx, DeadEvent, "dead_event", event_id=ordered.letter.key)
