"""A shop at the sandbox whose events are told to many ledgers' accounts, each in an order of its own."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
import stripe

from service import settings
from service.event_bodies import parse
from service.event_types import SNAPSHOT_TYPES
from service.gateway import API_VERSION, Gateway
from service.ledger import Ledger
from service.ledger.events import Event, record_event
from service.timing import FAST
from workers.apply import Applier

OBJECTS = "SELECT DISTINCT object FROM mirror WHERE kind = '{}' AND object_id = '{}'"
OPEN = "SELECT event_id, state, reason FROM event WHERE state <> 'applied'"
numbers = count(1)


@dataclass(kw_only=True)
class Shop:
    """All that happens in it happens within one second."""

    v1: Any
    ledger: Ledger
    gateway: Gateway
    applier: Applier

    def told(self, object_id: str) -> list[Event]:
        """What Stripe tells of an object, in the order in which it happened."""
        listed = self.v1.events.list({"limit": 100}).auto_paging_iter()
        bodies = [json.dumps(event.to_dict(for_json=True)).encode() for event in listed]
        read = [event for body in bodies if (event := parse(body)) is not None]
        return [event for event in read[::-1] if event.object_id == object_id and event.type in SNAPSHOT_TYPES]

    def tell(self, orders: Iterable[Sequence[Event]]) -> int:
        """Each order to an account of its own, one word after the other. Returns how many orders there were."""
        number = 0
        for number, order in enumerate(orders, start=1):
            for event in order:
                with self.ledger.transaction() as tx:
                    record_event(tx, f"order-{number}", event)
                self.applier.apply_due(f"order-{number}")
        return number

    def mirrored(self, kind: str, object_id: str) -> list[Any]:
        """The different ends that the orders came to."""
        return [row[0] for row in self.ask(OBJECTS.format(kind, object_id))]

    def at_stripe(self, kind: str, object_id: str) -> Any:
        return self.gateway.objects.retrieve(kind, object_id)

    def unapplied(self) -> list[Any]:
        return self.ask(OPEN)

    def ask(self, question: str) -> list[Any]:
        with self.ledger.transaction() as tx:
            return tx.execute(question.encode()).fetchall()

    def make_subscription(self, **wanted: Any) -> str:
        meter = self.make_meter()
        price = self.v1.prices.create(
            {
                "currency": "usd",
                "unit_amount": 1,
                "recurring": {"interval": "month", "usage_type": "metered", "meter": meter},
                "product_data": {"name": "Tokens"},
            }
        )
        told = {"customer": self.make_customer(), "items": [{"price": price.id}], **wanted}
        return str(self.v1.subscriptions.create(told).id)

    def make_customer(self) -> str:
        return str(self.v1.customers.create({"name": "Ada"}).id)

    def make_meter(self) -> str:
        told = {"display_name": "Tokens", "event_name": f"tokens{next(numbers)}"}
        return str(self.v1.billing.meters.create(told | {"default_aggregation": {"formula": "sum"}}).id)

    def make_invoice(self, *, lines: int) -> str:
        customer = self.make_customer()
        for number in range(lines):
            self.v1.invoice_items.create({"customer": customer, "amount": 100 + number, "currency": "usd"})
        wanted = {"customer": customer, "pending_invoice_items_behavior": "include", "auto_advance": False}
        return str(self.v1.invoices.create(wanted).id)


@pytest.fixture
def shop(database_url: str, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    key = sandbox_server.new_account()
    for name, value in {"STRIPE_SECRET_KEY": key, "STRIPE_API_BASE": sandbox_server.url}.items():
        monkeypatch.setenv(name, value)
    sandbox_server.clock(frozen=True)
    ledger, gateway = Ledger(database_url), Gateway(replace(settings.load(), timing=FAST))
    yield Shop(
        v1=stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": sandbox_server.url}).v1,
        ledger=ledger,
        gateway=gateway,
        applier=Applier(ledger, gateway, timing=FAST, chance=random.Random(7)),
    )
    ledger.close()
