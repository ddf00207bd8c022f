"""The doctor on drafts: whether usage that has to be read back can still be on its invoice."""

from datetime import timedelta

import psycopg

from service.doctor_ledger import connect
from service.findings import Finding, fine, warn
from service.ledger.accounts import pinned_account
from service.ledger.draft_holds import draft_grace
from service.migrate import MigrationEdited, pending
from service.settings import Settings

NAME = "drafts"
GRACE = timedelta(hours=48)  # what is held is read back after 25 hours, and then sent, and then confirmed
REMEDY = "let Stripe wait 48 hours with drafts (the finalization grace period), or set METERPOST_HOLD_DRAFTS=48h"


def check_drafts(settings: Settings) -> list[Finding]:
    """Nothing where the ledger cannot be looked at: another check says so."""
    if not settings.database_url:
        return []
    try:
        with connect(settings.database_url) as tx:
            if pending(tx) or pinned_account(tx, settings.account) is None:
                return []
            grace = draft_grace(tx, settings.account)
    except (psycopg.OperationalError, MigrationEdited):
        return []
    return [examine_drafts(grace, held=timedelta(seconds=settings.hold_drafts_s))]


def examine_drafts(grace: timedelta | None, *, held: timedelta) -> Finding:
    """`grace` None: no draft is mirrored now from which it could be told."""
    if held >= GRACE:
        return fine(NAME, f"drafts are held for up to {_hours(held)} (METERPOST_HOLD_DRAFTS)")
    longest = max(held, grace or held)
    if grace is None and not held:
        return fine(NAME, "no draft of a period is mirrored now, so how long Stripe waits is not known")
    if longest < GRACE:
        text = f"drafts are final {_hours(longest)} after their period, and what is held is read back after 25 hours"
        return warn(NAME, text, REMEDY)
    return fine(NAME, f"Stripe waits {_hours(longest)} with a period's draft")


def _hours(length: timedelta) -> str:
    return f"{round(length / timedelta(hours=1), 1):g} hours"
