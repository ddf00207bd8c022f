"""The doctor at the desk: what persons paused, whether anybody changed what they did, and how much waits for them."""

import psycopg

from service.doctor_ledger import connect
from service.findings import Finding, fail, fine, warn
from service.ledger.actions import broken_actions
from service.ledger.backfills import Underway, backfills_underway
from service.ledger.connection import Transaction
from service.ledger.desk import Wanted, dead_totals
from service.ledger.epochs import open_restore
from service.ledger.error_reports import orphans
from service.ledger.pauses import ALL_METERS, Pause, pauses
from service.ledger.signups_shown import Unpaid, signups_unpaid
from service.migrate import MigrationEdited, pending
from service.redaction import on_one_line
from service.settings import Settings


def check_desk(settings: Settings) -> list[Finding]:
    """Nothing where the ledger cannot be looked at: another check says so."""
    if not settings.database_url:
        return []
    try:
        with connect(settings.database_url) as tx:
            return [] if pending(tx) else examine_desk(tx)
    except (psycopg.OperationalError, MigrationEdited):
        return []


def examine_desk(tx: Transaction) -> list[Finding]:
    return [
        *_examine_restore(tx),
        *map(_examine_pause, pauses(tx)),
        _examine_actions(tx),
        _examine_letters(tx),
        *map(_examine_unpaid, signups_unpaid(tx)),
        *_examine_orphans(tx),
        *map(_examine_backfill, backfills_underway(tx)),
    ]


def _examine_restore(tx: Transaction) -> list[Finding]:
    restore = open_restore(tx)
    if restore is None:
        return []
    since = restore.began_at.isoformat(timespec="seconds")
    text = f"the ledger was restored, and nothing is sealed or sent since {since}: {restore.cause}"
    return [fail("restore", text, "meterpost reconcile --epoch, then --confirm")]


def _examine_pause(pause: Pause) -> Finding:
    is_all = pause.meter == ALL_METERS
    what = f"the account {pause.account}" if is_all else f"the meter {pause.meter}"
    since = f"since {pause.paused_at.isoformat(timespec='seconds')} by {on_one_line(pause.actor)}"
    remedy = "meterpost resume" if is_all else f"meterpost resume --meter {pause.meter}"
    text = f"nothing of {what} is sent, {since}: {on_one_line(pause.reason)}"
    return warn("pause", text, f"{remedy} --reason …, once that is over")


def _examine_actions(tx: Transaction) -> Finding:
    if broken := broken_actions(tx):
        text = f"what operators did was changed behind the ledger's back, first at action {broken[0]}"
        return fail("actions", text, "find out who can write to the ledger; compare with a backup")
    return fine("actions", "the chain of operators' actions is whole")


def _examine_backfill(backfill: Underway) -> Finding:
    verb = "close" if backfill.state == "closing" else "revert"
    text = f"the backfill {backfill.name} is {backfill.state}: a part of its rows is left"
    return warn("backfill", text, f"meterpost backfill {verb} {backfill.name} --reason … goes on where it was")


def _examine_orphans(tx: Transaction) -> list[Finding]:
    if (found := orphans(tx)) is None:
        return []
    newest = f"{on_one_line(found.told or 'nothing')} in {found.event_id}"
    text = f"error reports name what this ledger did not send: {found.samples:,} in 30 days, last {newest}"
    return [warn("error reports", text, "find who else reports to these meters; see METERPOST_ONLY_WRITER")]


def _examine_unpaid(unpaid: Unpaid) -> Finding:
    named = ", ".join(f"su-{signup_id}" for signup_id in unpaid.signup_ids)
    these = f"{named}, …" if len(unpaid.signup_ids) < unpaid.signups else named
    made = f"{unpaid.signups:,} subscriptions made here"
    if unpaid.status == "incomplete":
        text = f"{made} are incomplete: their first invoice is not paid; they end 23 hours after they began ({these})"
        return warn("unpaid", text, "have it paid at Stripe: meterpost subscriptions list --unpaid")
    text = f"{made} ended in the last 7 days because their first invoice was not paid: they bill nothing ({these})"
    return warn("unpaid", text, "tell them again under other row ids: meterpost subscriptions list --unpaid")


def _examine_letters(tx: Transaction) -> Finding:
    if totals := dead_totals(tx, Wanted()):
        text = ", ".join(f"{total.letters:,} {total.class_}" for total in totals)
        return warn("desk", f"waits for a person: {text}", "see meterpost dead list")
    return fine("desk", "nothing needs a person")
