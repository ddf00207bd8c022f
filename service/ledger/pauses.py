"""What persons have paused: an account, or one meter of it. Apart from the breaker, which opens and closes by itself.

Rows are recorded and sealed all the same, and what is on its way to Stripe comes to its end; no lane is taken and no
further call opened until a person resumes.
"""

from dataclasses import dataclass
from datetime import datetime

from service.ledger.actions import Order, note_action
from service.ledger.connection import Transaction, execute, fetch

ALL_METERS = "*"


@dataclass(frozen=True, slots=True)
class Pause:
    account: str
    meter: str  # ALL_METERS: all of the account's
    paused_at: datetime
    actor: str
    reason: str


def pause(tx: Transaction, account: str, meter: str, *, order: Order) -> bool:
    """False: it is paused already, and the first reason stands."""
    is_new = execute(tx, "pause", account=account, meter=meter, actor=order.actor, reason=order.reason) == 1
    if is_new:
        note_action(tx, order, "pause", subject=_subject(account, meter), before="running", after="paused")
    return is_new


def resume(tx: Transaction, account: str, meter: str, *, order: Order) -> bool:
    """False: it was not paused."""
    was_paused = execute(tx, "resume", account=account, meter=meter) == 1
    if was_paused:
        note_action(tx, order, "resume", subject=_subject(account, meter), before="paused", after="running")
    return was_paused


def pauses(tx: Transaction) -> list[Pause]:
    """What is paused now, the oldest pause first."""
    return fetch(tx, Pause, "pauses")


def _subject(account: str, meter: str) -> str:
    return account if meter == ALL_METERS else f"{account}/{meter}"
