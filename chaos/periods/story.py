"""What happens in three weeks of billing: who subscribes to what, changes and leaves, and what everyone uses.

The story knows by itself who is to be billed for what: `spans` are written as things are asked of Stripe, from what was
asked and when, and usage is summed as it is told. Nothing of it is read from the ledger.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from chaos.periods.place import METER, Place

CHEAP, DEAR = 7, 11  # cents a unit
WEEK = 7.0
LAST = timedelta(milliseconds=1)  # before a period's end
Fate = str
BILLED, FREE, DISCARDED, OPEN = "billed", "free", "discarded", "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Time in which a customer's usage is to be billed at a price; in days of the story."""

    customer: str
    cents: int
    start: float
    end: float
    fate: Fate = BILLED

    @property
    def where(self) -> str:
        return f"{self.customer} days {self.start:g} to {self.end:g} at {self.cents}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    customer: str
    at: datetime
    units: int


@dataclass(kw_only=True)
class Story:
    """`deeds` are what is asked of Stripe, by the day at which it is asked."""

    place: Place
    chance: Random
    customers: dict[str, str] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    used: list[Use] = field(default_factory=list)
    deeds: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=dict)
    prices: dict[int, str] = field(default_factory=dict)
    _summed: int = 0
    _told: Counter[Span] = field(default_factory=Counter)

    def prepare(self, only: Sequence[str] = ()) -> None:
        """Of all customers, or of those whose stories are named."""
        self.prices = {cents: self.place.make_price(cents) for cents in (CHEAP, DEAR)}
        told = (self.steady, self.dearer, self.swapped, self.on_trial, self.twice, self.ending, self.gone, self.settled)
        for tell in (*told, self.nobody, self.lost, self.cut):
            if not only or tell.__name__ in only:
                tell()
        self.deeds.sort(key=lambda deed: deed[0])

    def steady(self) -> None:
        self._subscribe("steady", 0)
        self._weeks("steady", 0, 3)

    def dearer(self) -> None:
        """Its item's price changes within the second week."""
        self._subscribe("dearer", 0)
        changed = 10 + 1234 / 86_400
        self.deeds.append((changed, lambda: self._reprice("dearer")))
        self._weeks("dearer", 0, 1)
        self._span("dearer", WEEK, changed)
        self._span("dearer", changed, 2 * WEEK, cents=DEAR)
        self._weeks("dearer", 2, 3, cents=DEAR)

    def swapped(self) -> None:
        """Its item goes and another comes within the second week."""
        self._subscribe("swapped", 0)
        self.deeds.append((9, lambda: self._swap("swapped")))
        self._weeks("swapped", 0, 1)
        self._span("swapped", WEEK, 9)
        self._span("swapped", 9, 2 * WEEK, cents=DEAR)
        self._weeks("swapped", 2, 3, cents=DEAR)

    def on_trial(self) -> None:
        self._subscribe("on trial", 0, trial_period_days=7)
        self._span("on trial", 0, WEEK, fate=FREE)
        self._weeks("on trial", 1, 3)

    def twice(self) -> None:
        """Two subscriptions on one meter: both bill all of it."""
        self._subscribe("twice", 0)
        self._weeks("twice", 0, 3)
        self._subscribe("twice", 3, cents=DEAR, name="twice, again")
        self._weeks("twice", 0, 2, cents=DEAR, begin=3)
        self._span("twice", 17, 24, cents=DEAR)

    def ending(self) -> None:
        self._subscribe("ending", 0)
        self.deeds.append((8, lambda: self._update("ending", cancel_at_period_end=True)))
        self._weeks("ending", 0, 2, is_ending=True)

    def gone(self) -> None:
        self._subscribe("gone", 0)
        self.deeds.append((16, lambda: self.place.v1.subscriptions.cancel(self.made["gone"].id)))
        self._weeks("gone", 0, 2, is_ending=True)
        self._span("gone", 2 * WEEK, 16, fate=DISCARDED)

    def settled(self) -> None:
        self._subscribe("settled", 0)
        told = {"invoice_now": True}
        self.deeds.append((16, lambda: self.place.v1.subscriptions.cancel(self.made["settled"].id, told)))
        self._weeks("settled", 0, 2, is_ending=True)
        self._span("settled", 2 * WEEK, 16)

    def nobody(self) -> None:
        """Uses before it subscribes; the subscription is backdated by days."""
        begun = int(self.place.at(0.5).timestamp())
        self._subscribe("nobody", 5, backdate_start_date=begun)
        self._weeks("nobody", 0, 2, begin=0.5)
        self._span("nobody", 14.5, 21.5)

    def lost(self) -> None:
        """Classic billing forgets the usage before a change of price."""
        self._subscribe("lost", 0, billing_mode={"type": "classic"})
        self.deeds.append((10, lambda: self._reprice("lost")))
        self._weeks("lost", 0, 1)
        self._span("lost", WEEK, 10, fate=DISCARDED)
        self._span("lost", 10, 2 * WEEK, cents=DEAR)
        self._weeks("lost", 2, 3, cents=DEAR)

    def cut(self) -> None:
        self._subscribe("cut", 0)
        ends = int(self.place.at(18.5).timestamp())
        self.deeds.append((15, lambda: self._update("cut", cancel_at=ends)))
        self._weeks("cut", 0, 2, is_ending=True)
        self._span("cut", 2 * WEEK, 18.5)

    def use(self, *, since: datetime, until: datetime) -> None:
        """Everyone uses something, and at the edges of their periods to the last millisecond."""
        rows = []
        for customer in self.customers.values():
            instants = [since + (until - since) * self.chance.random()]
            for span in self.spans:
                if span.customer == customer:
                    edges = (self.place.at(span.start), self.place.at(span.end))
                    instants += [instant for edge in edges for instant in (edge - LAST, edge)]
            for at in dict.fromkeys(instant for instant in instants if since <= instant < until):
                use = Use(customer=customer, at=at, units=self.chance.randint(1, 900))
                self.used.append(use)
                row = {"customer": customer, "meter": METER, "value": use.units, "occurred_at": at}
                rows.append(row | {"row_id": f"row-{len(self.used)}"})
        self.place.works.client.publish_many(rows)

    def told_by_span(self) -> Counter[Span]:
        """The units that were used in each, so far."""
        for use in self.used[self._summed :]:
            for span in self.spans:
                if use.customer == span.customer and self.place.at(span.start) <= use.at < self.place.at(span.end):
                    self._told[span] += use.units
        self._summed = len(self.used)
        return self._told

    def _weeks(
        self, name: str, first: int, last: int, *, cents: int = CHEAP, begin: float = 0, is_ending: bool = False
    ) -> None:
        for week in range(first, last):
            self._span(name, begin + week * WEEK, begin + (week + 1) * WEEK, cents=cents)
        if last == 3 and not is_ending:
            self._span(name, begin + last * WEEK, begin + (last + 1) * WEEK, cents=cents, fate=OPEN)

    def _span(self, name: str, start: float, end: float, *, cents: int = CHEAP, fate: Fate = BILLED) -> None:
        self.spans.append(Span(customer=self._customer(name), cents=cents, start=start, end=end, fate=fate))

    def _customer(self, name: str) -> str:
        if name not in self.customers:
            self.customers[name] = str(self.place.v1.customers.create({"name": name}).id)
        return self.customers[name]

    def _subscribe(
        self, customer: str, day: float, *, cents: int = CHEAP, name: str | None = None, **more: Any
    ) -> None:
        def subscribe() -> None:
            told = {"customer": self._customer(customer), "items": [{"price": self.prices[cents]}], **more}
            self.made[name or customer] = self.place.v1.subscriptions.create(told)

        self._customer(customer)
        self.deeds.append((day, subscribe))

    def _reprice(self, name: str) -> None:
        (item,) = self.made[name]["items"]["data"]
        self._update(name, items=[{"id": item.id, "price": self.prices[DEAR]}])

    def _swap(self, name: str) -> None:
        (item,) = self.made[name]["items"]["data"]
        self._update(name, items=[{"id": item.id, "deleted": True}, {"price": self.prices[DEAR]}])

    def _update(self, name: str, **told: Any) -> None:
        self.place.v1.subscriptions.update(self.made[name].id, told)
