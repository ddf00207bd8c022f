"""Step 8, for Stripe's objects: events → mirrors.

What the events of a claim decide is closed in one transaction, mirrors and marks together. What they do not decide, two
words of one second, a part of an object or an unreadable one, is read from Stripe, outside of any transaction; the
answer is kept as a fact, and then applied with the events' marks. A crash between the two leaves a reading that was not
applied, and the events to come back.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import psycopg
from redis.exceptions import RedisError

from service.crash_points import crash_point
from service.gateway import NotFound, StripeRefused, StripeUnavailable
from service.ledger import Ledger, events, mirrors
from service.ledger.connection import Transaction
from service.ledger.events import FAILURES_MAX, DueEvent
from service.ledger.mirrors import Unsent
from service.limiter import Throttled
from service.logs import say
from service.mirrors import Mirror, Unreadable, mirror
from service.mirrors.mirror import Key
from workers._effects import VANISHING, Change, ReadsStripe, changes_of, kind_of, older_words

AWAY = (StripeUnavailable, Throttled, RedisError)  # Stripe, or the limiter before it
SPOILT = (psycopg.DataError, psycopg.IntegrityError)  # by what an event says


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a change could not be applied now; `is_passing`: by an outage, which is waited for."""

    reason: str
    is_passing: bool


PutOff = Callable[[str, Sequence[DueEvent], Failure], None]


class Mirroring:
    """Applies events to the mirrors of an account. What cannot be applied now is handed to `put_off`."""

    def __init__(self, ledger: Ledger, stripe: ReadsStripe, *, put_off: PutOff, stopping: threading.Event) -> None:
        self._ledger = ledger
        self._stripe = stripe
        self._put_off = put_off
        self._stopping = stopping

    def apply(self, account: str, claimed: Sequence[DueEvent], *, until: float) -> None:
        """Close what the events decide, all at once; then ask Stripe for the rest, object by object, while time is."""
        changes = list(changes_of([event for event in claimed if kind_of(event.type) is not None]))
        undecided = [change for change in changes if change.mirror is None]
        undecided += self._close_all(account, [change for change in changes if change.mirror is not None])
        for change in undecided:
            if self._stopping.is_set() or time.monotonic() > until:
                return
            self._ask_and_close(account, change)

    def _close_all(self, account: str, changes: Sequence[Change]) -> list[Change]:
        """Close these changes together; alone where one spoils the transaction of all. Returns the undecided."""
        try:
            return self._close(account, changes)
        except SPOILT:
            return [tied for change in changes for tied in self._close_alone(account, change)]

    def _close_alone(self, account: str, change: Change) -> list[Change]:
        try:
            return self._close(account, [change])
        except SPOILT as spoilt:
            self._put_off(account, change.events, Failure(reason=str(spoilt), is_passing=False))
            return []

    def _close(self, account: str, changes: Sequence[Change]) -> list[Change]:
        """Effects and marks in one transaction. Returns the changes that need Stripe's word, untouched."""
        if not changes:
            return []
        with self._ledger.transaction() as tx:
            told = {event.event_id for change in changes for event in change.events}
            unclosed = events.lock_events(tx, account, told)
            ours = [change for change in changes if any(event.event_id in unclosed for event in change.events)]
            changed, undecided = _put(tx, account, ours)
            done = [change for change in ours if change.key not in undecided]
            events.mark_applied(tx, account, {event.event_id for change in done for event in change.events})
            moved = [change for change in done if change.key in changed]
            moving = {event.event_id for change in moved for event in change.newest}
            _add_effects(tx, account, moved, unclosed=unclosed)
            _mark_readings(tx, done)
            unsent = _unsent(tx, account, moved)
            crash_point("apply.before_commit")
        crash_point("apply.after_commit")
        _tell(done, moving=moving, unsent=unsent)
        return [change for change in ours if change.key in undecided]

    def _ask_and_close(self, account: str, change: Change) -> None:
        match self._ask(change):
            case Failure() as failure:
                self._put_off(account, change.events, failure)
            case answer:
                crash_point("apply.after_object_read")
                self._keep_and_close(account, change, answer)

    def _ask(self, change: Change) -> Mirror | Failure:
        try:
            told = self._stripe.objects.retrieve(change.kind, change.object_id)
        except AWAY as away:
            return Failure(reason=str(away), is_passing=True)
        except NotFound as gone:
            return _gone(change) or Failure(reason=str(gone), is_passing=False)
        except StripeRefused as refused:
            return Failure(reason=str(refused), is_passing=False)
        last = change.newest[-1]
        answer = mirror(told, kind=change.kind, as_of=last.created_at, read_at=last.claimed_at)
        return Failure(reason=answer.reason, is_passing=False) if isinstance(answer, Unreadable) else answer

    def _keep_and_close(self, account: str, change: Change, answer: Mirror) -> None:
        try:
            with self._ledger.transaction() as tx:
                reading = mirrors.keep_object_reading(tx, account, answer, event_id=change.newest[-1].event_id)
                crash_point("apply.before_reading_commit")
            crash_point("apply.after_reading_commit")
        except SPOILT as spoilt:
            self._put_off(account, change.events, Failure(reason=str(spoilt), is_passing=False))
            return
        self._close_alone(account, replace(change, mirror=answer, object_reading_id=reading))


