"""Step 8: event → effect.

An event's object is mirrored into the ledger, and the event is marked in the same transaction. Words come late, twice
and in any order: the newest holds, an older one changes nothing, and where two words of one second, or an unreadable
one, do not decide, the object is read from Stripe first, outside of any transaction. A crash before the commit leaves
the events to come back when their claim has run out; a claim held twice is closed once.
"""

import random
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import psycopg

from service.crash_points import crash_point
from service.event_types import THIN_TYPES
from service.gateway import StripeRefused
from service.ledger import Ledger, events
from service.ledger.events import FAILURES_MAX, DueEvent, PutOff
from service.logs import say
from service.timing import Timing
from service.wakeups import WakeUps, WakeUpWorker
from workers._effects import ReadsStripe, reason_to_ignore
from workers._error_reports import FetchesEvents, Reporter, UnreadableReport
from workers._error_reports import reason_to_ignore as reason_to_ignore_report
from workers._mirroring import AWAY, Failure, Mirroring
from workers._setup import set_up_with_stripe

EVENTS_A_CLAIM_MAX = 200  # of 3 KB each; one transaction closes them
DOUBLINGS_MAX = 16  # of the wait; beyond any longest one
REASON_CHARS_MAX = 500


class AsksStripe(ReadsStripe, FetchesEvents, Protocol):
    """What this step asks of Stripe."""


class Applier:
    """Applies the due events of accounts. Stripe is only asked where events do not decide."""

    def __init__(
        self,
        ledger: Ledger,
        stripe: AsksStripe,
        *,
        timing: Timing,
        chance: random.Random,
        stopping: threading.Event | None = None,
    ) -> None:
        self._ledger = ledger
        self._stripe = stripe
        self._timing = timing
        self._chance = chance
        self._stopping = stopping or threading.Event()
        self._mirroring = Mirroring(ledger, stripe, put_off=self._put_off, stopping=self._stopping)
        self._reporter = Reporter(ledger, stripe, timing=timing)

    def drain(self, account: str) -> None:
        """Apply what is due until nothing is, the time is up, or the process stops."""
        until = time.monotonic() + self._timing.drain_s
        while time.monotonic() < until and not self._stopping.is_set():
            if self.apply_due(account) == 0:
                return

    def apply_due(self, account: str) -> int:
        """Claim due events and apply them. Returns how many were claimed."""
        until = time.monotonic() + self._timing.lease_s
        with self._ledger.transaction() as tx:
            claimed = events.claim_events(tx, account, events_max=EVENTS_A_CLAIM_MAX, claim=self._timing.lease)
            crash_point("apply.before_claim_commit")
        crash_point("apply.after_claim_commit")
        reasons = {event.event_id: reason for event in claimed if (reason := _why_ignored(event))}
        self._ignore(account, reasons)
        wanted = [event for event in claimed if event.event_id not in reasons]
        self._mirroring.apply(account, wanted, until=until)
        self._apply_reports(account, [event for event in wanted if event.type in THIN_TYPES], until=until)
        return len(claimed)

    def _ignore(self, account: str, reasons: dict[str, str]) -> None:
        if not reasons:
            return
        with self._ledger.transaction() as tx:
            events.mark_ignored(tx, account, reasons)
            crash_point("apply.before_ignore_commit")
        crash_point("apply.after_ignore_commit")
        for event_id, reason in reasons.items():
            say("event.ignored", event_id=event_id, reason=reason)

    def _apply_reports(self, account: str, reports: Sequence[DueEvent], *, until: float) -> None:
        for event in reports:
            if self._stopping.is_set() or time.monotonic() > until:
                return
            if (failure := self._report(account, event)) is not None:
                self._put_off(account, [event], failure)

    def _report(self, account: str, event: DueEvent) -> Failure | None:
        try:
            self._reporter.apply(account, event)
        except AWAY as away:
            return Failure(reason=str(away), is_passing=True)
        except (StripeRefused, UnreadableReport, psycopg.DataError, psycopg.IntegrityError) as refused:
            return Failure(reason=str(refused), is_passing=False)
        return None

    def _put_off(self, account: str, told: Sequence[DueEvent], failure: Failure) -> None:
        """`told` are of one object."""
        put_off = [self._later(event, failure) for event in told]
        with self._ledger.transaction() as tx:
            events.put_off_events(tx, account, put_off)
            crash_point("apply.before_put_off_commit")
        crash_point("apply.after_put_off_commit")
        for one in put_off:
            name = "event.retried" if one.failures < FAILURES_MAX else "event.failed"
            say(name, event_id=one.event_id, object_id=told[0].object_id, failures=one.failures, reason=one.reason)

    def _later(self, event: DueEvent, failure: Failure) -> PutOff:
        """Full jitter below a bound that doubles. An outage never makes a dead letter: it is no fault of the event."""
        bound_s = min(
            self._timing.apply_backoff_max_s, self._timing.backoff_base_s * 2 ** min(event.failures, DOUBLINGS_MAX)
        )
        failures = event.failures + 1
        return PutOff(
            event_id=event.event_id,
            wait=timedelta(seconds=self._chance.uniform(0, bound_s)),
            reason=failure.reason[:REASON_CHARS_MAX],
            failures=min(failures, FAILURES_MAX - 1) if failure.is_passing else failures,
        )


def _why_ignored(event: DueEvent) -> str | None:
    return reason_to_ignore_report(event) if event.type in THIN_TYPES else reason_to_ignore(event)


def main() -> None:
    stopping = threading.Event()
    with set_up_with_stripe("apply") as setup:
        applier = Applier(
            setup.ledger,
            setup.gateway,
            timing=setup.timing,
            chance=random.Random(),  # noqa: S311 — jitter, not a secret
            stopping=stopping,
        )
        wakeups = WakeUps(setup.redis, "apply", timing=setup.timing)
        WakeUpWorker(wakeups, {"apply": applier.drain}, stopping=stopping).work()


if __name__ == "__main__":
    main()
