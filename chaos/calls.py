"""The sandbox's log of calls, read on while it is written: it keeps the last 100,000 and a long run makes more."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.sandbox import ask_sandbox

METER_EVENTS = "/v1/billing/meter_events"


class CallsForgotten(Exception):
    """The log went on past what was read of it: read it more often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, as the sandbox saw it."""

    call_id: str | None  # the caller's own name of it
    request_id: str
    idempotency_key: str | None
    status: int
    method: str = "POST"
    path: str = METER_EVENTS


def reports(logged: dict[str, Any]) -> bool:
    """Whether a call reported a meter event."""
    return bool(logged["path"] == METER_EVENTS and logged["method"] == "POST")


@dataclass(slots=True, kw_only=True)
class CallLog:
    """Every call of `account` that is wanted; `read_on` reads what came since."""

    sandbox_url: str
    account: str
    is_wanted: Callable[[dict[str, Any]], bool] = reports
    calls: list[Call] = field(default_factory=list)
    _number: int = 0

    def read_on(self) -> None:
        has_more = True
        while has_more:
            page = ask_sandbox(self.sandbox_url, f"/_sandbox/audit/calls?after={self._number}")
            for logged in page["data"]:
                self._take(logged)
            has_more = page["has_more"]

    def _take(self, logged: dict[str, Any]) -> None:
        # All accounts' calls are numbered together, so that nothing can be missing in between.
        if logged["number"] != self._number + 1:
            raise CallsForgotten(f"the calls between {self._number} and {logged['number']} are in the log no more")
        self._number = logged["number"]
        if logged["account"] == self.account and self.is_wanted(logged):
            self.calls.append(
                Call(
                    call_id=logged["client_request_id"],
                    request_id=logged["request_id"],
                    idempotency_key=logged["idempotency_key"],
                    status=logged["status"],
                    method=logged["method"],
                    path=logged["path"],
                )
            )
