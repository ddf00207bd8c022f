"""Drafts that are held open until their usage is confirmed: each decision is written down before Stripe is asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.timing import Timing

HOLDS_MAX = 16  # claimed in one pass; each waits for a call
MARGIN = timedelta(minutes=1)  # before Stripe finalizes it by itself; later it is left alone


@dataclass(frozen=True, slots=True)
class Hold:
    invoice: str
    status: str | None  # as mirrored; None: deleted
    is_held: bool
    is_released: bool
    not_before: datetime
    deadline: datetime
    now: datetime  # the ledger's time at this look


@dataclass(frozen=True, slots=True)
class Missing:
    """What of a draft's stretches Stripe's books do not show yet."""

    rows: int
    units: Decimal


def want_holds(tx: Transaction, account: str, *, hold_s: int) -> int:
    """Decide to hold the drafts of ended periods that are not held. Returns how many."""
    return execute(tx, "want_holds", account=account, hold=timedelta(seconds=hold_s), margin=MARGIN)


def claim_holds(tx: Transaction, account: str, *, timing: Timing) -> list[Hold]:
    return fetch(tx, Hold, "claim_holds", account=account, lease=timing.lease, holds_max=HOLDS_MAX)


def missing_of_draft(tx: Transaction, account: str, invoice: str) -> Missing:
    missing = fetch_one(tx, Missing, "missing_of_draft", account=account, invoice=invoice)
    assert missing is not None, "a count always answers"
    return missing


def note_held(tx: Transaction, account: str, invoice: str, *, timing: Timing) -> None:
    wait = timedelta(seconds=timing.unread_wait_s)
    execute(tx, "note_held", account=account, invoice=invoice, wait=wait)


def release_hold(tx: Transaction, account: str, invoice: str, *, missing: Missing) -> None:
    """From now on it is to be finalized, without what is missing."""
    execute(tx, "release_hold", account=account, invoice=invoice, rows=missing.rows, units=missing.units)


def look_later(tx: Transaction, account: str, invoice: str, *, timing: Timing, said: str | None = None) -> None:
    wait = timedelta(seconds=timing.unread_wait_s)
    execute(tx, "look_at_hold_later", account=account, invoice=invoice, wait=wait, said=said)


def end_hold(tx: Transaction, account: str, invoice: str, *, ending: str) -> None:
    execute(tx, "end_hold", account=account, invoice=invoice, ending=ending)


def draft_grace(tx: Transaction, account: str) -> timedelta | None:
    """How long Stripe waits with a period's draft, of the drafts that are mirrored now; None: there is none."""
    found = fetch_one(tx, _Grace, "draft_grace", account=account)
    return None if found is None else found.grace


@dataclass(frozen=True, slots=True)
class _Grace:
    grace: timedelta | None
