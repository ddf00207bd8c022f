"""Late usage: what is on no invoice because its own was final before Stripe had it, and what a person decides of it.

Carried, it becomes one entry a meter event in the period of now; waived, it stays unbilled. Either is said once, and is
written down with its action. Nothing is carried where nothing would bill it, nor decided of while Stripe may still come
to have it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from meterpost.rows import UsageRow
from service.figures import NOTHING, shown
from service.ledger import lanes
from service.ledger.actions import Order, note_action
from service.ledger.answers import Acted, Answer, Declined, Unneeded
from service.ledger.connection import Transaction, fetch, fetch_one
from service.ledger.corrections import SOURCE, Correction, enter
from service.letters import Kind, NoLetter, read_letter_id
from service.timing import Timing

METER_EVENTS_MAX = 10_000  # decided of at once
SUBJECT_PARTS = 3


class NoLateId(ValueError):
    """The text names no late usage; it says what does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateId:
    """One meter event, or all that is late of an invoice and lane."""

    text: str
    meter_event_id: int | None = None
    invoice: str | None = None
    customer: str | None = None
    meter: str | None = None

    def parameters(self) -> dict[str, object]:
        named = {"invoice": self.invoice, "customer": self.customer, "meter": self.meter}
        return {"meter_event_id": self.meter_event_id, **named}


@dataclass(frozen=True, slots=True)
class LateUsage:
    """All that is late of an invoice and lane, in the columns of every alarm's question."""

    subject: str
    is_urgent: bool
    customer: str
    meter: str
    item: str
    price: str
    stretch_start: datetime
    rows: int
    units: Decimal
    invoice: str
    since: datetime
    until: datetime
    deadline: datetime | None
    said: str


@dataclass(frozen=True, slots=True)
class LateMeterEvent:
    meter_event_id: int
    lane_id: int
    account: str
    customer: str
    meter: str
    formula: str
    state: str
    entries: int
    units: Decimal
    value: Decimal
    stamped_at: datetime
    invoice: str
    closed_at: datetime
    is_billed_now: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class _Decision:
    kind: str
    actor: str
    acted_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class _Undecided:
    """What of it stands in one state; `unsealed` too. Pauses are of interest where it waits to be sent."""

    state: str
    rows: int
    meter_event_id: int | None
    meter: str
    is_account_paused: bool
    is_meter_paused: bool


def read_late_id(text: str) -> LateId:
    """Raises NoLateId."""
    parts = text.split("/")
    if len(parts) == SUBJECT_PARTS and all(parts):
        return LateId(text=text, invoice=parts[0], customer=parts[1], meter=parts[2])
    try:
        letter = read_letter_id(text)
    except NoLetter:
        letter = None
    if letter is None or letter.kind is not Kind.METER_EVENT:
        raise NoLateId(
            f"{text[:60]!r} names no late usage; that is a meter event (me-123), or an invoice and lane as"
            " meterpost late list shows it (in_1Abc/cus_1/api_requests)"
        )
    return LateId(text=text, meter_event_id=letter.number)


def late_usage(tx: Transaction, account: str) -> list[LateUsage]:
    """One line an invoice and lane: what the alarm asks."""
    return fetch(tx, LateUsage, "alarming_late", account=account)


def late_meter_events(tx: Transaction, account: str, late: LateId) -> list[LateMeterEvent]:
    most = {"meter_events_max": METER_EVENTS_MAX}
    return fetch(tx, LateMeterEvent, "late_meter_events", account=account, **late.parameters(), **most)


def carry(tx: Transaction, account: str, late: LateId, *, order: Order, timing: Timing) -> Answer:
    """One entry of each in the period of now."""
    found = _lock(tx, account, late)
    if not found:
        return _nothing(tx, account, late)
    first = found[0]
    if first.formula == "last":
        why = (
            "keeps its latest value: carried, an old value would stand for now. Publish what holds now, then late waive"
        )
        return Declined(letter=late.text, text=f"the meter {first.meter} {why}")
    if not first.is_billed_now:
        text = f"no open period of {first.customer} bills {first.meter} now, so that nothing would be billed"
        return Declined(letter=late.text, text=f"{text}: bill it by hand, or make a subscription; else late waive")
    action_id = note_action(tx, order, "carry", subject=late.text, before="late", after="carried")
    enter(tx, [_carried(one) for one in found], kind="carried", action_id=action_id, timing=timing)
    return _acted(late, found, action_id=action_id, after="carried", text="billed with the period of now")


