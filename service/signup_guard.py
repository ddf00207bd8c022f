"""The guard: what stands in the way of one more subscription. Pure.

Two subscriptions on one meter bill the same usage twice, whatever their prices. Stripe's list and the ledger's own
signups of the customer are both asked before each creation, so that it does not matter which of them lags.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

ENDED = frozenset({"canceled", "incomplete_expired"})  # they bill nothing any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A subscription as Stripe lists it."""

    subscription: str
    identifier: str | None  # of the row that it was made of
    status: str
    meters: frozenset[str]

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a list says of a signup: ours, several, duplicate or clear. `subscriptions` are those that it is about."""

    verdict: str
    subscriptions: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()  # on the meter, and billing no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another signup of the same customer."""

    signup_id: int
    is_earlier: bool
    state: str
    meter_stripe_id: str | None  # None: its price is not read yet
    price: str
    import_name: str | None
    subscription: str | None
    due_at: datetime | None  # None: nothing of it is due


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A person decides."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Until it is known what becomes of another signup, which is looked at again at `until`."""

    reason: str
    until: datetime | None


class ToBeMade(Protocol):
    """What the guard asks of a signup."""

    @property
    def meter_stripe_id(self) -> str | None: ...

    @property
    def price(self) -> str: ...

    @property
    def import_name(self) -> str | None: ...

    @property
    def is_meant(self) -> bool: ...

    @property
    def is_allowed(self) -> bool: ...

    @property
    def replaced_state(self) -> str | None: ...

    @property
    def doubt(self) -> datetime | None: ...


class Looked(Protocol):
    """What the guard asks of a young list."""

    @property
    def verdict(self) -> str: ...

    @property
    def subscriptions(self) -> Sequence[str]: ...

    @property
    def ended(self) -> Sequence[str]: ...


def verdict_of(listed: Sequence[Listed], *, identifier: str, meter_stripe_id: str | None, is_meant: bool) -> Verdict:
    """What all of a customer's subscriptions, ended ones too, say of a signup of his."""
    on_meter = [one for one in listed if meter_stripe_id is not None and meter_stripe_id in one.meters]
    ended = tuple(one.subscription for one in on_meter if one.is_ended)
    ours = tuple(one.subscription for one in listed if one.identifier == identifier)
    others = tuple(one.subscription for one in on_meter if not one.is_ended)
    if ours:
        return Verdict(verdict="ours" if len(ours) == 1 else "several", subscriptions=ours, ended=ended)
    if others and not is_meant:
        return Verdict(verdict="duplicate", subscriptions=others, ended=ended)
    return Verdict(verdict="clear", ended=ended)


def in_the_way(signup: ToBeMade, others: Sequence[Other], *, listing: Looked | None) -> Blocked | Waits | None:
    """What forbids the creation now. Without a young list nobody knows whether what was created still bills."""
    if signup.replaced_state not in {None, "replaced"}:
        return Blocked(reason=f"the row that it corrects is {signup.replaced_state} by now: discard one of the two")
    if listing is not None and listing.verdict == "duplicate":
        return Blocked(
            reason=f"duplicate_subscription: the customer's usage of this meter is billed by {_named(listing)} already"
        )
    found = [way for other in others if (way := _way_of(signup, other, listing=listing)) is not None]
    return next((way for way in found if isinstance(way, Blocked)), found[0] if found else None)


def _way_of(signup: ToBeMade, other: Other, *, listing: Looked | None) -> Blocked | Waits | None:
    """Rows that say that they are meant pass others of the meter; a row told in two files passes by a person alone."""
    is_told_twice = other.price == signup.price and None not in {imported := other.import_name, signup.import_name}
    if is_told_twice and imported != signup.import_name and not signup.is_allowed:
        return _way(signup, other, listing=listing, because=f"overlaps_import: it came with {imported} as well, as")
    if signup.is_meant or signup.is_allowed or other.meter_stripe_id not in {None, signup.meter_stripe_id}:
        return None
    return _way(signup, other, listing=listing, because="duplicate_subscription: the same customer and meter are in")


def _way(signup: ToBeMade, other: Other, *, listing: Looked | None, because: str) -> Blocked | Waits | None:
    letter = f"su-{other.signup_id}"
    match other.state:
        case "due" if other.is_earlier and signup.doubt is None:  # what may be made already goes first
            return Waits(reason=f"{because} {letter}, which comes first", until=other.due_at)
        case "unknown":
            return Waits(reason=f"{because} {letter}, which may be made already", until=other.due_at)
        case "held":
            return Blocked(reason=f"{because} {letter}, which may be made already, and is held")
        case "created" if listing is not None and other.subscription not in listing.ended:
            return Blocked(reason=f"{because} {letter}, which made {other.subscription}")
        case _:
            return None


def _named(listing: Looked) -> str:
    return ", ".join(listing.subscriptions)
