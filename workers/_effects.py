"""What events change here: the kind of object that each type is about, and many events reduced to one change. Pure.

The types that have an effect stand in `service/event_types.py`. Order is decided twice: here among the events of one
claim, and in the ledger against the mirror.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Protocol

from service.event_types import SNAPSHOT_TYPES
from service.ledger.events import DueEvent
from service.mirrors import Json, Mirror, Unreadable, inner, mirror
from service.mirrors.mirror import Key

DELETIONS = frozenset({"invoice.deleted", "customer.deleted", "price.deleted"})  # a deleted subscription is only ended
VANISHING = frozenset({"invoice", "price"})  # of which Stripe answers 404 once they are deleted
KIND_OF: Mapping[str, str] = MappingProxyType(
    {
        "billing.meter": "billing.meter",
        "customer": "customer",
        "customer.subscription": "subscription",
        "invoice": "invoice",
        "price": "price",
    }
)
"""Which kind of object a type is about, by all but its last word."""


class ReadsObjects(Protocol):
    """Stripe's objects, whole."""

    def retrieve(self, kind: str, object_id: str) -> Json: ...


class ReadsStripe(Protocol):
    """What an effect may ask of Stripe."""

    @property
    def objects(self) -> ReadsObjects: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """All that a claim's events say of one object. `mirror` None: the newest is unreadable; Stripe must be asked."""

    kind: str
    object_id: str
    events: list[DueEvent]  # oldest first
    newest: list[DueEvent]
    mirror: Mirror | None
    object_reading_id: int | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.object_id

    @property
    def is_tied(self) -> bool:
        """Whether the mirror is one of several words of one second: good until Stripe, asked, has settled it.

        It is put all the same, as if it had come alone, so that the ledger's rules are asked first: a newer word or a
        deletion leaves nothing to settle, and of what is deleted Stripe would answer 404 for ever.
        """
        return len(self.newest) > 1 and self.mirror is not None and self.mirror.read_at is None


def kind_of(type_: str) -> str | None:
    """The kind of object that events of this type change here; None: the type has no such effect."""
    return KIND_OF.get(type_.rpartition(".")[0]) if type_ in SNAPSHOT_TYPES else None


def reason_to_ignore(event: DueEvent) -> str | None:
    if kind_of(event.type) is None:
        return "no effect for its type"
    if event.object_id is None:
        return "its object has no id"  # an invoice that does not exist yet
    if not event.is_of_our_mode:
        return "of the other mode than this ledger's account"
    of_account = inner(json.loads(event.body), "account")
    return None if of_account in {None, event.stripe_account} else "of a connected account"


def changes_of(wanted: Sequence[DueEvent]) -> Iterator[Change]:
    for (kind, object_id), of_object in groupby(sorted(wanted, key=_place), key=lambda event: _place(event)[:2]):
        told = list(of_object)
        newest = _newest(told)
        yield Change(kind=kind, object_id=object_id, events=told, newest=newest, mirror=_last_word(kind, newest))


def older_words(change: Change) -> list[Mirror]:
    """What a subscription's other events of the claim say: of who billed what each tells, whatever came after it."""
    if change.kind != "subscription":
        return []
    told = [mirror(_object(event), kind=change.kind, as_of=event.created_at) for event in change.events]
    return [word for word in told if isinstance(word, Mirror) and not word.is_wanting]


def _place(event: DueEvent) -> tuple[str, str, float, str]:
    kind, object_id = kind_of(event.type), event.object_id
    assert kind is not None and object_id is not None, "the others were ignored"  # noqa: PT018 — one reason
    return kind, object_id, event.created_at.timestamp(), event.event_id


def _newest(told: list[DueEvent]) -> list[DueEvent]:
    """All of the last second; of a deleted object the deletion, wherever it stands."""
    deletions = [event for event in told if event.type in DELETIONS]
    return deletions[-1:] or [event for event in told if event.created_at == told[-1].created_at]


def _last_word(kind: str, newest: list[DueEvent]) -> Mirror | None:
    read = mirror(_object(newest[-1]), kind=kind, as_of=newest[-1].created_at)
    return None if isinstance(read, Unreadable) else read


def _object(event: DueEvent) -> Json:
    told = inner(json.loads(event.body), "data", "object")
    # Stripe sends the object as it was; a deleted one that one reads says so itself.
    return {**told, "deleted": True} if event.type in DELETIONS and isinstance(told, dict) else told