def _gone(change: Change) -> Mirror | None:
    """That Stripe has no such object, whose readable word we have, is an answer once it has stayed so: it was deleted.

    Usually the event of its deletion comes first. Where that is lost, no person could do anything either. What was
    asked because of an older word was asked about the same object.
    """
    last, failures = change.newest[-1], max(event.failures for event in change.events)
    if change.mirror is None or change.kind not in VANISHING or failures < FAILURES_MAX - 1:
        return None
    told = {**json.loads(change.mirror.object_json), "deleted": True}
    found = mirror(told, kind=change.kind, as_of=last.created_at, read_at=last.claimed_at)
    return found if isinstance(found, Mirror) else None


def _put(tx: Transaction, account: str, ours: Sequence[Change]) -> tuple[set[Key], set[Key]]:
    """What changed, and what Stripe must be asked about."""
    told = [change.mirror for change in ours if change.mirror is not None]
    older = [word for change in ours for word in older_words(change)]
    changed = mirrors.put_mirrors(tx, account, [one for one in told if not one.is_wanting], older=older)
    unsettled = mirrors.unsettled(tx, account, [one for one in told if one.key not in changed])
    return changed, unsettled | {change.key for change in ours if change.is_tied} & changed


def _add_effects(tx: Transaction, account: str, moved: Sequence[Change], *, unclosed: set[str]) -> None:
    for kind in sorted({change.kind for change in moved}):
        newest = {event.event_id for change in moved if change.kind == kind for event in change.newest}
        events.add_effects(tx, account, newest & unclosed, kind=f"{kind}.mirrored")


def _mark_readings(tx: Transaction, done: Sequence[Change]) -> None:
    for change in done:
        if change.object_reading_id is not None:
            mirrors.mark_reading_applied(tx, change.object_reading_id)


def _unsent(tx: Transaction, account: str, moved: Sequence[Change]) -> list[Unsent]:
    """Only these can lose somebody's usage; hardly any claim has one."""
    alarming = [change.key for change in moved if change.mirror is not None and change.mirror.is_end_of_usage]
    return mirrors.unsent_of(tx, account, alarming) if alarming else []


def _tell(done: Sequence[Change], *, moving: set[str], unsent: Sequence[Unsent]) -> None:
    for change in done:
        for event in change.events:
            say(
                "event.applied",
                event_id=event.event_id,
                event_type=event.type,
                object_id=change.object_id,
                is_newest=event.event_id in moving,
            )
    for one in unsent:
        name = "customer.deleted" if one.kind == "customer" else "meter.deactivated"
        say(name, object_id=one.object_id, meter=one.meter, rows=one.rows, meter_events=one.meter_events)
