"""What happens at Stripe during a run: all that is mirrored is made, changed and ended, much of it in one second.

The sandbox's clock stands still between two steps, so that words of one second are the rule and not the exception; it
and the ledger's are moved on together, so that periods end and invoices come by themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Any

import stripe

from chaos.ledger import ask_ledger
from local.sandbox import ask_sandbox

DAYS_MAX = 25  # Stripe lists events of thirty days
DAY_S, HOUR_S = 86_400, 3_600
EVENTS_A_SUBSCRIPTION = 150
LINES = (1, 12)  # an invoice of Stripe's tells ten
ADVANCE = "UPDATE ledger_clock SET ahead_by = ahead_by + make_interval(secs => %s) RETURNING 1"


@dataclass(kw_only=True)
class Shop:
    v1: Any
    chance: Random
    sandbox_url: str
    database_url: str
    customers: list[str] = field(default_factory=list)
    meters: list[str] = field(default_factory=list)
    prices: list[str] = field(default_factory=list)
    subscriptions: list[str] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)
    invoices: list[str] = field(default_factory=list)  # that were finalized by hand
    hours_passed: int = 0
    made: int = 0

    def open(self, *, events: int) -> None:
        """A meter, its price, and subscriptions that end a period every day."""
        ask_sandbox(self.sandbox_url, "/_sandbox/clock", {"frozen": True})
        self._make_meter()
        self._make_price(is_tiered=True)
        for _ in range(max(6, events // EVENTS_A_SUBSCRIPTION)):
            self._make_customer()
            self._subscribe()

    def happen(self) -> None:
        """Something happens; what Stripe does not allow does not happen."""
        name = self.chance.choices(list(WHAT), weights=[weight for weight, _ in WHAT.values()])[0]
        try:
            WHAT[name][1](self)
        except stripe.InvalidRequestError:
            return

    def pass_time(self, seconds: int) -> None:
        """The ledger's clock first: it is never behind Stripe's."""
        ask_ledger(self.database_url, ADVANCE, seconds)
        ask_sandbox(self.sandbox_url, "/_sandbox/clock", {"advance": seconds})

    def pass_seconds(self) -> None:
        self.pass_time(self.chance.randint(1, 3))

    def pass_hours(self) -> None:
        if self.hours_passed < DAYS_MAX * 24:
            hours = self.chance.randint(1, 8)
            self.hours_passed += hours
            self.pass_time(hours * HOUR_S)

    def make_customer(self) -> None:
        self._make_customer()

    def change_customer(self) -> None:
        self.v1.customers.update(self.chance.choice(self.customers), {"metadata": self._step()})

    def delete_customer(self) -> None:
        """His subscriptions end with him."""
        if len(self.customers) > 3:
            self.v1.customers.delete(self.customers.pop(self.chance.randrange(len(self.customers))))

    def subscribe(self) -> None:
        self._subscribe(**self.chance.choice(({}, {"trial_period_days": self.chance.randint(1, 9)})))

    def change_subscription(self) -> None:
        self.v1.subscriptions.update(self.chance.choice(self.subscriptions), {"metadata": self._step()})

    def announce_cancellation(self) -> None:
        told = {"cancel_at_period_end": self.chance.random() < 0.5}
        self.v1.subscriptions.update(self.chance.choice(self.subscriptions), told)

    def cancel_subscription(self) -> None:
        if len(self.subscriptions) > 3:
            self.v1.subscriptions.cancel(self.subscriptions.pop(self.chance.randrange(len(self.subscriptions))))

    def make_price(self) -> None:
        self._make_price(is_tiered=self.chance.random() < 0.5)

    def change_price(self) -> None:
        self.v1.prices.update(self.chance.choice(self.prices), {"metadata": self._step()})

    def make_meter(self) -> None:
        self._make_meter()

    def turn_meter(self) -> None:
        """Off, or on again; the first one stays, for prices to be made of."""
        meter = self.chance.choice(self.meters[1:] or self.meters)
        if meter != self.meters[0]:
            turn = self.chance.choice((self.v1.billing.meters.deactivate, self.v1.billing.meters.reactivate))
            turn(meter)

    def change_meter(self) -> None:
        self.v1.billing.meters.update(self.chance.choice(self.meters), {"display_name": f"Meter {self._number()}"})

    def make_invoice(self) -> None:
        customer = self.chance.choice(self.customers)
        for _ in range(self.chance.choice(LINES)):
            told = {"customer": customer, "amount": self.chance.randint(1, 99_999), "currency": "usd"}
            self.v1.invoice_items.create(told)
        wanted = {"customer": customer, "pending_invoice_items_behavior": "include", "auto_advance": False}
        self.drafts.append(self.v1.invoices.create(wanted).id)

    def change_draft(self) -> None:
        if self.drafts:
            self.v1.invoices.update(self.chance.choice(self.drafts), {"metadata": self._step()})

    def finalize_draft(self) -> None:
        if self.drafts:
            self.invoices.append(self.drafts.pop())
            self.v1.invoices.finalize_invoice(self.invoices[-1])

    def delete_draft(self) -> None:
        if self.drafts:
            self.v1.invoices.delete(self.drafts.pop())

    def end_invoice(self) -> None:
        if self.invoices:
            act = self.chance.choice((self.v1.invoices.pay, self.v1.invoices.void_invoice))
            act(self.invoices.pop())

    def _make_customer(self) -> None:
        self.customers.append(self.v1.customers.create({"name": f"Customer {self._number()}"}).id)

    def _subscribe(self, **more: Any) -> None:
        told = {"customer": self.customers[-1], "items": [{"price": self.prices[0]}], **more}
        self.subscriptions.append(self.v1.subscriptions.create(told).id)

    def _make_meter(self) -> None:
        number = self._number()
        told = {"display_name": f"Meter {number}", "event_name": f"meter{number}"}
        self.meters.append(self.v1.billing.meters.create(told | {"default_aggregation": {"formula": "sum"}}).id)

    def _make_price(self, *, is_tiered: bool) -> None:
        recurring = {"interval": "day", "usage_type": "metered", "meter": self.meters[0]}
        told = {"currency": "usd", "recurring": recurring, "product_data": {"name": f"Product {self._number()}"}}
        tiers = [{"up_to": 10, "unit_amount_decimal": "0.000001"}, {"up_to": "inf", "unit_amount_decimal": "2.5"}]
        tiered = {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers}
        self.prices.append(self.v1.prices.create(told | (tiered if is_tiered else {"unit_amount": 3})).id)

    def _step(self) -> dict[str, str]:
        return {"step": str(self._number())}

    def _number(self) -> int:
        self.made += 1
        return self.made


WHAT: Mapping[str, tuple[int, Callable[[Shop], None]]] = MappingProxyType(
    {
        "seconds pass": (25, Shop.pass_seconds),
        "hours pass": (6, Shop.pass_hours),
        "a customer comes": (4, Shop.make_customer),
        "a customer changes": (12, Shop.change_customer),
        "a customer is deleted": (1, Shop.delete_customer),
        "a subscription begins": (3, Shop.subscribe),
        "a subscription changes": (14, Shop.change_subscription),
        "a cancellation is announced": (3, Shop.announce_cancellation),
        "a subscription is cancelled": (1, Shop.cancel_subscription),
        "a price is made": (1, Shop.make_price),
        "a price changes": (4, Shop.change_price),
        "a meter is made": (1, Shop.make_meter),
        "a meter is turned off or on": (3, Shop.turn_meter),
        "a meter changes": (3, Shop.change_meter),
        "an invoice is made": (3, Shop.make_invoice),
        "a draft changes": (5, Shop.change_draft),
        "a draft is finalized": (2, Shop.finalize_draft),
        "a draft is deleted": (1, Shop.delete_draft),
        "an invoice is paid or voided": (2, Shop.end_invoice),
    }
)
"""What can happen, and how often."""
