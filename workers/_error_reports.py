"""Step 8 for error reports: event → refused, in Stripe's words.

A thin event says only that there is a report. It is fetched, outside of any transaction, and kept as a fact; then what
it names is refused, what else of its window it may concern is asked about, and the event is marked, in one transaction.
A crash before that leaves the event to come back when its claim has run out; what was fetched is not fetched again.
"""

import json
from typing import Protocol

from service.crash_points import crash_point
from service.error_reports import ErrorReport, error_report
from service.ledger import Ledger, error_reports, events
from service.ledger.error_reports import NamedMeterEvent, ReportFigures
from service.ledger.events import DueEvent
from service.logs import say
from service.mirrors import Json, Unreadable, inner, storable
from service.sent_events import SENT
from service.timing import Timing

EFFECT = "error_report.applied"


class FetchesEvents(Protocol):
    """What is asked of Stripe here."""

    def fetch_event(self, event_id: str) -> Json: ...


class UnreadableReport(Exception):
    """What Stripe told of the event is no error report that we understand; the text says why."""


def reason_to_ignore(event: DueEvent) -> str | None:
    """Why a thin event changes nothing here; None: it does."""
    if event.event_id.startswith(SENT):
        return "sent by meterpost webhooks send, so Stripe has no report of it"
    if not event.is_of_our_mode:
        return "of the other mode than this ledger's account"
    context = inner(json.loads(event.body), "context")
    return None if context in {None, event.stripe_account} else "of a connected account"


class Reporter:
    """Applies error reports."""

    def __init__(self, ledger: Ledger, stripe: FetchesEvents, *, timing: Timing) -> None:
        self._ledger = ledger
        self._stripe = stripe
        self._timing = timing

    def apply(self, account: str, event: DueEvent) -> None:
        """Fetch, keep and apply one. Raises what the gateway raises, and UnreadableReport."""
        report = self._kept(account, event) or self._fetched(account, event)
        with self._ledger.transaction() as tx:
            if not events.lock_events(tx, account, [event.event_id]):
                return  # another holder of the claim closed it
            figures = error_reports.put_report(tx, account, event.event_id, report=report)
            moved = error_reports.refuse_named(tx, account, event.event_id)
            error_reports.ask_of_suspects(tx, account, event.event_id, timing=self._timing)
            events.add_effects(tx, account, [event.event_id], kind=EFFECT)
            events.mark_applied(tx, account, [event.event_id])
            crash_point("report.before_commit")
        crash_point("report.after_commit")
        _tell(event, report, figures=figures, moved=moved)

    def _kept(self, account: str, event: DueEvent) -> ErrorReport | None:
        """What was fetched before; None where nothing was, or nothing that can be read."""
        with self._ledger.transaction() as tx:
            told = error_reports.fetched_event(tx, account, event.event_id)
        report = error_report(told)
        return None if isinstance(report, Unreadable) else report

    def _fetched(self, account: str, event: DueEvent) -> ErrorReport:
        told = self._stripe.fetch_event(event.event_id)
        crash_point("report.after_fetch")
        with self._ledger.transaction() as tx:
            error_reports.keep_fetched(tx, account, event.event_id, body_json=storable(told))
            crash_point("report.before_kept_commit")
        crash_point("report.after_kept_commit")
        report = error_report(told)
        if isinstance(report, Unreadable):
            raise UnreadableReport(report.reason)
        return report


def _tell(event: DueEvent, report: ErrorReport, *, figures: ReportFigures, moved: list[NamedMeterEvent]) -> None:
    told = {"event_id": event.event_id, "meter_stripe_id": report.meter_stripe_id, "codes": report.codes}
    counts = {"errors": figures.error_count, "samples": figures.samples, "suspects": figures.suspects}
    say(EFFECT, **told, **counts, meter_events=len(moved))
    for one in moved:
        name = f"meter_event.{one.state}"
        say(name, event_id=event.event_id, meter_event_id=one.meter_event_id, reason=one.reason)
    if figures.orphans:
        say("error_report.orphaned", **told, orphans=figures.orphans)
