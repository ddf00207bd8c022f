"""Step 7 for what was not pushed: Stripe's own lists of events → events.

A webhook can be lost for ever: an endpoint that was down for days, disabled, or made too late. So both lists are read
on from a cursor, at the start and every ten minutes, and what the door has not recorded is recorded here, under the
same key. The cursor moves in the transaction that records its page; a crash anywhere reads that page again, which
changes nothing. What no delivery follows is an alarm, and so is what Stripe forgot before it was read.
"""

from datetime import timedelta

from service.catching_up import Cursor
from service.crash_points import crash_point
from service.event_bodies import parse
from service.gateway import Gateway, StripeRefused, StripeUnavailable
from service.ledger import Ledger, catching_up
from service.logs import say
from service.stripe_events import EventsPage
from service.timing import Timing

PAGES_A_PASS_MAX = 20  # of 100 events, a list: a backlog must not keep the other steps of this process waiting
IDS_TOLD_MAX = 10  # in a line of the log; meterpost events list --missed has all


class CatchUp:
    """Reads on in Stripe's lists of events."""

    def __init__(self, ledger: Ledger, gateway: Gateway, account: str, *, timing: Timing) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._account = account
        self._timing = timing
        self._is_start = True

    def catch_up_due(self) -> int:
        """Read on where it is due. Returns 0 where nothing more is to be read or found for now."""
        is_start, self._is_start = self._is_start, False
        with self._ledger.transaction() as tx:
            catching_up.begin_cursors(tx, self._account)
            claimed = catching_up.claim_cursors(tx, self._account, is_start=is_start, timing=self._timing)
            crash_point("catch_up.before_claim_commit")
        crash_point("catch_up.after_claim_commit")
        found = sum(self._read_on(self._begun_anew(cursor) if is_start else cursor) for cursor in claimed)
        if claimed:
            self._note_missed()
        return found

    def _read_on(self, claimed: Cursor) -> int:
        """How many events nobody had told us, and one more where the list goes on after this pass."""
        cursor, found = self._skip(claimed) if claimed.is_behind_horizon else claimed, 0
        for pages_left in reversed(range(PAGES_A_PASS_MAX)):
            page = self._read_page(cursor)
            if page is None:
                return found
            moved = cursor.after(page.following)
            wait_s = self._timing.catch_up_s if moved.is_at_present() else self._timing.drain_s * bool(pages_left)
            found += self._record(cursor, page, moved=moved, wait=timedelta(seconds=wait_s))
            if moved.is_at_present():
                return found
            cursor = moved
        return found + 1

    def _read_page(self, cursor: Cursor) -> EventsPage | None:
        """None: not now."""
        try:
            page = self._gateway.events.list_events(
                cursor.stream, cursor.types, since=cursor.since, until=cursor.until, page=cursor.page
            )
        except (StripeRefused, StripeUnavailable) as unread:
            self._put_off(cursor, unread)
            return None
        crash_point("catch_up.after_page_read")
        return page

    def _record(self, cursor: Cursor, page: EventsPage, *, moved: Cursor, wait: timedelta) -> int:
        """Where somebody else moved the cursor meanwhile, he has recorded the same."""
        told = [parse(body) for body in page.bodies]
        ours = [event for event in told if event is not None and event.is_live == cursor.is_live]
        with self._ledger.transaction() as tx:
            catching_up.move_cursor(tx, cursor, moved, wait=wait)
            found = catching_up.record_found_events(tx, cursor.account, ours, found_by="catch_up")
            crash_point("catch_up.before_commit")
        crash_point("catch_up.after_commit")
        if found:
            say("event.found", stream=cursor.stream, events=len(found), event_ids=sorted(found)[:IDS_TOLD_MAX])
        if len(ours) < len(told):
            say("event.foreign", stream=cursor.stream, events=len(told) - len(ours))
        return len(found)

    def _begun_anew(self, cursor: Cursor) -> Cursor:
        """At the start: the release before may have cut the types into other chunks."""
        anew = cursor.at_the_beginning()
        self._move(cursor, anew, wait_s=self._timing.drain_s)
        return anew

    def _skip(self, cursor: Cursor) -> Cursor:
        """Over what Stripe has forgotten, once."""
        moved = cursor.at_the_horizon()
        with self._ledger.transaction() as tx:
            catching_up.move_cursor(tx, cursor, moved, wait=timedelta(seconds=self._timing.drain_s))
            catching_up.note_gap(tx, cursor, gap_to=moved.read_to)
            crash_point("catch_up.before_gap_commit")
        crash_point("catch_up.after_gap_commit")
        say("event.gap", stream=cursor.stream, gap_from=cursor.read_to, gap_to=moved.read_to)
        return moved

    def _put_off(self, cursor: Cursor, unread: Exception) -> None:
        """A page that Stripe refuses is one that it has forgotten; the span is read from its beginning then."""
        wait_s = self._timing.unread_wait_s
        self._move(cursor, cursor.at_the_beginning() if isinstance(unread, StripeRefused) else cursor, wait_s=wait_s)
        say("event_list.unread", stream=cursor.stream, reason=str(unread), wait_s=wait_s)

    def _move(self, cursor: Cursor, moved: Cursor, *, wait_s: float) -> None:
        with self._ledger.transaction() as tx:
            catching_up.move_cursor(tx, cursor, moved, wait=timedelta(seconds=wait_s))
            crash_point("catch_up.before_move_commit")
        crash_point("catch_up.after_move_commit")

    def _note_missed(self) -> None:
        grace = timedelta(seconds=self._timing.missed_after_s)
        with self._ledger.transaction() as tx:
            missed = catching_up.note_missed_events(tx, self._account, grace=grace)
            crash_point("catch_up.before_missed_commit")
        crash_point("catch_up.after_missed_commit")
        if missed:
            oldest = min(event.created_at for event in missed)
            event_ids = [event.event_id for event in missed[:IDS_TOLD_MAX]]
            say("event.missed", events=len(missed), created_at=oldest, event_ids=event_ids)
