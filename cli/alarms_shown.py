"""Alarms as a person reads them: a line in a list, a page of one, a sentence of what is open of a kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cli.output import age, instant, shown
from service.alarm_posts import REMEDIES, told_of
from service.currencies import exact_money, money
from service.ledger.actions import OperatorAction
from service.ledger.alarm_posts import Posted
from service.ledger.alarms import Alarm, OfKind, name_of

COLUMNS = ("id", "kind", "", "#since", "customer", "meter", "#rows", "#units", "#money", "deadline", "what")
UNPRICED = "no price known"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlarms:
    """What is open of one kind, as `status` tells it; the shape of one item of `alarms` in its JSON."""

    kind: str
    alarms: int
    urgent: int
    acknowledged: int
    rows: int
    units: Decimal
    money: list[str]
    amounts: dict[str, int]  # by currency, in its minor unit
    without_money: int
    oldest_s: int
    left_out: int


def columns_of(*, with_cleared: bool) -> tuple[str, ...]:
    """Cleared ones stand among the others only where they are asked for, and say so."""
    return (*COLUMNS[:2], "state" if with_cleared else "", *COLUMNS[3:])


def row_of(alarm: Alarm, *, now: datetime) -> tuple[object, ...]:
    mark = "urgent" if alarm.is_urgent and alarm.state != "cleared" else alarm.state
    return (
        name_of(alarm.alarm_id),
        alarm.kind,
        "" if mark == "open" else mark,
        age(max(0, int((now - alarm.raised_at).total_seconds()))),
        alarm.customer,
        alarm.meter,
        alarm.rows,
        alarm.units.normalize(),
        money_of(alarm),
        alarm.deadline,
        alarm.said,
    )


def told_alarm(alarm: Alarm) -> dict[str, object]:
    """For JSON: as it is posted, with the stretch that its money is of."""
    stretch = {"item": alarm.item, "price": alarm.price, "start": alarm.stretch_start}
    return told_of(alarm) | {"stretch": stretch if alarm.item else None}


def lines_of(alarm: Alarm, *, actions: Sequence[OperatorAction], posts: Sequence[Posted]) -> Iterator[str]:
    urgent = ", urgent" if alarm.is_urgent else ""
    yield f"{name_of(alarm.alarm_id)}  {alarm.kind}, {alarm.state}{urgent}: {shown(alarm.said)}"
    yield from _facts(alarm)
    if alarm.state != "cleared":
        yield f"  what to do  {REMEDIES.get(alarm.kind, 'see meterpost status')}"
    yield f"  raised      {instant(alarm.raised_at)}, figures of {instant(alarm.renewed_at)}"
    for action in actions:
        yield f"  {action.verb:11} {instant(action.acted_at)} by {shown(action.actor)}: {shown(action.reason)}"
    if alarm.cleared_at is not None:
        yield f"  cleared     {instant(alarm.cleared_at)}"
    for post in posts:
        yield f"  posted      {post.what}: {_told_post(post)}"


def words_of(seen: OpenAlarms) -> str:
    """A sentence for `status`."""
    notes = [f"{seen.urgent:,} urgent"] * bool(seen.urgent) + [f"{seen.acknowledged:,} seen"] * bool(seen.acknowledged)
    amounts = [*seen.money, *([f"{seen.without_money:,} with {UNPRICED}"] if seen.without_money else [])]
    usage = [f"{seen.rows:,} rows"] * bool(seen.rows) + [f"{shown(seen.units)} units"] * bool(seen.units)
    figures = [*usage, *amounts, f"the oldest since {age(seen.oldest_s)}"]
    noted = f" ({', '.join(notes)})" if notes else ""
    more = f"; {seen.left_out:,} more are counted and not listed" if seen.left_out else ""
    return f"{seen.alarms:,} {seen.kind}{noted}: {', '.join(figures)}{more}"


def open_alarms_of(found: OfKind, *, now: datetime) -> OpenAlarms:
    amounts = {currency: int(amount) for currency, amount in sorted(found.amounts.items())}
    return OpenAlarms(
        kind=found.kind,
        alarms=found.alarms,
        urgent=found.urgent,
        acknowledged=found.acknowledged,
        rows=found.rows,
        units=found.units.normalize(),
        money=[money(amount, currency) for currency, amount in amounts.items()],
        amounts=amounts,
        without_money=found.without_money,
        oldest_s=max(0, int((now - found.since).total_seconds())),
        left_out=found.left_out,
    )


def money_of(alarm: Alarm) -> str | None:
    if alarm.amount_rounded is None or alarm.currency is None:
        return None
    return money(alarm.amount_rounded, alarm.currency)


def _facts(alarm: Alarm) -> Iterator[str]:
    facts = {
        "customer": alarm.customer,
        "meter": alarm.meter,
        "rows": alarm.rows,
        "units": alarm.units.normalize(),
        "money": _exact_money_of(alarm) if alarm.meter else None,
        "invoice": alarm.invoice,
        "usage of": " to ".join(instant(at) for at in (alarm.since, alarm.until) if at is not None) or None,
        "deadline": alarm.deadline,
        "stretch": f"{alarm.item} at {alarm.price} from {shown(alarm.stretch_start)}" if alarm.item else None,
    }
    for name, value in facts.items():
        if value is not None:
            yield f"  {name:11} {shown(value)}"


def _exact_money_of(alarm: Alarm) -> str:
    if alarm.amount is None or alarm.currency is None:
        return UNPRICED
    exact = "" if alarm.amount == alarm.amount_rounded else f" (exactly {exact_money(alarm.amount, alarm.currency)})"
    return f"{money_of(alarm)}{exact}, by {alarm.rated_by}"


def _told_post(post: Posted) -> str:
    if post.taken_at is not None:
        return f"taken {instant(post.taken_at)} with {post.status}, at call {post.calls}"
    if post.given_up_at is not None:
        return f"given up {instant(post.given_up_at)} after {post.calls} calls: {shown(post.reason)}"
    due = instant(post.due_at) if post.due_at is not None else "never"
    return f"due {due} after {post.calls} calls{f': {shown(post.reason)}' if post.reason else ''}"
