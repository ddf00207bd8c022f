"""The mirrors of Stripe's objects in the ledger: written set-based, by rules that no order of words can upset.

Which word holds is decided in `put_subscriptions.sql` and `put_invoices.sql`, in one place for webhooks and for lists
read from Stripe. Period edges are derived, and only ever added to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from service.ledger.connection import Transaction, execute, fetch
from service.mirrors import InvoiceMirror, SubscriptionMirror


@dataclass(frozen=True, slots=True)
class _Named:
    object_id: str


def put_subscriptions(tx: Transaction, account: str, objects: Sequence[SubscriptionMirror]) -> set[str]:
    """Mirror these subscriptions, each at most once, with their items and period edges; the ids of what changed."""
    put = fetch(
        tx,
        _Named,
        "put_subscriptions",
        account=account,
        subscriptions=[one.subscription for one in objects],
        customers=[one.customer for one in objects],
        statuses=[one.status for one in objects],
        ended_ats=[one.ended_at for one in objects],
        as_ofs=[one.as_of for one in objects],
        read_ats=[one.read_at for one in objects],
        objects=[one.object_json for one in objects],
    )
    changed = {row.object_id for row in put}
    _put_items(tx, account, [one for one in objects if one.subscription in changed])
    learn_edges(tx, account, subscriptions=changed)
    return changed


def put_invoices(tx: Transaction, account: str, objects: Sequence[InvoiceMirror]) -> set[str]:
    """Mirror these invoices, each at most once; the ids of what changed."""
    put = fetch(
        tx,
        _Named,
        "put_invoices",
        account=account,
        invoices=[one.invoice for one in objects],
        customers=[one.customer for one in objects],
        subscriptions=[one.subscription for one in objects],
        statuses=[one.status for one in objects],
        billing_reasons=[one.billing_reason for one in objects],
        period_starts=[one.period_start for one in objects],
        period_ends=[one.period_end for one in objects],
        totals=[one.total for one in objects],
        currencies=[one.currency for one in objects],
        automatically_finalizes_ats=[one.automatically_finalizes_at for one in objects],
        as_ofs=[one.as_of for one in objects],
        read_ats=[one.read_at for one in objects],
        objects=[one.object_json for one in objects],
    )
    return {row.object_id for row in put}


def tied_subscriptions(tx: Transaction, account: str, objects: Sequence[SubscriptionMirror]) -> set[str]:
    """Of subscriptions that changed nothing: those told in the second of their mirror, so that Stripe must be asked."""
    return _tied(tx, account, "tied_subscriptions", told=[(one.subscription, one) for one in objects])


def tied_invoices(tx: Transaction, account: str, objects: Sequence[InvoiceMirror]) -> set[str]:
    """Of invoices that changed nothing: those told in the second of their mirror, so that Stripe must be asked."""
    return _tied(tx, account, "tied_invoices", told=[(one.invoice, one) for one in objects])


def learn_edges(tx: Transaction, account: str, *, subscriptions: set[str] | None = None) -> int:
    """Add the period edges of these subscriptions' items, or of all; to be called when a meter becomes known."""
    wanted = None if subscriptions is None else sorted(subscriptions)
    return execute(tx, "learn_edges", account=account, subscriptions=wanted)


def _put_items(tx: Transaction, account: str, changed: list[SubscriptionMirror]) -> None:
    items = {item.item: (item, one) for one in changed for item in one.items}
    complete = [one.subscription for one in changed if one.are_items_complete]
    execute(tx, "remove_items", account=account, subscriptions=complete, items=list(items))
    execute(
        tx,
        "put_items",
        account=account,
        items=list(items),
        subscriptions=[one.subscription for _, one in items.values()],
        customers=[one.customer for _, one in items.values()],
        prices=[item.price for item, _ in items.values()],
        meter_stripe_ids=[item.meter_stripe_id for item, _ in items.values()],
        period_starts=[item.period_start for item, _ in items.values()],
        period_ends=[item.period_end for item, _ in items.values()],
    )


def _tied(
    tx: Transaction, account: str, name: str, *, told: Sequence[tuple[str, SubscriptionMirror | InvoiceMirror]]
) -> set[str]:
    unread = [(object_id, one.as_of) for object_id, one in told if one.read_at is None]
    tied = fetch(
        tx,
        _Named,
        name,
        account=account,
        object_ids=[object_id for object_id, _ in unread],
        as_ofs=[as_of for _, as_of in unread],
    )
    return {row.object_id for row in tied}
