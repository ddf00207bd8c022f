"""A correction as a person orders it: found, decided, and made in one transaction with its action.

`service/correcting.py` says in which way; here is what it must know, under the lane's lock, and what follows. Each
meter event or entry is corrected once: second thoughts are a correction of the correction's row.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_never

from meterpost.rows import UsageRow
from service.correcting import Cancel, Change, Correctable, Enter, Nothing, Refuse, choose
from service.figures import NOTHING, shown
from service.ledger import cancelling, lanes
from service.ledger.actions import Order, note_action
from service.ledger.answers import Acted, Answer, Declined, Unneeded
from service.ledger.connection import Transaction, fetch_one
from service.ledger.corrections import SOURCE, Correction, enter
from service.mirrors.catalog import price_facts
from service.rating import rate, terms_of
from service.second_reading import Surplus
from service.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be corrected: a meter event as a whole, or one entry. `name` is how actions name it."""

    name: str
    meter_event_id: int | None = None
    entry_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Correctable):
    """The same, and what its correction is made with."""

    lane_id: int
    account: str
    customer: str
    meter: str
    meter_stripe_id: str | None
    meter_event_id: int | None
    entry_id: int | None
    generation: int | None
    is_being_taken_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What corrects it already."""

    kind: str
    units: Decimal
    row_id: str | None
    action_id: int
    actor: str
    acted_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What the period costs, in the currency's minor unit."""

    before: int
    after: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a correction changes. The period is the one in which it counts; None: no stretch of it is known."""

    way: str
    why: str
    counts_at: datetime
    units_before: Decimal
    units_after: Decimal
    period_start: datetime | None
    period_end: datetime | None
    period_before: Decimal | None
    period_after: Decimal | None
    money: Money | None
    warning: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """The answer to an order, and what it changes where it was carried out."""

    answer: Answer
    preview: Preview | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ordered:
    """One order about what was found, in the transaction in which it is carried out."""

    tx: Transaction
    target: Target
    found: Found
    order: Order


@dataclass(frozen=True, slots=True)
class _Period:
    item: str
    price: str
    starts_at: datetime
    ends_at: datetime
    price_object: dict[str, Any] | None
    total: Decimal
    entries: int


def correct(
    tx: Transaction, target: Target, change: Change, *, order: Order, is_only_writer: bool, timing: Timing
) -> Corrected:
    """Correct it, in the way that its state, formula, age and invoice allow."""
    found = _lock(tx, target)
    if found is None:
        return Corrected(answer=Declined(letter=target.name, text="the ledger has nothing of this id"))
    if (answered := _answered(tx, target, found, change=change)) is not None:
        return Corrected(answer=answered)
    way = choose(found, change, is_only_writer=is_only_writer, timing=timing)
    match way:
        case Refuse(text=text):
            return Corrected(answer=Declined(letter=target.name, text=text))
        case Nothing(text=text):
            return Corrected(answer=Unneeded(letter=target.name, text=f"{text}; nothing was changed"))
        case Cancel() | Enter():
            preview = _preview(tx, found, way)  # as it stands before
            ordered = _Ordered(tx=tx, target=target, found=found, order=order)
            return Corrected(answer=_act(ordered, way, timing=timing), preview=preview)
        case _ as never:
            assert_never(never)


def _lock(tx: Transaction, target: Target) -> Found | None:
    """As it stands under its lane's lock: a worker may just be deciding about it."""
    found = _find(tx, target)
    if found is None:
        return None
    lanes.lock_lane(tx, found.lane_id)
    return _find(tx, target)


def _find(tx: Transaction, target: Target) -> Found | None:
    return fetch_one(tx, Found, "correctable", meter_event_id=target.meter_event_id, entry_id=target.entry_id)


