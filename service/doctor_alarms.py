"""The doctor on alarms: what is urgent, whether what is wrong is asked at all, and whether its receiver hears of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import psycopg

from service.doctor_ledger import connect
from service.findings import Finding, fine, warn
from service.ledger.accounts import pinned_account
from service.ledger.alarm_posts import Standing, posts_standing
from service.ledger.alarms import Alarm, OfKind, Question, alarm_questions, alarms, alarms_by_kind, name_of
from service.ledger.connection import Transaction
from service.ledger.overview import ledger_time
from service.migrate import MigrationEdited, pending
from service.redaction import on_one_line
from service.settings import Settings

UNASKED = timedelta(minutes=5)  # many askings that did not come about
UNPOSTED = timedelta(minutes=10)  # several calls that were not taken
URGENT_MAX = 3  # named; the first are the most pressing


def check_alarms(settings: Settings) -> list[Finding]:
    """Nothing where the ledger cannot be looked at: another check says so."""
    if not settings.database_url:
        return []
    try:
        with connect(settings.database_url) as tx:
            return [] if pending(tx) or pinned_account(tx, settings.account) is None else _ask(tx, settings)
    except (psycopg.OperationalError, MigrationEdited):
        return []


def _ask(tx: Transaction, settings: Settings) -> list[Finding]:
    account, now = settings.account, ledger_time(tx)
    return [
        examine_alarms(alarms_by_kind(tx, account), alarms(tx, account, alarms_max=URGENT_MAX)),
        *examine_questions(alarm_questions(tx, account), now=now),
        examine_posts(posts_standing(tx, account), is_posting=bool(settings.alarm_url), now=now),
    ]


def examine_alarms(of_kinds: Sequence[OfKind], first: Sequence[Alarm]) -> Finding:
    """`first`: the most pressing ones."""
    count, urgent = (sum(getattr(one, name) for one in of_kinds) for name in ("alarms", "urgent"))
    if urgent:
        named = [f"{name_of(one.alarm_id)} ({one.kind}) {on_one_line(one.said)}" for one in first if one.is_urgent]
        return warn("alarms", f"{urgent:,} of {count:,} are urgent: {'; '.join(named)}", "meterpost alarms list")
    if count:
        kinds = ", ".join(f"{one.alarms:,} {one.kind}" for one in of_kinds)
        return fine("alarms", f"{kinds}; none is urgent (meterpost alarms list)")
    return fine("alarms", "nothing is wrong with money")


def examine_questions(questions: Sequence[Question], *, now: datetime) -> list[Finding]:
    asked = max((one.asked_at for one in questions), default=None)
    found = [_examine_question(one) for one in questions if one.failures or one.left_out]
    if asked is None or asked < now - UNASKED:
        since = "never" if asked is None else f"last at {asked.isoformat(timespec='seconds')}"
        text = f"what is wrong with money was asked {since}"
        return [warn("watching", text, "see that the process reconcile runs"), *found]
    return found or [
        fine("watching", f"what is wrong with money is asked, last at {asked.isoformat(timespec='seconds')}")
    ]


def examine_posts(standing: Standing, *, is_posting: bool, now: datetime) -> Finding:
    name, remedy = "alarm posts", "meterpost alarms test; look at the receiver"
    if standing.given_up:
        text = f"the receiver did not take {standing.given_up:,} for days, and they are posted no more"
        return warn(name, text, remedy)
    if standing.since is not None and standing.since < now - UNPOSTED:
        text = f"{standing.waiting:,} wait since {standing.since.isoformat(timespec='seconds')}"
        return warn(name, f"{text}: {on_one_line(standing.reason or 'nobody has posted them')}", remedy)
    if not is_posting:
        return fine(name, "none: alarms stand on the screens alone (METERPOST_ALARM_URL)")
    return fine(name, "the receiver has taken what there was to tell")


def _examine_question(question: Question) -> Finding:
    if question.failures:
        reason = on_one_line(question.reason or "")
        text = f"whether anything is wrong of the kind {question.kind} was not answered {question.failures:,} times"
        return warn("watching", f"{text}: {reason}", "its alarms stay as they are; report this with the reason")
    text = f"of {question.subjects:,} of the kind {question.kind}, {question.left_out:,} have no alarm of their own"
    return warn("watching", text, "look at the first of meterpost alarms list: so many mostly have one cause")
