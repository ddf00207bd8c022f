"""Each reading is on the invoices as often as it should be: once at its price, or not at all.

Random months of usage, plan changes, trials, backdating and cancellations against an oracle that knows nothing of the
sandbox: it cuts the time into stretches, each with a price and the moment at which it is counted. The n-th reading is
of 4^n units, so that a total tells which readings it holds, and a reading that is billed twice shows.
"""

from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOUR_S = 3_600
DAY_S = 86_400
BEGIN = 1_769_817_600
"""2026-01-31, whose months are not alike."""
END = BEGIN + 700 * DAY_S
"""After all that a story may hold."""
BEFORE_ALL_STEPS = -1
CENTS = (1, 3)
"""What a unit costs, at the first price and at the other."""
EXAMPLES = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True, kw_only=True)
class Step:
    wait_s: int
    act: str
    ago_s: int = 0
    """Of usage: how long before its report it happened."""
    until_s: int = 0
    """Of a `cancel_at`: how far ahead it lies."""


@dataclass(frozen=True, kw_only=True)
class Story:
    unit: str
    backdate_s: int
    trial_s: int
    grace_s: int
    steps: list[Step]


@dataclass(frozen=True, kw_only=True)
class Stretch:
    start: int
    end: int
    cents: int
    counted: tuple[int, int]
    """The instant, and the number of the step: what is received before it counts."""


SWAPS = ("swap", "exchange", "swap_and_invoice", "swap_unprorated")
hours = st.integers(0, 16 * 24).map(lambda count: count * HOUR_S)
edges = st.sampled_from([0, HOUR_S, 15 * DAY_S, 28 * DAY_S, 31 * DAY_S, 31 * DAY_S + HOUR_S])
waits = st.one_of(hours, edges)
uses = st.builds(
    Step,
    wait_s=waits,
    act=st.just("use"),
    ago_s=st.one_of(st.integers(0, 34 * 24).map(lambda count: count * HOUR_S), st.sampled_from([0, 1, HOUR_S + 1])),
)
changes = st.builds(Step, wait_s=waits, act=st.sampled_from(SWAPS))
ends = st.builds(
    Step,
    wait_s=waits,
    act=st.sampled_from(["cancel", "cancel_and_invoice", "cancel_at_period_end", "cancel_at"]),
    until_s=st.integers(1, 60 * 24).map(lambda count: count * HOUR_S),
)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    begun, more = draw(st.lists(st.one_of(uses, uses, changes), max_size=12)), draw(st.lists(uses, max_size=6))
    backdate_s = draw(st.sampled_from([0, 0, 1, HOUR_S, 20 * DAY_S, 28 * DAY_S, 31 * DAY_S, 59 * DAY_S]))
    trial_s = 0 if backdate_s else draw(st.sampled_from([0, 0, DAY_S, 31 * DAY_S, 40 * DAY_S]))
    before = draw(st.lists(uses.map(lambda step: replace(step, wait_s=0)), max_size=4))
    ending = draw(st.lists(ends, max_size=1))
    begin = [*before, Step(wait_s=0, act="subscribe")]
    return Story(
        unit=draw(st.sampled_from(["week", "month", "month"])),
        backdate_s=backdate_s,
        trial_s=trial_s,
        grace_s=draw(st.sampled_from([HOUR_S, 48 * HOUR_S])),
        steps=[*begin, *begun, *ending, *more],
    )


@dataclass
class Oracle:
    """Which stretches of time are billed, when they are counted, and at which price."""

    story: Story
    stretches: list[Stretch] = field(default_factory=list)
    readings: list[tuple[int, int, tuple[int, int]]] = field(default_factory=list)
    """When each happened, of how many units, and when it was received."""
    anchor: int = 0
    open_since: int | None = None
    price: int = 0
    ends_at: int | None = None

    def boundary(self, index: int) -> int:
        if self.story.unit == "week":
            return self.anchor + index * 7 * DAY_S
        begin = datetime.fromtimestamp(self.anchor, UTC)
        year, month0 = divmod(begin.year * 12 + begin.month - 1 + index, 12)
        day = min(begin.day, monthrange(year, month0 + 1)[1])
        return int(begin.replace(year=year, month=month0 + 1, day=day).timestamp())

    def next_boundary(self, after: int) -> int:
        return next(found for found in map(self.boundary, range(200)) if found > after)

    def subscribe(self, now: int, number: int) -> None:
        self.open_since = now - self.story.backdate_s
        self.anchor = now + self.story.trial_s if self.story.trial_s else self.open_since
        while self.next_boundary(self.open_since) <= now and not self.story.trial_s:
            self.close(self.next_boundary(self.open_since), counted=(now, number))

    def close(self, end: int, *, counted: tuple[int, int]) -> None:
        """Bills what is open until the end; of a trial nothing."""
        assert self.open_since is not None
        if self.open_since >= self.anchor or not self.story.trial_s:
            cents = CENTS[self.price]
            self.stretches.append(Stretch(start=self.open_since, end=end, cents=cents, counted=counted))
        self.open_since = end

    def pass_until(self, now: int) -> None:
        """What time does by itself: periods end, and so does the subscription."""
        while self.open_since is not None:
            end = self.period_end()
            if end > now:
                return
            self.close(end, counted=(end + self.story.grace_s, BEFORE_ALL_STEPS))
            if end == self.ends_at:
                self.open_since = None

    def period_end(self) -> int:
        """When the open stretch ends by itself."""
        assert self.open_since is not None
        end = self.anchor if self.open_since < self.anchor else self.next_boundary(self.open_since)
        return end if self.ends_at is None else min(end, self.ends_at)

    def take(self, step: Step, *, now: int, number: int) -> None:
        if step.act == "use":
            self.readings.append((now - step.ago_s, 4 ** len(self.readings), (now, number)))
        elif step.act == "subscribe":
            self.subscribe(now, number)
        elif self.open_since is None:
            return
        elif step.act in ("cancel_at_period_end", "cancel_at"):
            self.ends_at = self.period_end() if step.act == "cancel_at_period_end" else now + step.until_s
        else:
            self.change(step, now=now, number=number)

    def change(self, step: Step, *, now: int, number: int) -> None:
        if step.act in ("swap", "exchange", "swap_and_invoice", "cancel_and_invoice"):
            self.close(now, counted=(now, number))
        self.price, self.open_since = 1 - self.price, None if step.act.startswith("cancel") else now

    def billed(self) -> Counter[int]:
        """How many units are billed at how many cents."""
        units: Counter[int] = Counter()
        for at, value, received in self.readings:
            for stretch in self.stretches:
                if stretch.start <= at < stretch.end and received < stretch.counted:
                    units[stretch.cents] += value
        return units


