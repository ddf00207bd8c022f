"""The doctor on what Stripe did not push: how far its lists are read, what was missed, and what nobody can read now."""

from datetime import datetime, timedelta

import psycopg

from service.catching_up import KEPT, Cursor
from service.doctor_ledger import connect
from service.findings import Finding, fail, fine, warn
from service.ledger.accounts import pinned_account
from service.ledger.catching_up import MISSED_MAX, Gap, MissedEvent, cursors, event_gaps, missed_events
from service.ledger.connection import Transaction
from service.ledger.overview import ledger_time
from service.migrate import MigrationEdited, pending
from service.settings import Settings

LATE = timedelta(hours=1)  # six readings that did not come about
NAME = "caught up"


def check_events(settings: Settings) -> list[Finding]:
    """Nothing where the ledger cannot be looked at: another check says so."""
    if not settings.database_url:
        return []
    try:
        with connect(settings.database_url) as tx:
            return [] if pending(tx) or pinned_account(tx, settings.account) is None else _ask(tx, settings.account)
    except (psycopg.OperationalError, MigrationEdited):
        return []


def _ask(tx: Transaction, account: str) -> list[Finding]:
    missed = missed_events(tx, account, events_max=MISSED_MAX)
    return examine_events(cursors(tx, account), missed, event_gaps(tx, account), now=ledger_time(tx))


def examine_events(places: list[Cursor], missed: list[MissedEvent], gaps: list[Gap], *, now: datetime) -> list[Finding]:
    """`missed` the newest first. A gap is told as long as it is news."""
    recent = [gap for gap in gaps if gap.noted_at > now - KEPT]
    return [_examine_places(places, now=now), *_examine_missed(missed), *map(_examine_gap, recent)]


def _examine_places(places: list[Cursor], *, now: datetime) -> Finding:
    remedy = "see that the process reconcile runs, and that its key may read events; meterpost events catch-up"
    if not places:
        return warn(NAME, "Stripe's lists of events were never read", remedy)
    read_to = min(place.read_to for place in places)
    text = f"Stripe's lists of events are read up to {read_to.isoformat(timespec='seconds')}"
    return warn(NAME, text, remedy) if read_to < now - LATE else fine(NAME, text)


def _examine_missed(missed: list[MissedEvent]) -> list[Finding]:
    if not missed:
        return []
    newest, more = missed[0], "or more " if len(missed) == MISSED_MAX else ""
    created = newest.created_at.isoformat(timespec="seconds")
    text = f"{len(missed):,} {more}events were never pushed, the newest {newest.event_id} ({newest.type}) of {created}"
    return [warn("missed events", text, "meterpost webhooks setup --check; meterpost events list --missed")]


def _examine_gap(gap: Gap) -> Finding:
    since, until = (at.isoformat(timespec="seconds") for at in (gap.gap_from, gap.gap_to))
    text = f"nobody read Stripe's events ({gap.stream}) from {since} to {until}, and Stripe lists them no more"
    return fail("event gap", text, "compare the invoices and subscriptions of that time with Stripe's Dashboard")
