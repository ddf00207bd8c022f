"""The cursors over Stripe's lists of events, what was found there, and what never came by webhook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.catching_up import KEPT, Cursor
from service.ledger.connection import Transaction, execute, fetch
from service.ledger.events import Event
from service.stripe_events import Stream
from service.timing import Timing

MISSED_MAX = 1_000  # noted at once; the rest at the next look
GAPS_MAX = 20  # told of


@dataclass(frozen=True, slots=True)
class _Claimed:
    account: str
    is_live: bool
    stream: str
    read_to: datetime
    read_until: datetime | None
    chunk: int
    page: str | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A span of Stripe's events that nobody read while Stripe kept them."""

    stream: str
    gap_from: datetime
    gap_to: datetime
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class MissedEvent:
    """An event that Stripe lists and did not deliver."""

    event_id: str
    type: str
    object_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class _Found:
    event_id: str


def begin_cursors(tx: Transaction, account: str) -> None:
    """Where there are none: from the day on which the ledger was pinned, as far as Stripe remembers."""
    execute(tx, "begin_cursors", account=account, streams=list(Stream), kept=KEPT)


def claim_cursors(tx: Transaction, account: str, *, is_start: bool, timing: Timing) -> list[Cursor]:
    """The cursors that are due, at a process' start all of them; none while the account's breaker waits."""
    claim = timedelta(seconds=timing.drain_s)
    claimed = fetch(tx, _Claimed, "claim_cursors", account=account, is_start=is_start, claim=claim)
    return [_cursor(one) for one in claimed]


def move_cursor(tx: Transaction, cursor: Cursor, moved: Cursor, *, wait: timedelta) -> bool:
    """In the transaction that records what lies between. False: somebody else has moved it meanwhile."""
    return (
        execute(
            tx,
            "move_cursor",
            account=cursor.account,
            stream=cursor.stream,
            read_to=cursor.read_to,
            read_until=cursor.read_until,
            chunk=cursor.chunk,
            page=cursor.page,
            moved_to=moved.read_to,
            moved_until=moved.read_until,
            moved_chunk=moved.chunk,
            moved_page=moved.page,
            wait=wait,
        )
        == 1
    )


def note_gap(tx: Transaction, cursor: Cursor, *, gap_to: datetime) -> None:
    execute(tx, "note_gap", account=cursor.account, stream=cursor.stream, gap_from=cursor.read_to, gap_to=gap_to)


def record_found_events(tx: Transaction, account: str, events: Sequence[Event], *, found_by: str) -> set[str]:
    """Insert what nobody has told us yet, as long as it is of the ledger's mode; the ids of what is new."""
    known = {event.event_id: event for event in events}  # a list that moves under its reader shows one twice
    found = fetch(
        tx,
        _Found,
        "record_found_events",
        account=account,
        found_by=found_by,
        event_ids=[event.event_id for event in known.values()],
        types=[event.type for event in known.values()],
        api_versions=[event.api_version for event in known.values()],
        modes=[event.is_live for event in known.values()],
        created_ats=[event.created_at for event in known.values()],
        object_ids=[event.object_id for event in known.values()],
        bodies=[event.body for event in known.values()],
    )
    return {row.event_id for row in found}


def note_missed_events(tx: Transaction, account: str, *, grace: timedelta) -> list[MissedEvent]:
    """What was found, and is older than `grace` without having been pushed: each is answered once."""
    return fetch(tx, MissedEvent, "note_missed_events", account=account, grace=grace, events_max=MISSED_MAX)


def missed_events(tx: Transaction, account: str, *, events_max: int) -> list[MissedEvent]:
    """What was missed and is still not pushed, of the time that Stripe keeps; the newest first."""
    return fetch(tx, MissedEvent, "missed_events", account=account, kept=KEPT, events_max=events_max)


def cursors(tx: Transaction, account: str) -> list[Cursor]:
    """Where they stand."""
    return [_cursor(one) for one in fetch(tx, _Claimed, "cursors", account=account)]


def event_gaps(tx: Transaction, account: str) -> list[Gap]:
    """The newest first."""
    return fetch(tx, Gap, "event_gaps", account=account, gaps_max=GAPS_MAX)


def _cursor(one: _Claimed) -> Cursor:
    return Cursor(
        account=one.account,
        is_live=one.is_live,
        stream=Stream(one.stream),
        read_to=one.read_to,
        read_until=one.read_until,
        chunk=one.chunk,
        page=one.page,
        now=one.now,
    )
