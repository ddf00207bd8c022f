"""What events change here: the effect of each type, and many events of one object reduced to one change. Pure.

The types that have an effect stand in this table alone. Order is decided twice: here among the events of one claim, and
in the ledger against the mirror.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

from service.ledger import Transaction, mirrors
from service.ledger.events import DueEvent
from service.mirrors import (
    InvoiceMirror,
    Json,
    SubscriptionMirror,
    Unreadable,
    inner,
    invoice_mirror,
    subscription_mirror,
)

DELETED = "invoice.deleted"

Mirror = TypeVar("Mirror", SubscriptionMirror, InvoiceMirror)


class ReadsStripe(Protocol):
    """What an effect may ask of Stripe."""

    def retrieve_subscription(self, subscription: str) -> Json: ...
    def retrieve_invoice(self, invoice: str) -> Json: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Generic[Mirror]):
    """What events of the types that start with `types` change here."""

    name: str
    types: str
    parse: Callable[..., Mirror | Unreadable]
    retrieve: Callable[[ReadsStripe, str], Json]
    put: Callable[[Transaction, str, Sequence[Mirror]], set[str]]
    tied: Callable[[Transaction, str, Sequence[Mirror]], set[str]]


SUBSCRIPTION = Effect(
    name="subscription.mirrored",
    types="customer.subscription.",
    parse=subscription_mirror,
    retrieve=lambda stripe, object_id: stripe.retrieve_subscription(object_id),
    put=mirrors.put_subscriptions,
    tied=mirrors.tied_subscriptions,
)
INVOICE = Effect(
    name="invoice.mirrored",
    types="invoice.",
    parse=invoice_mirror,
    retrieve=lambda stripe, object_id: stripe.retrieve_invoice(object_id),
    put=mirrors.put_invoices,
    tied=mirrors.tied_invoices,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[Mirror]):
    """All that a claim's events say of one object. `mirror` None: the newest is unreadable; Stripe must be asked."""

    object_id: str
    events: list[DueEvent]  # oldest first
    newest: list[DueEvent]
    mirror: Mirror | None

    @property
    def is_tied(self) -> bool:
        """Whether the mirror is one of several words of one second: good until Stripe, asked, has settled it.

        It is put all the same, as if it had come alone, so that the ledger's rules are asked first: a newer word or a
        deletion leaves nothing to settle, and of what is deleted Stripe would answer 404 for ever.
        """
        return len(self.newest) > 1 and self.mirror is not None and self.mirror.read_at is None


def reason_to_ignore(event: DueEvent) -> str | None:
    if not event.type.startswith((SUBSCRIPTION.types, INVOICE.types)):
        return "no effect for its type"
    if event.object_id is None:
        return "its object has no id"  # invoice.upcoming, an invoice that does not exist yet
    if not event.is_of_our_mode:
        return "of the other mode than this ledger's account"
    of_account = inner(json.loads(event.body), "account")
    return None if of_account in {None, event.stripe_account} else "of a connected account"


def changes_of(effect: Effect[Mirror], wanted: Sequence[DueEvent]) -> Iterator[Change[Mirror]]:
    concerned = sorted(
        (event for event in wanted if event.type.startswith(effect.types)),
        key=attrgetter("object_id", "created_at", "event_id"),
    )
    for object_id, of_object in groupby(concerned, key=attrgetter("object_id")):
        told = list(of_object)
        newest = _newest(told)
        yield Change(object_id=object_id, events=told, newest=newest, mirror=_last_word(effect, newest))


def _newest(told: list[DueEvent]) -> list[DueEvent]:
    """All of the last second; of a deleted object the deletion, wherever it stands."""
    deletions = [event for event in told if event.type == DELETED]
    return deletions[-1:] or [event for event in told if event.created_at == told[-1].created_at]


def _last_word(effect: Effect[Mirror], newest: list[DueEvent]) -> Mirror | None:
    mirror = effect.parse(_object(newest[-1]), as_of=newest[-1].created_at)
    return None if isinstance(mirror, Unreadable) else mirror


def _object(event: DueEvent) -> Json:
    told = inner(json.loads(event.body), "data", "object")
    # Stripe sends the invoice as it was; a deleted object that one reads says so itself.
    return {**told, "deleted": True} if event.type == DELETED and isinstance(told, dict) else told
