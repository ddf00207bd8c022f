"""An answer before it goes out: status, body, headers, what became of the call, and how much of it the caller gets.

The fate is for the auditor: `applied` changed the books, `replayed` came from an Idempotency-Key, `refused` changed
nothing, `lost` never reached the caller whole, whether applied or not.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from sandbox.errors import ApiError
from sandbox.http.wire_v2 import error_body
from sandbox.wire import JsonObject, encoded

Fate = Literal["applied", "replayed", "refused", "lost"]
Sending = Literal["whole", "nothing", "half", "slowly"]
Api = Literal["v1", "v2"]

NO_HEADERS: dict[str, str] = {}
"""Of most answers, kept a day each: one for all of them, since headers are joined and never written to."""
NO_STATUS = 0
"""Of a call that was never answered."""
JSON = "application/json"
HTML = "text/html"
GATEWAY_BODY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: NO_HEADERS)
    content_type: str = JSON
    fate: Fate = "applied"
    has_applied: bool = False
    """Whether this very call changed the books, whatever its caller is told."""
    is_kept: bool = True
    """Whether an Idempotency-Key keeps it."""
    sending: Sending = "whole"
    bytes_per_s: int = 0
    """The pace of one that is sent slowly."""
    outage_s: float = 0.0
    """How long nobody is listening afterwards."""

    def replayed(self) -> "Answer":
        headers = self.headers | {"Idempotent-Replayed": "true"}
        return replace(self, headers=headers, fate="replayed", has_applied=False)


def success(body: JsonObject) -> Answer:
    return Answer(status=200, body=encoded(body), has_applied=True)


def refusal(error: ApiError, *, api: Api = "v1") -> Answer:
    return Answer(
        status=error.status,
        body=encoded(error_body(error) if api == "v2" else error.body()),
        headers=error.headers,
        fate="refused",
        is_kept=error.began,
    )


def silence(*, outage_s: float = 0.0) -> Answer:
    """The connection is dropped before anything is looked at."""
    return Answer(status=NO_STATUS, body=b"", fate="lost", sending="nothing", outage_s=outage_s)


def gateway(behind: Answer | None = None) -> Answer:
    """A proxy's 502, in HTML and without Stripe's headers; what the call behind it changed stays changed."""
    has_applied = behind is not None and behind.has_applied
    return Answer(
        status=502,
        body=GATEWAY_BODY,
        content_type=HTML,
        fate="applied" if has_applied else "refused",
        has_applied=has_applied,
    )
