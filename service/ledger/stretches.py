"""Who bills a lane's usage, and when: stretches, learnt from every word about a subscription and from invoices' lines.

Words are facts, and stretches follow from all of them together (`told_stretches` in the migration), so that no order of
words matters and an old word still fills what is missing. Everything that depends on stretches follows in the same
transaction: the edges at which buckets break, what a new edge divides, what is unbilled, and the bells of what waited.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.ledger import signups
from service.ledger.connection import Transaction, execute, fetch
from service.mirrors import Mirror
from service.mirrors.subscriptions import SubscriptionFacts


@dataclass(frozen=True, slots=True)
class Changed:
    """Time of a customer's meter of which something else is known now than before."""

    customer: str
    meter_stripe_id: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Edge:
    customer: str
    meter: str
    edge_at: datetime


@dataclass(frozen=True, slots=True)
class _Subscription:
    subscription: str


def put_words(tx: Transaction, account: str, words: Sequence[Mirror]) -> set[str]:
    """Keep what these words say of their subscriptions, and of the rows that they were made of. Returns their ids."""
    told = [word for word in words if word.kind == "subscription"]
    if told:
        execute(
            tx,
            "put_words",
            account=account,
            subscriptions=[word.object_id for word in told],
            told_ats=[word.read_at or word.as_of for word in told],
            facts=[word.facts_json for word in told],
        )
        signups.prove(tx, account, [made for word in told if (made := _made_of_row(word)) is not None])
    return {word.object_id for word in told}


def subscriptions_billed(tx: Transaction, account: str, *, invoices: Collection[str]) -> set[str]:
    if not invoices:
        return set()
    found = fetch(tx, _Subscription, "subscriptions_billed", account=account, invoices=sorted(invoices))
    return {row.subscription for row in found}


def put_stretches(tx: Transaction, account: str, *, subscriptions: Collection[str]) -> list[Changed]:
    """Tell the stretches of these subscriptions anew. Returns what changed, of which more follows (`follow`)."""
    if not subscriptions:
        return []
    wanted = sorted(subscriptions)
    execute(tx, "lock_subscriptions", subscriptions=wanted)
    return fetch(tx, Changed, "put_stretches", account=account, subscriptions=wanted)


def lock_billed_lanes(tx: Transaction, account: str, *, customers: Collection[str]) -> None:
    """All that a transaction wants, at once and sorted: of two who each took some, neither would get the rest."""
    if customers:
        execute(tx, "lock_billed_lanes", account=account, customers=sorted(customers))


def follow(tx: Transaction, account: str, changed: Sequence[Changed], *, subscriptions: Collection[str]) -> None:
    """What follows from stretches that changed. After `lock_billed_lanes`."""
    if changed:
        learn_edges(tx, account, subscriptions=sorted(subscriptions))
        _recheck_unbilled(tx, account, changed)
        execute(tx, "ring_billed", account=account, customers=sorted({one.customer for one in changed}))


def learn_edges(tx: Transaction, account: str, *, subscriptions: Sequence[str] | None = None) -> int:
    """Add the edges of these subscriptions' stretches, or of all; to be called when a meter becomes known."""
    edges = fetch(tx, Edge, "learn_edges", account=account, subscriptions=subscriptions)
    if edges:
        execute(
            tx,
            "note_straddles",
            account=account,
            customers=[edge.customer for edge in edges],
            meters=[edge.meter for edge in edges],
            edges=[edge.edge_at for edge in edges],
        )
    return len(edges)


def _made_of_row(word: Mirror) -> signups.Told | None:
    facts = word.facts
    if not isinstance(facts, SubscriptionFacts) or facts.row is None:
        return None
    return signups.Told(identifier=facts.row, customer=facts.customer, subscription=word.object_id)


def _recheck_unbilled(tx: Transaction, account: str, changed: Sequence[Changed]) -> None:
    execute(
        tx,
        "recheck_unbilled",
        account=account,
        customers=[one.customer for one in changed],
        meters=[one.meter_stripe_id for one in changed],
        sinces=[one.since for one in changed],
        untils=[one.until for one in changed],
    )
