"""What the auditor knows of one account in one mode: every identifier's fate, and exact sums that follow from it.

Bounded for runs of a million meter events: an identifier takes some 600 bytes and a minute some 400, and beyond a
million of either the oldest are forgotten one by one. The totals stay; what is forgotten cannot be cancelled or
rejected any more.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from sandbox.auditor.calls import Rates
from sandbox.auditor.wire import Told, Wire
from sandbox.http.arrival import Arrival
from sandbox.wire import EXACT, JsonObject, Whose, decimal_text

IDENTIFIERS_MAX = 1_000_000
MINUTES_MAX = 1_000_000
CANCELLABLE_S = 86_400
"""What was received longer ago cannot be cancelled any more, even where the call for it is answered with success."""
Fallen: TypeAlias = Literal["cancelled", "rejected_later"]


@dataclass(slots=True)
class Total:
    events: int = 0
    value: Decimal = Decimal(0)

    def add(self, value: Decimal) -> None:
        self.events += 1
        self.value = EXACT.add(self.value, value) if self.value else value

    def take_back(self, value: Decimal) -> None:
        self.events -= 1
        self.value = EXACT.subtract(self.value, value)


@dataclass(slots=True)
class Identifier:
    """What became of it: `asked` calls named it, under these keys; what was applied stands, or has left the totals."""

    asked: int = 0
    first_key: str | None = None
    other_keys: set[str] | None = None
    standing: tuple[Told, ...] = ()
    """One; more only where Stripe took it twice: after its window, or for another meter or customer."""
    fallen: tuple[tuple[Fallen, Told], ...] = ()

    def ask(self, key: str | None) -> None:
        self.asked += 1
        if self.asked == 1:
            self.first_key = key
        elif key is not None and key != self.first_key:
            self.other_keys = (self.other_keys or set()) | {key}

    @property
    def applied(self) -> int:
        return len(self.standing) + len(self.fallen)

    @property
    def keys(self) -> int:
        return (self.first_key is not None) + len(self.other_keys or ())


@dataclass(slots=True, kw_only=True)
class AccountAudit:
    wire: Wire = field(default_factory=Wire)
    rates: Rates = field(default_factory=Rates)
    applied: int = 0
    refused_duplicates: int = 0
    in_flight: Counter[tuple[str, str]] = field(default_factory=Counter)
    in_flight_max: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    by_path: Counter[str] = field(default_factory=Counter)
    identifiers_forgotten: int = 0
    _identifiers: OrderedDict[str, Identifier] = field(default_factory=OrderedDict)
    _totals: defaultdict[tuple[str, str], Total] = field(default_factory=lambda: defaultdict(Total))
    _minutes: OrderedDict[tuple[str, str, int], Total] = field(default_factory=OrderedDict)
    _lasts: dict[tuple[str, str], Told | None] = field(default_factory=dict)
    """None where the one that was has left the totals: it is looked for when asked about."""

    def begin(self, lane: tuple[str, str]) -> None:
        self.in_flight[lane] += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight[lane])

    def end(self, lane: tuple[str, str]) -> None:
        self.in_flight[lane] -= 1
        if not self.in_flight[lane]:
            del self.in_flight[lane]

    def asked(self, arrival: Arrival) -> None:
        if identifier := self.wire.identifier(arrival):
            self._known(identifier).ask(arrival.idempotency_key)

    def apply(self, told: Told) -> None:
        known = self._known(told.identifier)
        known.standing = (*known.standing, told)
        self.applied += 1
        self._totals[told.lane].add(told.value)
        self._minute(told).add(told.value)
        last = self._lasts.setdefault(told.lane, told)
        if last is not None and told.timestamp >= last.timestamp:
            self._lasts[told.lane] = told

    def cancel(self, identifier: str, *, event_name: str, now: int) -> None:
        """Takes out the last that was received under the identifier for this meter, unless that is a day ago."""
        meant = [told for told in self._standing(identifier) if told.event_name == event_name]
        if meant and now - meant[-1].received_at < CANCELLABLE_S:
            self._fall(meant[-1], "cancelled")

    def reject(self, identifier: str, *, event_name: str, customer: str) -> None:
        """Takes out what was applied under the identifier for this meter and customer; at most once."""
        meant = [told for told in self._standing(identifier) if told.lane == (customer, event_name)]
        if meant:
            self._fall(meant[0], "rejected_later")

    @property
    def identifiers_applied(self) -> int:
        return self.identifiers_forgotten + sum(known.applied > 0 for known in self._identifiers.values())

    def applied_twice(self) -> list[str]:
        return [name for name, known in self._identifiers.items() if known.applied > 1]

    def listed(self, fallen: Fallen) -> Iterator[JsonObject]:
        """What left the totals in this way, with what it took along."""
        everything = (pair for known in self._identifiers.values() for pair in known.fallen)
        for _, told in (pair for pair in everything if pair[0] == fallen):
            yield {
                "identifier": told.identifier,
                "customer": told.customer,
                "event_name": told.event_name,
                "value": decimal_text(told.value),
                "timestamp": told.timestamp,
            }

    def asked_again(self) -> Iterator[JsonObject]:
        """Every identifier that several calls named, and under how many Idempotency-Keys."""
        for name, known in self._identifiers.items():
            if known.asked > 1:
                yield {"identifier": name, "asked": known.asked, "keys": known.keys, "applied": known.applied}

    def totals_of(self, whose: Whose) -> Iterator[JsonObject]:
        for (customer, event_name), total in self._totals.items():
            last = self._last(customer, event_name)
            yield {
                "account": whose.account,
                "livemode": whose.livemode,
                "customer": customer,
                "event_name": event_name,
                "events": total.events,
                "value": decimal_text(total.value),
                "last": decimal_text(last.value) if last else "0",
            }

    def minutes_of(self, whose: Whose) -> Iterator[JsonObject]:
        for (customer, event_name, minute), total in self._minutes.items():
            yield {
                "account": whose.account,
                "livemode": whose.livemode,
                "customer": customer,
                "event_name": event_name,
                "minute": minute,
                "events": total.events,
                "value": decimal_text(total.value),
            }

    def _standing(self, identifier: str) -> tuple[Told, ...]:
        known = self._identifiers.get(identifier)
        return known.standing if known else ()

    def _fall(self, told: Told, fallen: Fallen) -> None:
        known = self._identifiers[told.identifier]
        known.standing = tuple(other for other in known.standing if other is not told)
        known.fallen = (*known.fallen, (fallen, told))
        self._totals[told.lane].take_back(told.value)
        if minute := self._minutes.get(told.minute):
            minute.take_back(told.value)
        if self._lasts[told.lane] is told:
            self._lasts[told.lane] = None

    def _known(self, identifier: str) -> Identifier:
        known = self._identifiers.get(identifier)
        if known is None:
            known = self._identifiers[identifier] = Identifier()
            if len(self._identifiers) > IDENTIFIERS_MAX:
                _, forgotten = self._identifiers.popitem(last=False)
                self.identifiers_forgotten += forgotten.applied > 0
        return known

    def _minute(self, told: Told) -> Total:
        total = self._minutes.get(told.minute)
        if total is None:
            total = self._minutes[told.minute] = Total()
            if len(self._minutes) > MINUTES_MAX:
                self._minutes.popitem(last=False)
        return total

    def _last(self, customer: str, event_name: str) -> Told | None:
        """The last value; looked for again where the one that was has left the totals."""
        lane = customer, event_name
        if self._lasts[lane] is None and self._totals[lane].events:
            standing = (told for known in self._identifiers.values() for told in known.standing)
            ours = [told for told in standing if told.lane == lane]
            self._lasts[lane] = max(reversed(ours), key=lambda told: told.timestamp, default=None)
        return self._lasts[lane]
