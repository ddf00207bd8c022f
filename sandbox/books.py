"""One account's books in one mode: its shelves of objects, its usage, its keys and identifiers.

A shelf per class of object, made when first asked for: a new resource is a new file and its routes, and nothing here
changes. Test and live mode of one account are different books, as at Stripe.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from sandbox.calls.idempotency import IdempotencyKeys
from sandbox.calls.limits import Limiter
from sandbox.clock import Clock
from sandbox.ids import Ids
from sandbox.memory import Memory
from sandbox.metering.usage import Usage
from sandbox.settings import Settings
from sandbox.wire import Whose

T = TypeVar("T")


class RejectionListener(Protocol):
    """Told of each meter event that was accepted and counts nowhere, when its error report goes out."""

    def __call__(self, *, whose: Whose, identifier: str, event_name: str, customer: str) -> None: ...


def nobody(**_: object) -> None:
    """The listener where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The call in whose execution something happens."""

    request_id: str
    idempotency_key: str | None


@dataclass(slots=True, kw_only=True)
class Books:
    account: str
    livemode: bool
    clock: Clock
    ids: Ids
    settings: Settings
    announce: Callable[["Books", str], None]
    """Called with the id of each new event: it goes to the webhook endpoints."""
    rejected: RejectionListener = nobody
    """The auditor, in a whole sandbox."""
    usage: Usage = field(default_factory=Usage)
    identifiers: Memory[int] = field(default_factory=Memory)
    """Identifiers of meter events that are still taken, with the place of the event among all received."""
    limiter: Limiter = field(default_factory=Limiter)
    keys: IdempotencyKeys = field(default_factory=IdempotencyKeys)
    lanes_held: set[tuple[str, str]] = field(default_factory=set)
    """(event name, customer) with a call in execution."""
    cause: Cause | None = None
    """The call in execution, to which events are put down; None where time makes things happen."""
    _shelves: dict[type, dict[str, Any]] = field(default_factory=dict)

    @property
    def whose(self) -> Whose:
        return Whose(self.account, self.livemode)

    @property
    def now(self) -> int:
        return self.clock.now()

    def shelf(self, kind: type[T]) -> dict[str, T]:
        """The objects of one class by id, oldest first."""
        return self._shelves.setdefault(kind, {})

    def with_shelves_copied(self) -> "Books":
        """Books whose shelves may change apart from these; the objects on them are the same."""
        return replace(self, _shelves={kind: shelf.copy() for kind, shelf in self._shelves.items()})
