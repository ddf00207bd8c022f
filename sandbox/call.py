"""One authenticated call, parsed: what an endpoint is given.

An endpoint takes a call and returns the JSON object it answers with, or raises the refusal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sandbox.books import Books
from sandbox.params import Params
from sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    books: Books
    params: Params
    path: str
    path_ids: tuple[str, ...]
    request_id: str
    idempotency_key: str | None

    @property
    def id(self) -> str:
        """The id in the path, of endpoints that have one."""
        return self.path_ids[0]

    @property
    def now(self) -> int:
        return self.books.now


Endpoint: TypeAlias = Callable[[Call], JsonObject]
