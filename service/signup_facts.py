"""A signup as the ledger has it, with all that was done about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.decide import SERVER_ERROR
from service.signup_guard import Other


class Step(StrEnum):
    PRICE = "price"
    LIST = "list"
    TAX_ID = "tax_id"
    PRODUCT = "product"
    PAYMENT_METHOD = "payment_method"
    CREATE = "create"


Part = tuple[Step, str]  # a step, and about which of several


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was made for the signup. `key` None: it only read."""

    step: Step
    about: str
    key: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None  # None: still open
    status: int | None
    is_answered: bool  # by Stripe itself, so that nothing of it is under way any more
    is_replayed: bool

    @property
    def is_doubtful(self) -> bool:
        return self.outcome in {None, "unknown"}

    @property
    def is_stored_error(self) -> bool:
        return self.is_replayed and (self.status or 0) >= SERVER_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list of the customer's subscriptions said; `ended` are those on the meter that bill no more."""

    read_at: datetime
    key_number: int
    verdict: str
    subscriptions: Sequence[str]
    ended: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signup:
    """A signup as the ledger has it, with all that was done about it. Calls and listings are oldest first."""

    identifier: str
    state: str
    key_number: int
    ambiguous_since: datetime | None
    asked_at: datetime | None  # when a person last asked for another look
    meter_stripe_id: str | None
    price: str
    import_name: str | None
    is_meant: bool  # the row says that another subscription on the meter is
    is_allowed: bool  # a person says so
    replaced_state: str | None  # of the one that it corrects
    tax_ids: tuple[str, ...]
    payment_method: str | None
    product: str | None  # that its setup fee needs
    ahead: tuple[tuple[str, datetime], ...] = ()  # what must be ahead when it is created, by field
    done: frozenset[Part]
    calls: Sequence[Call]
    listings: Sequence[Listing]
    others: Sequence[Other]

    @property
    def key(self) -> str:
        """A creation's."""
        return self.identifier if self.key_number == 0 else f"{self.identifier}.{self.key_number}"

    @property
    def creations(self) -> list[Call]:
        """Under the present key."""
        return [call for call in self.calls if call.step == Step.CREATE and call.key == self.key]

    @property
    def doubt(self) -> datetime | None:
        """Start of the first creation under the present key that Stripe may have made."""
        began = [call.started_at for call in self.creations if call.is_doubtful]
        return min([self.ambiguous_since, *began] if self.ambiguous_since else began, default=None)