def _answered(tx: Transaction, target: Target, found: Found, *, change: Change) -> Answer | None:
    """Asked for before: it is done once, and another thought is about the row that it made."""
    if found.is_being_taken_back:
        return Unneeded(letter=target.name, text="Stripe is being asked to cancel it; nothing was changed")
    ids = {"meter_event_id": target.meter_event_id, "entry_id": target.entry_id}
    before = fetch_one(tx, Before, "correction_of", **ids)
    if before is None or before.row_id is None:
        return None
    told = f"{before.actor} corrected it by {shown(before.units)} at {before.acted_at.isoformat(timespec='seconds')}"
    if change.by == before.units or (change.by is None and change.units(found.units) == NOTHING):
        return Unneeded(letter=target.name, text=f"{told}: {before.reason}; nothing was changed")
    return Declined(letter=target.name, text=f"{told}; to change that, correct the row {before.row_id}")


def _act(ordered: _Ordered, way: Cancel | Enter, *, timing: Timing) -> Acted:
    tx, target, found = ordered.tx, ordered.target, ordered.found
    words = {"before": f"{shown(found.units)} units", "after": f"{shown(found.units + way.units)} units"}
    action_id = note_action(tx, ordered.order, "correct", subject=target.name, **words)
    match way:
        case Cancel():
            _cancel(ordered, way, action_id=action_id, timing=timing)
            text = "Stripe is asked to cancel it, and its books are read for what it did"
        case Enter():
            row = _row(ordered, way)
            ids = {"meter_event_id": target.meter_event_id, "corrected_entry_id": target.entry_id}
            correction = Correction(units=way.units, state_before=found.state, row=row, **ids)
            enter(tx, [correction], kind="corrected", action_id=action_id, timing=timing)
            text = f"recorded as row {row.row_id} of {SOURCE}, which goes the way of every row"
    return Acted(letter=target.name, action_id=action_id, text=text, **words)


def _cancel(ordered: _Ordered, way: Cancel, *, action_id: int, timing: Timing) -> None:
    found = ordered.found
    assert found.meter_event_id is not None, "Stripe received it"
    assert found.generation is not None, "under an identifier"
    correction = Correction(units=way.units, meter_event_id=found.meter_event_id, state_before=found.state)
    (correction_id,) = enter(ordered.tx, [correction], kind="cancelled", action_id=action_id, timing=timing)
    surplus = Surplus(meter_event_id=found.meter_event_id, generation=found.generation, cancel_until=way.until)
    is_begun = cancelling.begin_surplus(ordered.tx, surplus, correction_id=correction_id)
    assert is_begun, "it had none, and its lane is locked"


def _row(ordered: _Ordered, way: Enter) -> UsageRow:
    return UsageRow(
        account=ordered.found.account,
        source=SOURCE,
        row_id=f"correct-{ordered.target.name}",
        customer=ordered.found.customer,
        meter=ordered.found.meter,
        value=way.units,
        occurred_at=way.at,
        is_time_told=False,
    )


def _preview(tx: Transaction, found: Found, way: Cancel | Enter) -> Preview:
    at = way.at if isinstance(way, Enter) else found.at
    period = _period(tx, found, at)
    before = None if period is None else _quantity(period, found)
    after = None if before is None else before + way.units
    is_below = after is not None and after < NOTHING
    return Preview(
        way="cancelled at Stripe" if isinstance(way, Cancel) else f"an entry of {shown(way.units)}",
        why=way.why,
        counts_at=at,
        units_before=found.units,
        units_after=found.units + way.units,
        period_start=None if period is None else period.starts_at,
        period_end=None if period is None else period.ends_at,
        period_before=before,
        period_after=after,
        money=None if period is None or before is None or after is None else _money(period, before, after),
        warning="the period falls below zero, which Stripe bills as zero" if is_below else None,
    )


def _period(tx: Transaction, found: Found, at: datetime) -> _Period | None:
    of_lane = {"lane_id": found.lane_id, "account": found.account, "customer": found.customer}
    return fetch_one(tx, _Period, "period_of", **of_lane, meter_stripe_id=found.meter_stripe_id, at=at)


def _quantity(period: _Period, found: Found) -> Decimal:
    return Decimal(period.entries) if found.formula == "count" else period.total


def _money(period: _Period, before: Decimal, after: Decimal) -> Money | None:
    terms = None if period.price_object is None else terms_of(price_facts(period.price_object))
    if terms is None:
        return None
    return Money(before=rate(terms, before).amount, after=rate(terms, after).amount, currency=terms.currency)
