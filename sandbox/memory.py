"""A memory that forgets: values by name, each gone once it is older than the window asked with.

Stripe forgets identifiers and Idempotency-Keys after a day, and that forgetting is what the pipeline must survive, so
it is exact here. The window comes with each question, because a test may change it in between.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Memory(Generic[T]):
    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, T]] = OrderedDict()
        """Oldest first; a plain dict would search its front for what it has already let go of."""

    def __len__(self) -> int:
        return len(self._kept)

    def recall(self, name: str, *, now: int, window_s: int) -> T | None:
        since, value = self._kept.get(name, (now - window_s, None))
        return value if now - since < window_s else None

    def keep(self, name: str, value: T, *, now: int, window_s: int) -> None:
        """Keeps, and forgets the few that are oldest and past the window, so that memory stays bounded by it."""
        self._kept.pop(name, None)
        self._kept[name] = (now, value)
        while self._kept and now - next(iter(self._kept.values()))[0] >= window_s:
            self._kept.popitem(last=False)

    def forget(self, name: str) -> None:
        self._kept.pop(name, None)
