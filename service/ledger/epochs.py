"""Epochs: the unbroken lives of a ledger, and what becomes of it after it was put back to an earlier time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.ledger.actions import Order, note_action
from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.witness import Witness

EXTERNALS_MAX = 1_000  # shown at once; the desk has all of them


@dataclass(frozen=True, slots=True)
class Asked:
    """Whether this is still the ledger that made the last call."""

    is_begun: bool
    is_open: bool
    is_elsewhere: bool  # on another server, or another timeline of it
    forgotten_id: int | None
    forgotten_key: str | None

    @property
    def cause(self) -> str | None:
        """Why this is a restored ledger; None: it is not, as far as anybody can tell."""
        if self.forgotten_id is not None:
            return f"the ledger does not know attempt {self.forgotten_id}, which was made before"
        return "the ledger is on another server, or another timeline, than before" if self.is_elsewhere else None


@dataclass(frozen=True, slots=True)
class Restore:
    """An epoch that began because the ledger was put back to an earlier time."""

    epoch_id: int
    began_at: datetime
    cause: str
    gap_from: datetime  # no forgotten call is older
    witness_id: int | None
    compared_at: datetime | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class External:
    """What Stripe counts in a minute and the ledger did not know, and what became of it."""

    letter: str
    customer: str
    meter: str
    minute: datetime
    value: Decimal
    meter_event_id: int | None  # its rows came again
    is_discarded: bool


@dataclass(frozen=True, slots=True)
class _Id:
    epoch_id: int


def ask_epoch(tx: Transaction, witnesses: Sequence[Witness]) -> Asked:
    """Whether the ledger knows what these saw."""
    attempt_ids, keys = [one.attempt_id for one in witnesses], [one.idempotency_key for one in witnesses]
    asked = fetch_one(tx, Asked, "ask_epoch", attempt_ids=attempt_ids, keys=keys)
    assert asked is not None, "the question always has an answer"
    return asked


def lock_epochs(tx: Transaction) -> None:
    """Before anything about epochs is written: of several that notice at once, one writes it down."""
    execute(tx, "lock_epochs")


def first_epoch(tx: Transaction) -> None:
    execute(tx, "first_epoch")


def begin_epoch(tx: Transaction, asked: Asked, *, cause: str) -> int:
    """Hold everything back until a person has confirmed. After `lock_epochs`, and asked again since."""
    witness = {"witness_id": asked.forgotten_id, "witness_key": asked.forgotten_key}
    begun = fetch_one(tx, _Id, "begin_epoch", cause=cause, **witness)
    assert begun is not None, "an epoch has an id"
    return begun.epoch_id


def newest_restore(tx: Transaction) -> Restore | None:
    """The newest restore that was noticed, confirmed or not."""
    return fetch_one(tx, Restore, "newest_restore")


def open_restore(tx: Transaction) -> Restore | None:
    """The restore that waits for a person, if one does: nothing is sealed or sent meanwhile."""
    newest = newest_restore(tx)
    return newest if newest is not None and newest.confirmed_at is None else None


def externals_of(tx: Transaction, epoch_id: int, *, externals_max: int = EXTERNALS_MAX) -> list[External]:
    return fetch(tx, External, "externals_of", epoch_id=epoch_id, externals_max=externals_max)


def note_compared(tx: Transaction, epoch_id: int, *, read_at: datetime) -> None:
    execute(tx, "note_compared", epoch_id=epoch_id, read_at=read_at)


def confirm_epoch(tx: Transaction, epoch_id: int, *, order: Order) -> bool:
    """False: it is confirmed already, or was never compared."""
    is_confirmed = execute(tx, "confirm_epoch", epoch_id=epoch_id) == 1
    if is_confirmed:
        note_action(tx, order, "confirm", subject=f"epoch/{epoch_id}", before="unconfirmed", after="confirmed")
    return is_confirmed
