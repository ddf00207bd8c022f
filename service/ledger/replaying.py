"""Rows out of quarantine: read by the rules and recorded by the door of every row, with their lineage."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import psycopg

from meterpost.rows import SubscriptionRow, Units, UsageRow
from service.corrections import Correction, ReadAgain, StillBad, read_again
from service.ledger import intake
from service.ledger.answers import Answer, Ordered
from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.ledger.overview import ledger_time
from service.letters import LetterId
from service.timing import Timing

ROWS_MAX = 1_000  # of one message


@dataclass(frozen=True, slots=True)
class Quarantined:
    raw: bytes
    field: str | None
    reason: str
    sent_at: datetime | None
    schema: str


@dataclass(frozen=True, slots=True)
class ReplayedRow:
    """A row that came out of quarantine, and the bytes as which it was read."""

    account: str
    source: str
    row_id: str
    said: bytes
    action_id: int


def find_quarantined(tx: Transaction, letter: LetterId) -> Quarantined | None:
    """Locked until the transaction ends."""
    return fetch_one(tx, Quarantined, "dead_quarantined", quarantine_id=letter.number)


def replayed_from(tx: Transaction, letter: LetterId) -> list[ReplayedRow]:
    return fetch(tx, ReplayedRow, "replayed_from", quarantine_id=letter.number, rows_max=ROWS_MAX)


def replay(ordered: Ordered, *, correction: Correction, timing: Timing, units: Units) -> Answer:
    found = find_quarantined(ordered.tx, ordered.letter)
    if found is None:
        return ordered.unknown()
    if closed := ordered.closed():
        return closed
    now = ledger_time(ordered.tx)
    read = read_again(
        found.raw,
        schema=found.schema,
        field=found.field,
        sent_at=found.sent_at,
        correction=correction,
        now=now,
        units=units,
    )
    match read:
        case StillBad(reason=reason):
            return ordered.declined(reason)
        case ReadAgain():
            return _record(ordered, read, timing=timing)
        case _ as never:
            assert_never(never)


def _record(ordered: Ordered, read: ReadAgain, *, timing: Timing) -> Answer:
    """Other content under a known id stays out, and the letter stays on the desk."""
    answer: Answer = ordered.declined(
        "another row of this id was recorded with other content, and counts; if this is one more, give it an id of its"
        " own with --set row_id=…, else discard it"
    )
    with ordered.tx.transaction() as savepoint:
        recorded = (
            intake.record_signups(ordered.tx, read.signups, (), messages=0)
            if read.signups
            else intake.record(ordered.tx, read.rows, (), messages=0, timing=timing)
        )
        if recorded.conflicts:
            raise psycopg.Rollback(savepoint)
        text = "recorded" if recorded.recorded else "it was recorded before, and counts once"
        answer = ordered.retried(before="quarantined", after="recorded", text=text)
        _note_replayed(ordered, read, action_id=answer.action_id)
    return answer


def _note_replayed(ordered: Ordered, read: ReadAgain, *, action_id: int) -> None:
    told: list[UsageRow | SubscriptionRow] = [*read.rows, *read.signups]
    rows = {(row.account, row.source, row.row_id) for row in told}
    execute(
        ordered.tx,
        "note_replayed",
        quarantine_id=ordered.letter.number,
        accounts=[account for account, _, _ in rows],
        sources=[source for _, source, _ in rows],
        row_ids=[row_id for _, _, row_id in rows],
        said=read.said,
        action_id=action_id,
    )
