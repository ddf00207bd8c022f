"""The auditor's log of calls, and how many of them came within a second."""

import json
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from sandbox.calls.limits import SEPARATE
from sandbox.http.answer import Fate
from sandbox.wire import JsonObject

CALLS_KEPT_MAX = 100_000
"""At some 500 bytes each, and what they sent beside meter events; older calls are in the sums alone."""
WINDOW_S = 1.0
FILTERS = ("account", "livemode", "path", "event_name", "customer", "identifier", "fate", "client_request_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    at: int
    account: str
    livemode: bool
    request_id: str
    client_request_id: str | None = None
    idempotency_key: str | None
    method: str
    path: str
    status: int
    fate: Fate
    has_applied: bool
    event_name: str | None
    customer: str | None
    identifier: str | None
    sent: str | None = None
    """The parameters, as JSON; None of a meter event, which is told by what stands above."""

    def meets(self, wanted: JsonObject) -> bool:
        is_meant = all(wanted.get(name) in (None, getattr(self, name)) for name in FILTERS)
        return is_meant and self.at >= wanted.get("since", 0)

    def render(self, number: int) -> JsonObject:
        return {
            "number": number,
            "at": self.at,
            "account": self.account,
            "livemode": self.livemode,
            "request_id": self.request_id,
            "client_request_id": self.client_request_id,
            "idempotency_key": self.idempotency_key,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "fate": self.fate,
            "applied": self.has_applied,
            "event_name": self.event_name,
            "customer": self.customer,
            "identifier": self.identifier,
            "sent": None if self.sent is None else json.loads(self.sent),
        }


class CallLog:
    def __init__(self) -> None:
        self._calls: deque[tuple[int, Logged]] = deque(maxlen=CALLS_KEPT_MAX)
        self._number = 0

    def add(self, call: Logged) -> None:
        self._number += 1
        self._calls.append((self._number, call))

    def page(self, wanted: JsonObject, *, after: int, limit: int) -> JsonObject:
        found = list(islice(self._meeting(wanted, after=after), limit + 1))
        return {"data": [call.render(number) for number, call in found[:limit]], "has_more": len(found) > limit}

    def forget(self, account: str) -> None:
        left = [(number, call) for number, call in self._calls if call.account != account]
        self._calls = deque(left, maxlen=CALLS_KEPT_MAX)

    def _meeting(self, wanted: JsonObject, *, after: int) -> Iterator[tuple[int, Logged]]:
        return ((number, call) for number, call in self._calls if number > after and call.meets(wanted))


@dataclass(slots=True, kw_only=True)
class Rates:
    """The most calls within a second, by limiter and by endpoint; on real time, because limits are about load."""

    highest: Counter[str] = field(default_factory=Counter)
    _recent: defaultdict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def count(self, endpoint: str, *, instant: float) -> None:
        self._note("meter_events" if endpoint in SEPARATE else "everything_else", instant)
        self._note(endpoint, instant)

    def _note(self, name: str, instant: float) -> None:
        recent = self._recent[name]
        recent.append(instant)
        while instant - recent[0] >= WINDOW_S:
            recent.popleft()
        self.highest[name] = max(self.highest[name], len(recent))
