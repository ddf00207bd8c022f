"""Random histories of objects, shuffled, told twice, with gaps closed later: the mirror is as Stripe has it."""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.ledger import Ledger
from service.ledger.events import Event, record_event
from service.timing import FAST
from workers.apply import Applier

BEGINS = 1_767_225_600
numbers = count(1)
STEPS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 1)), min_size=1, max_size=8)
MIRRORED = "SELECT object_id, is_deleted, object ->> 'name' FROM mirror WHERE account = '{}' ORDER BY 1"
OPEN = "SELECT event_id, state, reason FROM event WHERE account = '{}' AND state <> 'applied'"


@dataclass(kw_only=True)
class Histories:
    """Customers of a Stripe that remembers; each history has an account of its own."""

    ledger: Ledger
    has: dict[str, Any] = field(default_factory=dict)
    account: str = ""

    @property
    def objects(self) -> "Histories":
        return self

    def retrieve(self, kind: str, object_id: str) -> Any:
        assert kind == "customer"
        return self.has[object_id]

    def happen(self, steps: list[tuple[str, int]], *, deleted: set[str]) -> list[Event]:
        """Each step changes an object, so many seconds after the one before; in the end some are deleted."""
        self.account, self.has, at, told = f"history-{next(numbers)}", {}, BEGINS, list[Event]()
        for number, (object_id, seconds) in enumerate(steps):
            at += seconds
            self.has[object_id] = {"id": object_id, "object": "customer", "name": f"step {number}"}
            told.append(_event(number, "customer.updated", self.has[object_id], at=at))
        for object_id in sorted(deleted & self.has.keys()):
            told.append(_event(len(told), "customer.deleted", self.has[object_id], at=at))
            self.has[object_id] = {"id": object_id, "object": "customer", "deleted": True}
        return told

    def tell(self, told: list[Event], *, at_once: int) -> None:
        """So many words a claim."""
        applier = Applier(self.ledger, self, timing=FAST, chance=random.Random(7))  # type: ignore[arg-type]
        for start in range(0, len(told), at_once):
            with self.ledger.transaction() as tx:
                for event in told[start : start + at_once]:
                    record_event(tx, self.account, event)
            applier.apply_due(self.account)

    def ask(self, question: str) -> list[Any]:
        with self.ledger.transaction() as tx:
            return tx.execute(question.format(self.account).encode()).fetchall()

    def expected(self) -> list[Any]:
        """Of a deleted one the name does not matter."""
        return [(object_id, "deleted" in told, told.get("name")) for object_id, told in sorted(self.has.items())]

    def mirrored(self) -> list[Any]:
        return [(object_id, gone, None if gone else name) for object_id, gone, name in self.ask(MIRRORED)]


def _event(number: int, type_: str, told: Any, *, at: int) -> Event:
    name = f"evt_{number}"
    return Event(
        event_id=name,
        type=type_,
        api_version=None,
        is_live=False,
        created_at=datetime.fromtimestamp(at, UTC),
        object_id=told["id"],
        body=json.dumps({"id": name, "object": "event", "data": {"object": told}}).encode(),
    )


@pytest.fixture
def histories(database_url):
    ledger = Ledger(database_url)
    yield Histories(ledger=ledger)
    ledger.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, deleted=st.sets(st.sampled_from(["a", "b"])), at_once=st.integers(1, 4), chance=st.randoms())
def test_any_history_in_any_order_told_twice_and_with_gaps_ends_as_stripe_has_it(
    histories, steps, deleted, at_once, chance
):
    told = histories.happen(steps, deleted=deleted)
    pushed = [event for event in told if chance.random() > 0.2] * 2
    chance.shuffle(pushed)

    histories.tell(pushed, at_once=at_once)
    histories.tell(told, at_once=at_once)  # as the catch-up finds them

    assert histories.mirrored() == histories.expected()
    assert histories.ask(OPEN) == []
