"""What is to be posted of alarms: written in the transaction of what it tells, in order, until taken or given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.alarm_posts import What, body_of, new_post_id
from service.ledger.alarms import alarms
from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.ledger.overview import ledger_time


@dataclass(frozen=True, slots=True)
class DuePost:
    """One call to make. `calls` counts it."""

    post_id: str
    alarm_id: int
    what: str
    body: str
    calls: int
    made_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Posted:
    """How it went with one thing that was to be told."""

    post_id: str
    what: str
    made_at: datetime
    due_at: datetime | None
    calls: int
    taken_at: datetime | None
    given_up_at: datetime | None
    status: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the receiver has not taken."""

    waiting: int
    since: datetime | None
    reason: str | None
    given_up: int


@dataclass(frozen=True, slots=True)
class _ToPost:
    alarm_id: int
    what: str


def write_posts(tx: Transaction, account: str, kind: str, *, cleared: Sequence[int]) -> None:
    """Of what is open and was not told, and of these that were cleared."""
    found = fetch(tx, _ToPost, "alarms_to_post", account=account, kind=kind, cleared=list(cleared))
    _add(tx, account, found)


def write_acknowledged(tx: Transaction, account: str, alarm_id: int) -> None:
    """Where it was told that it was raised."""
    if fetch_one(tx, _ToPost, "is_posted", alarm_id=alarm_id) is not None:
        _add(tx, account, [_ToPost(alarm_id=alarm_id, what=What.ACKNOWLEDGED)])


def claim_alarm_post(tx: Transaction, account: str, *, claim: timedelta) -> DuePost | None:
    return fetch_one(tx, DuePost, "claim_alarm_post", account=account, claim=claim)


def close_as_taken(tx: Transaction, post_id: str, *, status: int) -> None:
    _close(tx, post_id, is_taken=True, status=status)


def close_as_refused(tx: Transaction, post_id: str, *, status: int | None, reason: str, wait: timedelta | None) -> None:
    """`wait` None: it is given up."""
    _close(tx, post_id, is_given_up=wait is None, status=status, reason=reason, wait=wait or timedelta(0))


def alarm_posts_of(tx: Transaction, alarm_id: int) -> list[Posted]:
    return fetch(tx, Posted, "alarm_posts_of", alarm_id=alarm_id)


def posts_standing(tx: Transaction, account: str) -> Standing:
    found = fetch_one(tx, Standing, "posts_standing", account=account)
    assert found is not None, "a count always answers"
    return found


def _add(tx: Transaction, account: str, found: Sequence[_ToPost]) -> None:
    if not found:
        return
    by_id = {alarm.alarm_id: alarm for alarm in alarms(tx, account, alarm_ids=[one.alarm_id for one in found])}
    now, post_ids, known = ledger_time(tx), [new_post_id() for _ in found], [by_id[one.alarm_id] for one in found]
    execute(
        tx,
        "add_alarm_posts",
        account=account,
        post_ids=post_ids,
        alarm_ids=[one.alarm_id for one in found],
        whats=[one.what for one in found],
        were_urgent=[alarm.is_urgent for alarm in known],
        rows=[alarm.rows for alarm in known],
        amounts=[alarm.amount_rounded for alarm in known],
        currencies=[alarm.currency for alarm in known],
        bodies=[
            body_of(alarm, what=What(one.what), post_id=post_id, at=now)
            for one, alarm, post_id in zip(found, known, post_ids, strict=True)
        ],
    )


def _close(
    tx: Transaction,
    post_id: str,
    *,
    is_taken: bool = False,
    is_given_up: bool = False,
    status: int | None = None,
    reason: str | None = None,
    wait: timedelta = timedelta(0),
) -> None:
    execute(
        tx,
        "close_alarm_post",
        post_id=post_id,
        is_taken=is_taken,
        is_given_up=is_given_up,
        status=status,
        reason=reason,
        wait=wait,
    )
