"""One authenticated call, parsed: what an endpoint is given.

An endpoint takes a call and returns the JSON object it answers with, or raises the refusal.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from sandbox.books import Books
from sandbox.http.form import Tree
from sandbox.http.wire_v2 import is_v2
from sandbox.parameters.params import Params
from sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    books: Books
    params: Params
    path: str
    path_ids: tuple[str, ...]
    request_id: str
    idempotency_key: str | None
    asked: Tree = field(default_factory=dict)
    """The parameters as a tree: what a page's address repeats."""
    rejected_later: str | None = None
    """The code with which what is accepted now is to be rejected later; a fault has drawn it."""

    @property
    def id(self) -> str:
        """The id in the path, of endpoints that have one."""
        return self.path_ids[0]

    @property
    def now(self) -> int:
        return self.books.now

    @property
    def is_v2(self) -> bool:
        return is_v2(self.path)


Endpoint: TypeAlias = Callable[[Call], JsonObject]
