"""Events in a ledger of the test's own, and a Stripe that remembers what it was asked."""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from service.ledger import Ledger, sealing
from service.ledger.events import Event, record_event
from service.meters import Meter
from service.mirrors import KINDS
from service.timing import FAST
from workers.apply import Applier

ACCOUNT = "default"
JANUARY, FEBRUARY, MARCH = 1_767_225_600, 1_769_904_000, 1_772_323_200  # the first days of these months of 2026


@dataclass
class Stripe:
    """Answers with the objects it was given; an exception among them is raised."""

    has: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def objects(self) -> "Stripe":
        return self

    def retrieve(self, kind: str, object_id: str) -> Any:
        assert kind in KINDS
        self.asked.append(object_id)
        if isinstance(self.has[object_id], Exception):
            raise self.has[object_id]
        return self.has[object_id]


@dataclass(kw_only=True)
class World:
    """The ledger, the step, and the means to tell events and to look."""

    ledger: Ledger
    applier: Applier
    stripe: Stripe

    def tell(self, type_: str, told: Any, *, at: int, event_id: str | None = None, **fields: Any) -> str:
        """Record an event about `told`, created at second `at`. Returns its id."""
        name = event_id or f"evt_{self.ask('SELECT count(*) FROM event')[0][0]}"
        body = {"id": name, "object": "event", "data": {"object": told}, **fields}
        event = Event(
            event_id=name,
            type=type_,
            api_version=None,
            is_live=False,
            created_at=datetime.fromtimestamp(at, UTC),
            object_id=told.get("id"),
            body=json.dumps(body).encode(),
        )
        with self.ledger.transaction() as tx:
            record_event(tx, ACCOUNT, event)
        return name

    def apply(self) -> int:
        return self.applier.apply_due(ACCOUNT)

    def make_due(self) -> None:
        """As if all waits were over."""
        self.ask("UPDATE event SET due_at = ledger_now() WHERE state = 'received'")

    def know_meter(self, event_name: str, *, stripe_id: str) -> None:
        meter = Meter(
            stripe_id=stripe_id,
            event_name=event_name,
            formula="sum",
            customer_key="stripe_customer_id",
            value_key="value",
            event_time_window=None,
            is_active=True,
        )
        with self.ledger.transaction() as tx:
            sealing.put_meters(tx, ACCOUNT, [meter])

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with self.ledger.transaction() as tx:
            cursor = tx.execute(question.encode())
            return cursor.fetchall() if cursor.description else []

    def states(self) -> dict[str, str]:
        return dict(self.ask("SELECT event_id, state FROM event"))  # type: ignore[arg-type]  # pairs, by the question

    def subscriptions(self) -> list[tuple[Any, ...]]:
        return self.ask("SELECT subscription, status, extract(epoch FROM as_of)::int FROM subscription ORDER BY 1")

    def edges(self) -> set[tuple[str, str, int]]:
        asked = self.ask("SELECT customer, meter, extract(epoch FROM edge_at)::bigint FROM period_edge")
        return {(customer, meter, int(edge)) for customer, meter, edge in asked}


@pytest.fixture
def world(warm_ledger: Ledger) -> World:
    stripe, chance = Stripe(), random.Random(7)
    return World(ledger=warm_ledger, applier=Applier(warm_ledger, stripe, timing=FAST, chance=chance), stripe=stripe)


def _subscription(
    status: str = "active", *, start: int = JANUARY, end: int = FEBRUARY, **fields: Any
) -> dict[str, Any]:
    price = {"id": "price_1", "recurring": {"usage_type": "metered", "meter": "mtr_1"}}
    item = {"id": "si_1", "price": price, "current_period_start": start, "current_period_end": end}
    told = {"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": status, "ended_at": None}
    return told | {"items": {"data": [item], "has_more": False}} | fields


def _invoice(status: str | None = "draft", **fields: Any) -> dict[str, Any]:
    told = {"id": "in_1", "object": "invoice", "customer": "cus_1", "status": status, "total": 20_000}
    told |= {"lines": {"data": [], "has_more": False}}
    return told | {"currency": "usd", "period_start": JANUARY, "period_end": FEBRUARY} | fields


@pytest.fixture(scope="session")
def subscription() -> Any:
    """A subscription as Stripe tells it: one metered item, its period in January."""
    return _subscription


@pytest.fixture(scope="session")
def invoice() -> Any:
    """An invoice as Stripe tells it."""
    return _invoice


def _meter(status: str = "active", **fields: Any) -> dict[str, Any]:
    told = {"id": "mtr_1", "object": "billing.meter", "event_name": "tokens", "status": status}
    told |= {"default_aggregation": {"formula": "sum"}, "value_settings": {"event_payload_key": "value"}}
    return told | {"customer_mapping": {"event_payload_key": "stripe_customer_id"}, "updated": JANUARY} | fields


def _price(**fields: Any) -> dict[str, Any]:
    told = {"id": "price_1", "object": "price", "currency": "usd", "active": True, "billing_scheme": "per_unit"}
    return told | {"unit_amount_decimal": "0.1", "recurring": {"usage_type": "metered", "meter": "mtr_1"}} | fields


@pytest.fixture(scope="session")
def meter() -> Any:
    """A meter as Stripe tells it."""
    return _meter


@pytest.fixture(scope="session")
def price() -> Any:
    """A metered price as Stripe tells it, per unit."""
    return _price
