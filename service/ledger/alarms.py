"""Alarms in the ledger: what is wrong is asked, and the difference is raised, renewed and cleared; and who saw it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg.rows import class_row

from service.alarms import Kind
from service.ledger.actions import Order, note_action
from service.ledger.connection import Transaction, execute, fetch, fetch_one, sql
from service.timing import QUESTION_S_MAX, Timing

OPEN_MAX = 1_000  # of a kind; whoever has more has one cause behind them, and no use for the rest
ALARMS_MAX = 10_000  # shown at once
RATED_MAX = 50  # of a kind and at once: each sums up a stretch; the others come with the next asking
PLACE_OF_QUESTION = b"/* QUESTION */"
REASON_MAX = 300  # of PostgreSQL's words about a question that failed


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong, or was. `amount` and `amount_rounded` are in the currency's minor unit."""

    alarm_id: int
    account: str
    kind: str
    subject: str
    is_urgent: bool
    customer: str | None
    meter: str | None
    item: str | None
    price: str | None
    stretch_start: datetime | None
    rows: int
    units: Decimal
    amount: Decimal | None
    amount_rounded: int | None
    currency: str | None
    rated_by: str | None
    invoice: str | None
    since: datetime | None
    until: datetime | None
    deadline: datetime | None
    said: str
    raised_at: datetime
    renewed_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    cleared_at: datetime | None

    @property
    def state(self) -> str:
        if self.cleared_at is not None:
            return "cleared"
        return "open" if self.acknowledged_at is None else "acknowledged"


@dataclass(frozen=True, slots=True)
class Difference:
    """What one asking changed; ids of alarms."""

    raised: list[int]
    escalated: list[int]
    cleared: list[int]
    renewed: int
    subjects: int
    left_out: int
    left_out_before: int
    failures_before: int

    @property
    def is_nothing(self) -> bool:
        return not (self.raised or self.cleared or self.renewed)


@dataclass(frozen=True, slots=True)
class Unrated:
    """An alarm that is to be worth something, with its price's object and all that its stretch bills."""

    alarm_id: int
    meter: str
    formula: str
    units: Decimal
    price: str | None
    price_object: dict[str, Any] | None
    has_stretch: bool
    total: Decimal
    entries: int
    newest: Decimal | None
    newest_without: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What an alarm's units make in the currency's minor unit: exact, and by how much an invoice differs."""

    amount: Decimal
    amount_rounded: int
    currency: str
    rated_by: str


@dataclass(frozen=True, slots=True)
class OfKind:
    """What is open of one kind. `amounts` by currency, in its minor unit."""

    kind: str
    alarms: int
    urgent: int
    acknowledged: int
    rows: int
    units: Decimal
    without_money: int
    since: datetime
    left_out: int
    amounts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """How it stands with a kind's question."""

    kind: str
    asked_at: datetime
    answered_at: datetime | None
    subjects: int
    left_out: int
    failures: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: str


@dataclass(frozen=True, slots=True)
class _Claimed:
    set_config: str


@dataclass(frozen=True, slots=True)
class _Failures:
    failures: int


@dataclass(frozen=True, slots=True)
class _Id:
    alarm_id: int


def questions_due(tx: Transaction, account: str, kinds: Collection[Kind], *, timing: Timing) -> list[str]:
    """The names of the kinds that were not asked about for a while, the longest waiting first."""
    names, everies = [kind.name for kind in kinds], [_every(kind, timing) for kind in kinds]
    return [row.kind for row in fetch(tx, _Kind, "questions_due", account=account, kinds=names, everies=everies)]


def claim_question(tx: Transaction, account: str, kind: Kind, *, timing: Timing) -> bool:
    """Take the kind's turn until this transaction ends. False: somebody else has just asked."""
    every, timeout_ms = _every(kind, timing), QUESTION_S_MAX * 1000
    claimed = fetch(tx, _Claimed, "claim_question", account=account, kind=kind.name, every=every, timeout_ms=timeout_ms)
    return bool(claimed)


