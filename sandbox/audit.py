"""The auditor: its own books of what was applied, kept from the wire alone.

It reads what callers sent and what they were answered, never the resources' state, so a fault of the sandbox cannot
hide in its own audit. What is applied counts even when the reply was lost: Stripe's customer pays for it all the same.
"""

import json
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.answer import Answer
from sandbox.arrival import Arrival
from sandbox.form import Tree
from sandbox.wire import EXACT, JsonObject, decimal_text

CALLS_KEPT_MAX = 100_000
METER_EVENTS = "/v1/billing/meter_events"
METERS = "/v1/billing/meters"
DUPLICATE = b"An event already exists with identifier"
DEFAULT_KEYS = ("stripe_customer_id", "value")


@dataclass(slots=True, kw_only=True)
class Total:
    events: int = 0
    value: Decimal = Decimal(0)
    last: Decimal = Decimal(0)
    last_at: int = 0

    def add(self, value: Decimal, *, timestamp: int) -> None:
        self.events += 1
        self.value = EXACT.add(self.value, value)
        if timestamp >= self.last_at:
            self.last, self.last_at = value, timestamp


@dataclass(slots=True, kw_only=True)
class AccountAudit:
    totals: defaultdict[tuple[str, str], Total] = field(default_factory=lambda: defaultdict(Total))
    applied: int = 0
    identifiers: Counter[str] = field(default_factory=Counter)
    refused_duplicates: int = 0
    in_flight: Counter[tuple[str, str]] = field(default_factory=Counter)
    in_flight_max: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    by_path: Counter[str] = field(default_factory=Counter)
    payload_keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Event name → (customer key, value key), learnt from the answers that made the meters."""

    def lane(self, arrival: Arrival) -> tuple[str, str] | None:
        if arrival.path != METER_EVENTS or arrival.method != "POST":
            return None
        event_name = str(arrival.sent.get("event_name", ""))
        customer_key, _ = self.payload_keys.get(event_name, DEFAULT_KEYS)
        return event_name, str(_payload(arrival).get(customer_key, ""))

    def count_applied(self, arrival: Arrival, *, now: int) -> None:
        sent, payload = arrival.sent, _payload(arrival)
        event_name = str(sent["event_name"])
        customer_key, value_key = self.payload_keys.get(event_name, DEFAULT_KEYS)
        value = Decimal(str(payload.get(value_key, "0")))
        timestamp = int(str(sent.get("timestamp") or now))
        self.totals[str(payload[customer_key]), event_name].add(value, timestamp=timestamp)
        self.applied += 1
        if identifier := sent.get("identifier"):
            self.identifiers[str(identifier)] += 1

    def learn(self, answer: Answer) -> None:
        meter = json.loads(answer.body)
        keys = meter["customer_mapping"]["event_payload_key"], meter["value_settings"]["event_payload_key"]
        self.payload_keys[meter["event_name"]] = keys


class Audit:
    def __init__(self) -> None:
        self._accounts: defaultdict[str, AccountAudit] = defaultdict(AccountAudit)
        self._calls: deque[JsonObject] = deque(maxlen=CALLS_KEPT_MAX)
        self._number = 0

    @contextmanager
    def watched(self, arrival: Arrival, *, account: str, endpoint: str) -> Iterator[None]:
        """Counts the call as in flight on its lane, for as long as it is."""
        kept = self._accounts[account]
        lane = kept.lane(arrival)
        if lane is None:
            yield
            return
        kept.in_flight[lane] += 1
        kept.in_flight_max = max(kept.in_flight_max, kept.in_flight[lane])
        try:
            yield
        finally:
            kept.in_flight[lane] -= 1
            if not kept.in_flight[lane]:
                del kept.in_flight[lane]

    def executed(self, arrival: Arrival, answer: Answer, *, account: str, now: int) -> None:
        """The endpoint has run, whatever the caller will be told."""
        kept = self._accounts[account]
        if arrival.method == "POST" and answer.fate == "applied":
            if arrival.path == METER_EVENTS:
                kept.count_applied(arrival, now=now)
            elif arrival.path == METERS:
                kept.learn(answer)

    def answered(
        self, arrival: Arrival, answer: Answer, *, account: str, endpoint: str, request_id: str, now: int
    ) -> None:
        kept = self._accounts[account]
        kept.by_status[str(answer.status)] += 1
        kept.by_path[endpoint] += 1
        if arrival.path == METER_EVENTS and answer.fate != "replayed" and DUPLICATE in answer.body:
            kept.refused_duplicates += 1
        self._number += 1
        self._calls.append(
            {
                "number": self._number,
                "at": now,
                "account": account,
                "request_id": request_id,
                "idempotency_key": arrival.idempotency_key,
                "method": arrival.method,
                "path": arrival.path,
                "status": answer.status,
                "fate": answer.fate,
            },
        )

    def report(self, account: str | None) -> JsonObject:
        """The sums over all accounts, or over one."""
        names = list(self._accounts) if account is None else [account]
        chosen = {name: self._accounts[name] for name in names}
        return {
            "totals": [total for name, kept in chosen.items() for total in _totals(name, kept)],
            "applied": sum(kept.applied for kept in chosen.values()),
            "identifiers": sum(len(kept.identifiers) for kept in chosen.values()),
            "applied_twice": sorted(_applied_twice(chosen)),
            "refused_duplicates": sum(kept.refused_duplicates for kept in chosen.values()),
            "in_flight_max_per_lane": max((kept.in_flight_max for kept in chosen.values()), default=0),
            "calls": sum(kept.by_path.total() for kept in chosen.values()),
            "by_status": dict(sum((kept.by_status for kept in chosen.values()), Counter())),
            "by_path": dict(sum((kept.by_path for kept in chosen.values()), Counter())),
        }

    def calls(self, *, path: str | None, account: str | None, after: int, limit: int) -> JsonObject:
        """The log of calls, oldest first, from behind the call of that number on."""
        wanted = [
            call
            for call in self._calls
            if call["number"] > after and path in (None, call["path"]) and account in (None, call["account"])
        ]
        return {"data": wanted[:limit], "has_more": len(wanted) > limit}


def _payload(arrival: Arrival) -> Tree:
    payload = arrival.sent.get("payload", {})
    return payload if isinstance(payload, dict) else {}


def _totals(account: str, kept: AccountAudit) -> list[JsonObject]:
    return [
        {
            "account": account,
            "customer": customer,
            "event_name": event_name,
            "events": total.events,
            "value": decimal_text(total.value),
            "last": decimal_text(total.last),
        }
        for (customer, event_name), total in kept.totals.items()
    ]


def _applied_twice(chosen: dict[str, AccountAudit]) -> list[str]:
    return [name for kept in chosen.values() for name, count in kept.identifiers.items() if count > 1]
