"""An answer before it goes out: status, body, headers, and what became of the call.

The fate is for the auditor: `applied` changed the books, `replayed` came from an Idempotency-Key, `refused` changed
nothing, `lost` never reached the caller.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from sandbox.errors import ApiError
from sandbox.wire import JsonObject, encoded

Fate = Literal["applied", "replayed", "refused", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    fate: Fate = "applied"
    is_kept: bool = True
    """Whether an Idempotency-Key keeps it."""

    def replayed(self) -> "Answer":
        headers = self.headers | {"Idempotent-Replayed": "true"}
        return replace(self, headers=headers, fate="replayed")


def success(body: JsonObject) -> Answer:
    return Answer(status=200, body=encoded(body))


def refusal(error: ApiError) -> Answer:
    return Answer(
        status=error.status,
        body=encoded(error.body()),
        headers=error.headers,
        fate="refused",
        is_kept=error.began,
    )
