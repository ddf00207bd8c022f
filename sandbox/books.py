"""One account's books in one mode: its shelves of objects, its usage, its keys and identifiers.

A shelf per class of object, made when first asked for: a new resource is a new file and its routes, and nothing here
changes. Test and live mode of one account are different books, as at Stripe.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sandbox.clock import Clock
from sandbox.idempotency import IdempotencyKeys
from sandbox.ids import Ids
from sandbox.limits import Limiter
from sandbox.memory import Memory
from sandbox.settings import Settings
from sandbox.usage import Usage

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Books:
    account: str
    livemode: bool
    clock: Clock
    ids: Ids
    settings: Settings
    announce: Callable[["Books", str], None]
    """Called with the id of each new event: it goes to the webhook endpoints."""
    usage: Usage = field(default_factory=Usage)
    identifiers: Memory[bool] = field(default_factory=Memory)
    """Identifiers of meter events that are still taken."""
    limiter: Limiter = field(default_factory=Limiter)
    keys: IdempotencyKeys = field(default_factory=IdempotencyKeys)
    lanes_held: set[tuple[str, str]] = field(default_factory=set)
    """(event name, customer) with a call in execution."""
    _shelves: dict[type, dict[str, Any]] = field(default_factory=dict)

    @property
    def now(self) -> int:
        return self.clock.now()

    def shelf(self, kind: type[T]) -> dict[str, T]:
        """The objects of one class by id, oldest first."""
        return self._shelves.setdefault(kind, {})
