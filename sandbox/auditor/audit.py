"""The auditor: its own books of what was applied, kept from the wire alone, for each account and mode apart.

It reads what callers sent and what they were answered, never the resources' state, so a fault of the sandbox cannot
hide in its own audit. What is applied counts even when the reply was lost: Stripe's customer pays for it all the same.
What was accepted and rejected later, or cancelled, leaves the totals and is listed.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sandbox.auditor.accounts import AccountAudit
from sandbox.auditor.calls import CallLog, Logged
from sandbox.auditor.wire import is_adjustment, is_meter_event, tells_a_meter
from sandbox.http.answer import Answer
from sandbox.http.arrival import Arrival
from sandbox.wire import JsonObject, Whose

DUPLICATES = (b"An event already exists with identifier", b"duplicate_meter_event")


class Audit:
    def __init__(self) -> None:
        self._accounts: defaultdict[Whose, AccountAudit] = defaultdict(AccountAudit)
        self._log = CallLog()

    @contextmanager
    def watched(self, arrival: Arrival, *, whose: Whose, endpoint: str) -> Iterator[None]:
        """Counts the call as one of this second, and as in flight on its lane for as long as it is."""
        kept = self._accounts[whose]
        kept.rates.count(endpoint, instant=time.monotonic())
        if not is_meter_event(arrival):
            yield
            return
        lane = kept.wire.lane(arrival)
        kept.asked(arrival)
        kept.begin(lane)
        try:
            yield
        finally:
            kept.end(lane)

    def executed(self, arrival: Arrival, answer: Answer, *, whose: Whose, now: int) -> None:
        """The endpoint has run, whatever the caller will be told."""
        if arrival.method != "POST" or answer.fate != "applied":
            return
        kept = self._accounts[whose]
        if is_meter_event(arrival):
            kept.apply(kept.wire.told(arrival, answer, now=now))
        elif is_adjustment(arrival):
            event_name, identifier = kept.wire.cancelled(arrival)
            kept.cancel(identifier, event_name=event_name, now=now)
        elif tells_a_meter(arrival):
            kept.wire.learn(json.loads(answer.body))

    def rejected(self, *, whose: Whose, identifier: str, event_name: str, customer: str) -> None:
        """What was accepted counts nowhere after all."""
        self._accounts[whose].reject(identifier, event_name=event_name, customer=customer)

    def answered(
        self, arrival: Arrival, answer: Answer, *, whose: Whose, endpoint: str, request_id: str, now: int
    ) -> None:
        kept = self._accounts[whose]
        kept.by_status[str(answer.status)] += 1
        kept.by_path[endpoint] += 1
        event_name = customer = identifier = None
        if is_meter_event(arrival):
            event_name, customer = kept.wire.lane(arrival)
            identifier = kept.wire.identifier(arrival)
            if answer.fate == "refused" and any(words in answer.body for words in DUPLICATES):
                kept.refused_duplicates += 1
        self._log.add(
            Logged(
                at=now,
                account=whose.account,
                livemode=whose.livemode,
                request_id=request_id,
                client_request_id=arrival.client_request_id,
                idempotency_key=arrival.idempotency_key,
                method=arrival.method,
                path=arrival.path,
                status=answer.status,
                fate=answer.fate,
                has_applied=answer.has_applied,
                event_name=event_name,
                customer=customer,
                identifier=identifier,
                sent=None if is_meter_event(arrival) else json.dumps(arrival.sent),
            )
        )

    def report(self, account: str | None, *, livemode: bool | None = None) -> JsonObject:
        """The sums over all accounts and modes, or over those of one."""
        chosen = self._chosen(account, livemode=livemode)
        kept_ones = list(chosen.values())
        return {
            "totals": [total for whose, kept in chosen.items() for total in kept.totals_of(whose)],
            "applied": sum(kept.applied for kept in kept_ones),
            "identifiers": sum(kept.identifiers_applied for kept in kept_ones),
            "applied_twice": sorted(name for kept in kept_ones for name in kept.applied_twice()),
            "cancelled": [entry for kept in kept_ones for entry in kept.listed("cancelled")],
            "rejected_later": [entry for kept in kept_ones for entry in kept.listed("rejected_later")],
            "asked_again": [entry for kept in kept_ones for entry in kept.asked_again()],
            "identifiers_forgotten": sum(kept.identifiers_forgotten for kept in kept_ones),
            "refused_duplicates": sum(kept.refused_duplicates for kept in kept_ones),
            "in_flight_max_per_lane": max((kept.in_flight_max for kept in kept_ones), default=0),
            "calls_per_s_max": _rates(kept_ones),
            "calls": sum(kept.by_path.total() for kept in kept_ones),
            "by_status": dict(sum((kept.by_status for kept in kept_ones), Counter())),
            "by_path": dict(sum((kept.by_path for kept in kept_ones), Counter())),
        }

    def minutes(self, wanted: JsonObject) -> JsonObject:
        """Events and exact sums of each (account, mode, customer, event name, minute); filtered by any of these."""
        found = [
            row
            for whose, kept in self._chosen(wanted.get("account"), livemode=wanted.get("livemode")).items()
            for row in kept.minutes_of(whose)
            if all(wanted.get(key) in (None, row[key]) for key in ("customer", "event_name"))
            and row["minute"] >= wanted.get("since", 0)
        ]
        return {"data": found}

    def calls(self, wanted: JsonObject, *, after: int, limit: int) -> JsonObject:
        """The log of calls, oldest first, from behind the call of that number on."""
        return self._log.page(wanted, after=after, limit=limit)

    def forget(self, account: str) -> None:
        for livemode in (False, True):
            self._accounts.pop(Whose(account, livemode), None)
        self._log.forget(account)

    def _chosen(self, account: str | None, *, livemode: bool | None) -> dict[Whose, AccountAudit]:
        return {
            whose: kept
            for whose, kept in self._accounts.items()
            if account in (None, whose.account) and livemode in (None, whose.livemode)
        }


def _rates(kept_ones: Iterable[AccountAudit]) -> JsonObject:
    """The most calls that one account made within a second, on real time, per limiter."""
    highest: Counter[str] = Counter()
    for kept in kept_ones:
        highest |= kept.rates.highest
    by_endpoint = {name: count for name, count in highest.items() if " " in name or name == "unrecognized"}
    return {
        "meter_events": highest["meter_events"],
        "everything_else": highest["everything_else"],
        "by_endpoint": by_endpoint,
    }