@dataclass
class Teller:
    """Has the story happen in the sandbox."""

    shop: Any
    story: Story
    used: int = 0

    def begin(self) -> None:
        self.shop.sandbox.control("POST", "clock", frozen=True, to=BEGIN)
        self.shop.settings(finalization_grace_s=self.story.grace_s)
        self.customer, meter = self.shop.customer(), self.shop.meter()
        recurring = {"interval": self.story.unit, "usage_type": "metered", "meter": meter}
        self.prices = [self.shop.price(meter, unit_amount=cents, recurring=recurring).id for cents in CENTS]

    def take(self, step: Step, *, now: int) -> None:
        self.shop.sandbox.control("POST", "clock", to=now)
        if step.act == "use":
            self.shop.send(self.customer, str(4**self.used), timestamp=now - step.ago_s)
            self.used += 1
        elif step.act == "subscribe":
            self.subscribe(now)
        elif self.now_is().status != "canceled":
            self.change(step, now=now)

    def subscribe(self, now: int) -> None:
        more: Any = {"backdate_start_date": now - self.story.backdate_s} if self.story.backdate_s else {}
        more |= {"trial_end": now + self.story.trial_s} if self.story.trial_s else {}
        self.subscription = self.shop.subscription(self.customer, self.prices[0], **more).id

    def now_is(self) -> Any:
        return self.shop.v1.subscriptions.retrieve(self.subscription)

    def change(self, step: Step, *, now: int) -> None:
        item = self.now_is()["items"].data[0]
        other = self.prices[1 - self.prices.index(item.price.id)]
        swapped, exchanged = [{"id": item.id, "price": other}], [{"id": item.id, "deleted": True}, {"price": other}]
        wanted: dict[str, Any] = {
            "swap": {"items": swapped},
            "exchange": {"items": exchanged},
            "swap_and_invoice": {"items": swapped, "proration_behavior": "always_invoice"},
            "swap_unprorated": {"items": swapped, "proration_behavior": "none"},
            "cancel_at": {"cancel_at": now + step.until_s},
            "cancel_at_period_end": {"cancel_at_period_end": True},
        }
        if step.act in wanted:
            self.shop.v1.subscriptions.update(self.subscription, wanted[step.act])
        else:
            self.shop.v1.subscriptions.cancel(self.subscription, {"invoice_now": step.act == "cancel_and_invoice"})

    def billed(self) -> Counter[int]:
        """How many units the invoices bill at how many cents, with what still waits for an invoice."""
        self.shop.sandbox.control("POST", "clock", to=END)
        invoices = self.shop.v1.invoices.list({"limit": 100})
        waiting = self.shop.v1.invoice_items.list({"limit": 100, "pending": True})
        lines = [line for invoice in invoices.auto_paging_iter() for line in invoice.lines.auto_paging_iter()]
        units: Counter[int] = Counter()
        for line in [*waiting.data, *lines]:
            cents = CENTS[self.prices.index(line.pricing.price_details.price)]
            assert line.amount in (0, line.quantity * cents)
            units[cents] += line.amount // cents
        return units


def told(story: Story, shop: Any) -> tuple[Counter[int], Counter[int]]:
    """What the invoices bill, and what they should."""
    oracle, teller, now = Oracle(story), Teller(shop, story), BEGIN
    teller.begin()
    for number, step in enumerate(story.steps):
        now += step.wait_s
        oracle.pass_until(now)
        oracle.take(step, now=now, number=number)
        teller.take(step, now=now)
    oracle.pass_until(END)
    return +teller.billed(), +oracle.billed()


@pytest.mark.usefixtures("own_sandbox")
@EXAMPLES
@given(story=stories())
def test_each_reading_is_billed_once_at_its_price_or_not_at_all(story: Story, renewed_sandbox: Any) -> None:
    renewed_sandbox.control("POST", "reset")
    shop = renewed_sandbox.shop()
    billed, due = told(story, shop)
    shop.http.close()
    assert billed == due
