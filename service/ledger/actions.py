"""What persons did: append-only facts, each chained to the one before by its hash, committed with what it did."""

from dataclasses import dataclass
from datetime import datetime

from service.ledger.connection import Transaction, fetch, fetch_one

ACTIONS_MAX = 200  # shown at once
BROKEN_MAX = 5  # named; one says that the chain is broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who wants something done, and why."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class OperatorAction:
    action_id: int
    acted_at: datetime
    actor: str
    verb: str
    subject: str
    reason: str
    state_before: str
    state_after: str


@dataclass(frozen=True, slots=True)
class _Id:
    action_id: int


def note_action(tx: Transaction, order: Order, verb: str, *, subject: str, before: str, after: str) -> int:
    """Write down what is done in this transaction; last, because it waits for every action before it to commit."""
    noted = fetch_one(
        tx,
        _Id,
        "note_action",
        actor=order.actor,
        reason=order.reason,
        verb=verb,
        subject=subject,
        state_before=before,
        state_after=after,
    )
    assert noted is not None, "an insert answers its row"
    return noted.action_id


def actions_on(tx: Transaction, subject: str | None, *, actions_max: int = ACTIONS_MAX) -> list[OperatorAction]:
    """What was done about one thing, or (None) about any, the newest first."""
    return fetch(tx, OperatorAction, "actions_on", subject=subject, actions_max=actions_max)


def closing_action(tx: Transaction, subject: str) -> OperatorAction | None:
    """The action by which a letter left the desk for good."""
    return fetch_one(tx, OperatorAction, "closing_action", subject=subject)


def broken_actions(tx: Transaction) -> list[int]:
    """Where the chain does not hold: actions changed, taken out or put in behind the ledger's back."""
    return [one.action_id for one in fetch(tx, _Id, "broken_actions", actions_max=BROKEN_MAX)]