def raise_alarms(tx: Transaction, account: str, kind: Kind, *, timing: Timing, open_max: int = OPEN_MAX) -> Difference:
    """Ask what is wrong, and let the alarms of this kind say just that. To be called with the kind's turn."""
    statement = sql("raise_alarms").replace(PLACE_OF_QUESTION, sql(kind.question))
    asked = {"account": account, "kind": kind.name, "open_max": open_max}
    with tx.cursor(row_factory=class_row(Difference)) as cursor:
        cursor.execute(statement, asked | {"urgent_within": timedelta(seconds=timing.urgent_within_s)})
        found = cursor.fetchone()
    assert found is not None, "the turn was claimed, so there is a row that is answered"
    return found


def note_unanswered(tx: Transaction, account: str, kind: Kind, *, reason: str) -> int:
    """Returns how often in a row it has failed."""
    noted = fetch_one(
        tx, _Failures, "note_unanswered", account=account, kind=kind.name, reason=reason[:REASON_MAX] or "no reason"
    )
    assert noted is not None, "the turn was claimed, so there is a row"
    return noted.failures


def alarms_to_rate(tx: Transaction, account: str, kind: Kind, *, timing: Timing) -> list[Unrated]:
    return fetch(
        tx,
        Unrated,
        "alarms_to_rate",
        account=account,
        kind=kind.name,
        unrated_wait=timedelta(seconds=timing.unread_wait_s),
        again=timedelta(seconds=timing.rate_again_s),
        alarms_max=RATED_MAX,
    )


def rate_alarms(tx: Transaction, worths: Mapping[int, Worth | None]) -> None:
    """Keep what these alarms are worth; None: no price is known."""
    found = worths.values()
    execute(
        tx,
        "rate_alarms",
        alarm_ids=list(worths),
        amounts=[worth and worth.amount for worth in found],
        amounts_rounded=[worth and worth.amount_rounded for worth in found],
        currencies=[worth and worth.currency for worth in found],
        rated_bys=[worth and worth.rated_by for worth in found],
    )


def rate_anew(tx: Transaction, account: str, prices: Collection[str]) -> None:
    """These prices are known now."""
    execute(tx, "rate_anew", account=account, prices=sorted(prices))


def alarms(
    tx: Transaction,
    account: str,
    *,
    with_cleared: bool = False,
    kind: str | None = None,
    alarm_ids: Sequence[int] | None = None,
    alarms_max: int = ALARMS_MAX,
) -> list[Alarm]:
    """The open ones, the most pressing first; then, if they are wanted, those that were cleared, the newest first."""
    return fetch(
        tx,
        Alarm,
        "alarms",
        account=account,
        with_cleared=with_cleared or alarm_ids is not None,
        kind=kind,
        alarm_ids=alarm_ids,
        alarms_max=alarms_max,
    )


def acknowledge_alarm(tx: Transaction, account: str, alarm_id: int, *, order: Order) -> bool:
    """A person has seen it; it stays open for as long as it is wrong. False: it is cleared, or somebody was first."""
    seen = fetch_one(tx, _Id, "acknowledge_alarm", account=account, alarm_id=alarm_id, actor=order.actor)
    if seen is not None:
        note_action(tx, order, "acknowledge", subject=name_of(alarm_id), before="open", after="acknowledged")
    return seen is not None


def waive_alarm(tx: Transaction, account: str, alarm_id: int, *, order: Order) -> bool:
    """A person lives with these figures; it clears with the next asking. False: it is cleared, or waived as it is."""
    waived = fetch_one(tx, _Id, "waive_alarm", account=account, alarm_id=alarm_id)
    if waived is not None:
        note_action(tx, order, "waive", subject=name_of(alarm_id), before="open", after="waived")
    return waived is not None


def alarms_by_kind(tx: Transaction, account: str) -> list[OfKind]:
    return fetch(tx, OfKind, "alarms_by_kind", account=account)


def alarm_questions(tx: Transaction, account: str) -> list[Question]:
    return fetch(tx, Question, "alarm_questions", account=account)


def name_of(alarm_id: int) -> str:
    """As persons speak of it, and as their actions name it."""
    return f"al-{alarm_id}"


def _every(kind: Kind, timing: Timing) -> timedelta:
    return timedelta(seconds=timing.watch_s * kind.rarity)
