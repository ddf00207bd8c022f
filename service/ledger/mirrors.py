"""The mirrors of Stripe's objects in the ledger: written set-based, by one rule that no order of words can upset.

Which word holds is decided in `put_mirrors.sql`, in one place for all kinds: for webhooks, for lists, and for what is
read because an event could not decide. The typed tables are views over the mirrors; stretches (`stretches.py`) and the
meters that sealing goes by are derived in the same transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from service.ledger import closing, stretches
from service.ledger.connection import Transaction, execute, fetch
from service.mirrors import Mirror
from service.mirrors.mirror import Key


@dataclass(frozen=True, slots=True)
class Unsent:
    """A deleted customer's usage, or an inactive meter's, that Stripe has not got: rows and sealed meter events."""

    kind: str
    object_id: str
    meter: str | None
    rows: int
    meter_events: int


@dataclass(frozen=True, slots=True)
class _Named:
    kind: str
    object_id: str


@dataclass(frozen=True, slots=True)
class _Kept:
    object_reading_id: int


def put_mirrors(tx: Transaction, account: str, told: Sequence[Mirror], *, older: Sequence[Mirror] = ()) -> set[Key]:
    """Mirror these objects, each at most once, with what follows from them; the keys of what changed.

    `older` are earlier words about subscriptions among them: they change no mirror, but say who billed what until then.
    """
    put = fetch(
        tx,
        _Named,
        "put_mirrors",
        account=account,
        kinds=[one.kind for one in told],
        object_ids=[one.object_id for one in told],
        customers=[one.customer for one in told],
        as_ofs=[one.as_of for one in told],
        read_ats=[one.read_at for one in told],
        are_deleted=[one.is_deleted for one in told],
        facts=[one.facts_json for one in told],
        objects=[one.object_json for one in told],
    )
    changed = {(row.kind, row.object_id) for row in put}
    _learn_who_bills(tx, account, [*told, *older], invoices=_of_kind("invoice", changed))
    if meters := _of_kind("billing.meter", changed):
        execute(tx, "learn_meters", account=account, object_ids=sorted(meters))
    return changed


def unsettled(tx: Transaction, account: str, told: Sequence[Mirror]) -> set[Key]:
    """Of objects that were not put, or changed nothing: those of which no newer word is known; Stripe must be asked."""
    unread = [one for one in told if one.read_at is None]
    if not unread:
        return set()
    found = fetch(
        tx,
        _Named,
        "unsettled",
        account=account,
        kinds=[one.kind for one in unread],
        object_ids=[one.object_id for one in unread],
        as_ofs=[one.as_of for one in unread],
    )
    return {(row.kind, row.object_id) for row in found}


def keep_object_reading(tx: Transaction, account: str, answer: Mirror, *, event_id: str) -> int:
    """Write down what Stripe answered because of this event. Returns the reading's id."""
    (kept,) = fetch(
        tx,
        _Kept,
        "keep_object_reading",
        account=account,
        kind=answer.kind,
        object_id=answer.object_id,
        event_id=event_id,
        as_of=answer.as_of,
        read_at=answer.read_at,
        object=answer.object_json,
    )
    return kept.object_reading_id


def mark_reading_applied(tx: Transaction, object_reading_id: int) -> None:
    execute(tx, "mark_reading_applied", object_reading_id=object_reading_id)


def unsent_of(tx: Transaction, account: str, changed: Collection[Key]) -> list[Unsent]:
    """Of these: the deleted customers whose usage is not sent, and the inactive meters."""
    return fetch(
        tx,
        Unsent,
        "unsent_of",
        account=account,
        kinds=[kind for kind, _ in changed],
        object_ids=[object_id for _, object_id in changed],
    )


def _learn_who_bills(tx: Transaction, account: str, words: Sequence[Mirror], *, invoices: set[str]) -> None:
    subscriptions = stretches.put_words(tx, account, words)
    subscriptions |= stretches.subscriptions_billed(tx, account, invoices=invoices)
    changed = stretches.put_stretches(tx, account, subscriptions=subscriptions)
    customers = closing.customers_billed(tx, account, invoices=invoices)
    stretches.lock_billed_lanes(tx, account, customers=customers | {one.customer for one in changed})
    stretches.follow(tx, account, changed, subscriptions=subscriptions)
    closing.expedite(tx, account, invoices=invoices, customers=customers)


def _of_kind(kind: str, keys: Collection[Key]) -> set[str]:
    return {object_id for of_kind, object_id in keys if of_kind == kind}
