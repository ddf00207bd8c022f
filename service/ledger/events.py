"""What Stripe told us, in the ledger: recorded once, its deliveries counted, claimed when due, closed with its effects.

A claim only moves `due_at` on: when its holder dies, the event comes back by itself, and the lock taken at closing lets
no two holders close it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.ledger.connection import Transaction, execute, fetch, fetch_one

FAILURES_MAX = 10  # a failing effect becomes a dead letter at the tenth
FAILURES_KEPT_MAX = 100  # with time and reason; an outage that is waited for may be met a thousand times


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event as it came. `object_id` is what it is about, where it says so.

    `lacking` says what its envelope does not: such an event is kept and ignored. `is_live` is None where it is that.
    """

    event_id: str
    type: str
    api_version: str | None
    is_live: bool | None
    created_at: datetime
    object_id: str | None
    body: bytes
    lacking: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEvent:
    """A claimed event, with what tells whether it is of the ledger's own account and mode."""

    event_id: str
    type: str
    created_at: datetime
    object_id: str | None
    body: bytes
    failures: int
    is_of_our_mode: bool
    stripe_account: str | None
    claimed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """When an event that could not be applied is tried again, and why it could not."""

    event_id: str
    wait: timedelta
    reason: str
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUse:
    """How many events a secret, by its fingerprint, was the last to verify in the last seven days, and when."""

    fingerprint: str
    events: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class _Recorded:
    deliveries: int


@dataclass(frozen=True, slots=True)
class _Named:
    event_id: str


def record_event(tx: Transaction, account: str, event: Event, *, verified_by: str | None = None) -> int | None:
    """Insert the event or count the delivery, which the secret of this fingerprint signed.

    Returns its deliveries; None: of the other mode, not recorded.
    """
    recorded = fetch_one(
        tx,
        _Recorded,
        "record_event",
        account=account,
        event_id=event.event_id,
        type=event.type,
        api_version=event.api_version,
        is_live=event.is_live,
        created_at=event.created_at,
        object_id=event.object_id,
        body=event.body,
        verified_by=verified_by,
        lacking=event.lacking,
    )
    return recorded.deliveries if recorded else None


def secret_uses(tx: Transaction, account: str) -> list[SecretUse]:
    """Of the last seven days."""
    return fetch(tx, SecretUse, "secret_uses", account=account)


def claim_events(tx: Transaction, account: str, *, events_max: int, claim: timedelta) -> list[DueEvent]:
    """Due events, the oldest word first; due again after `claim` unless they are closed before."""
    claimed = fetch(tx, DueEvent, "claim_events", account=account, events_max=events_max, claim=claim)
    return sorted(claimed, key=lambda event: (event.created_at, event.event_id))


def lock_events(tx: Transaction, account: str, event_ids: Collection[str]) -> set[str]:
    """Which of these nobody has closed yet; nobody else can until the transaction ends."""
    locked = fetch(tx, _Named, "lock_events", account=account, event_ids=sorted(event_ids))
    return {row.event_id for row in locked}


def mark_applied(tx: Transaction, account: str, event_ids: Collection[str]) -> None:
    execute(tx, "mark_applied", account=account, event_ids=sorted(event_ids))


def mark_ignored(tx: Transaction, account: str, reasons: Mapping[str, str]) -> None:
    """Close events that change nothing here; `reasons` by event id."""
    event_ids = sorted(reasons)
    execute(
        tx,
        "mark_ignored",
        account=account,
        event_ids=event_ids,
        reasons=[reasons[event_id] for event_id in event_ids],
    )


def add_effects(tx: Transaction, account: str, event_ids: Collection[str], *, kind: str) -> None:
    """Write down that these events changed something: at most one effect of a kind each."""
    execute(tx, "add_effects", account=account, event_ids=sorted(event_ids), kind=kind)


def put_off_events(tx: Transaction, account: str, put_off: Sequence[PutOff]) -> None:
    """Try again later; with FAILURES_MAX failures an event is failed instead, and waits for a person."""
    execute(
        tx,
        "put_off_events",
        account=account,
        event_ids=[one.event_id for one in put_off],
        waits=[one.wait for one in put_off],
        reasons=[one.reason for one in put_off],
        failures=[one.failures for one in put_off],
        failures_max=FAILURES_MAX,
        kept_max=FAILURES_KEPT_MAX,
    )