def waive(tx: Transaction, account: str, late: LateId, *, order: Order, timing: Timing) -> Answer:
    """It stays unbilled, for good."""
    found = _lock(tx, account, late)
    if not found:
        return _nothing(tx, account, late)
    action_id = note_action(tx, order, "waive", subject=late.text, before="late", after="waived")
    waived = [Correction(units=NOTHING, meter_event_id=one.meter_event_id, state_before=one.state) for one in found]
    enter(tx, waived, kind="waived", action_id=action_id, timing=timing)
    return _acted(late, found, action_id=action_id, after="waived", text="it stays on no invoice")


def _lock(tx: Transaction, account: str, late: LateId) -> list[LateMeterEvent]:
    """As it stands under its lane's lock: somebody else may just be deciding of it."""
    found = late_meter_events(tx, account, late)
    if found:
        lanes.lock_lane(tx, found[0].lane_id)
        return late_meter_events(tx, account, late)
    return found


def _carried(one: LateMeterEvent) -> Correction:
    row = UsageRow(
        account=one.account,
        source=SOURCE,
        row_id=f"carry-me-{one.meter_event_id}",
        customer=one.customer,
        meter=one.meter,
        value=one.value,
        occurred_at=one.now,
        is_time_told=False,
    )
    return Correction(units=one.units, meter_event_id=one.meter_event_id, state_before=one.state, row=row)


def _nothing(tx: Transaction, account: str, late: LateId) -> Answer:
    """Why nothing is decided of it now."""
    undecided = fetch(tx, _Undecided, "late_undecided", account=account, **late.parameters())
    if undecided:
        return Declined(letter=late.text, text="not decided yet: " + "; ".join(_until_when(one) for one in undecided))
    decided = fetch_one(tx, _Decision, "late_decision", meter_event_id=late.meter_event_id, subject=late.text)
    if decided is None:
        return Declined(letter=late.text, text="nothing of it is late; see meterpost late list")
    when = decided.acted_at.isoformat(timespec="seconds")
    text = f"it was {decided.kind} by {decided.actor} at {when}: {decided.reason}; nothing was changed"
    return Unneeded(letter=late.text, text=text)


def _until_when(one: _Undecided) -> str:
    rows, example = f"{one.rows:,} of its rows", f"me-{one.meter_event_id}"
    match one.state:
        case "unsealed":
            return f"{rows} are not sealed yet; ask again in some minutes"
        case "sealed":
            return f"{rows} wait to be sent; {_until_sent(one)}"
        case "unknown":
            return f"{rows} may or may not be at Stripe, which is asked again; see meterpost row show {example}"
        case "held":
            return f"{rows} are held until Stripe's books say whether it has them; see meterpost dead show {example}"
        case _:
            return f"Stripe's books contradict ours about {rows}; set it right first, see meterpost dead show {example}"


def _until_sent(one: _Undecided) -> str:
    pauses = {"meterpost resume": one.is_account_paused, f"meterpost resume --meter {one.meter}": one.is_meter_paused}
    commands = [command for command, is_paused in pauses.items() if is_paused]
    if commands:
        return f"sending is paused, so resume it first ({' and '.join(commands)}), and ask again"
    return "ask again once they are; meterpost status says what keeps them"


def _acted(late: LateId, found: Sequence[LateMeterEvent], *, action_id: int, after: str, text: str) -> Acted:
    units, rows = sum((one.units for one in found), NOTHING), sum(one.entries for one in found)
    told = f"{shown(units)} units of {rows:,} rows, missing on {found[0].invoice}; {text}"
    more = "; there may be more, ask again" if len(found) == METER_EVENTS_MAX else ""
    return Acted(letter=late.text, action_id=action_id, before="late", after=after, text=told + more)
