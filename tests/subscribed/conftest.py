"""The whole way of a subscription row: a file or a call, the ledger, the step, the sandbox, its events and invoices."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path as File
from typing import Any

import pytest

from cli.main import run
from local.sandbox import ask_sandbox
from service.event_bodies import parse
from service.invariants import check
from service.ledger.events import record_event
from service.limiter import Unlimited
from service.timing import Timing
from tests.path.conftest import TIMING as OF_THE_PATH
from tests.path.conftest import Path, path  # noqa: F401 — a fixture
from workers.apply import Applier
from workers.subscribe import Subscriber

TIMING = replace(OF_THE_PATH, lane_backoff_max_s=0, unreachable_s=0)
DAY_S = 86_400


@dataclass(kw_only=True)
class Sales:
    """A price of a cent on the meter `tokens`, and what becomes of rows that ask for it."""

    path: Path
    subscriber: Subscriber
    applier: Applier
    files: File
    capsys: pytest.CaptureFixture[str]
    price: str = ""

    @property
    def v1(self) -> Any:
        return self.path.stripe.v1

    def customer(self, **more: Any) -> str:
        return str(self.v1.customers.create({"name": "Ada"} | more).id)

    def card(self, token: str = "tok_visa") -> str:
        """A card of nobody yet."""
        return str(self.v1.payment_methods.create({"type": "card", "card": {"token": token}}).id)

    def rate(self, percentage: str, **more: Any) -> str:
        told = {"display_name": "VAT", "percentage": percentage, "inclusive": False}
        return str(self.v1.tax_rates.create(told | more).id)

    def price_of(self, event_name: str, *, interval: str = "month", **more: Any) -> str:
        """A price on that meter, which is made where it is not there."""
        known = {meter.event_name: meter for meter in self.v1.billing.meters.list({"limit": 100}).data}
        meter = known.get(event_name) or self.path.make_meter(event_name)
        told = {"currency": "usd", "unit_amount": 1, "product_data": {"name": event_name.title()}}
        recurring = {"interval": interval, "usage_type": "metered", "meter": meter.id}
        return str(self.v1.prices.create(told | {"recurring": recurring} | more).id)

    def tell(self, **said: Any) -> str:
        """One row by a call, recorded; returns its customer."""
        told = {"customer": None, "price": self.price, "row_id": "s1"} | said
        told["customer"] = told["customer"] or self.customer()
        self.path.client.subscription(told.pop("customer"), told.pop("price"), **told)
        self.path.record()
        return str(self.path.ask("SELECT customer FROM signup JOIN signup_lane USING (signup_lane_id)")[-1])

    def make(self, **said: Any) -> Any:
        """One row, made; returns the subscription as Stripe has it."""
        self.tell(**said)
        self.work()
        (made,) = self.path.ask(f"SELECT subscription FROM signup WHERE row_id = '{said.get('row_id', 's1')}'")
        return self.v1.subscriptions.retrieve(made)

    def work(self) -> None:
        self.subscriber.drain("default", 0)

    def patient_subscriber(self) -> Subscriber:
        """Backs off for minutes."""
        timing = replace(TIMING, backoff_base_s=900, backoff_max_s=900)
        return a_subscriber(self.path, timing=timing, chance=random.Random(1))

    def import_file(self, text: str, *options: str, name: str = "spring.csv") -> Any:
        """As a person does it; the command's answer, and `code`, how it ended. What it published is recorded."""
        told = self.files / name
        told.write_text(text)
        self.capsys.readouterr()
        code = run(["subscriptions", "import", str(told), "--no-wait", "--json", *options])
        answer = json.loads(self.capsys.readouterr().out)
        while self.path.record():
            continue
        return answer | {"code": code}

    def hear(self) -> None:
        """All that Stripe has to tell, recorded as the door does it, and applied."""
        events = [event.to_dict(for_json=True) for event in self.v1.events.list({"limit": 100}).auto_paging_iter()]
        with self.path.ledger.transaction() as tx:
            for told in reversed(events):
                event = parse(json.dumps(told).encode())
                assert event is not None
                record_event(tx, "default", event)
        while self.applier.apply_due("default"):
            continue
        assert self.path.ask("SELECT DISTINCT state FROM event WHERE state NOT IN ('applied', 'ignored')") == []

    def states(self) -> dict[str, str]:
        return dict(self.path.ask("SELECT row_id, state FROM signup"))

    def reason(self, row_id: str = "s1") -> str:
        return str(self.path.ask(f"SELECT reason FROM signup WHERE row_id = '{row_id}'")[0])

    def calls(self) -> list[Any]:
        """Every call of this account that reached the sandbox, and what it sent."""
        asked = f"/_sandbox/audit/calls?account={self.path.stripe_account}&limit=1000"
        return list(ask_sandbox(self.path.sandbox.url, asked)["data"])

    def settings(self, **wanted: Any) -> None:
        """The sandbox's switches, of this account."""
        ask_sandbox(self.path.sandbox.url, "/_sandbox/settings", {"account": self.path.stripe_account} | wanted)

    def writes(self) -> list[str]:
        """What the step has asked Stripe to change: a test's own calls have no name."""
        return [call["path"] for call in self.calls() if call["client_request_id"] and call["method"] != "GET"]

    def invoices(self, subscription: str) -> list[Any]:
        """The oldest first."""
        return list(self.v1.invoices.list({"subscription": subscription}).data[::-1])

    def now(self) -> datetime:
        """By the ledger's clock."""
        (now,) = self.path.ask("SELECT ledger_now()")
        return now.astimezone(UTC).replace(microsecond=0)  # type: ignore[no-any-return]

    def use(self, customer: str, value: int, *, row_id: str) -> None:
        """Usage of this instant, by the client; sealed and counted at Stripe."""
        told = {"occurred_at": self.now(), "row_id": row_id}
        self.path.client.usage(customer, "tokens", value, **told)
        self.path.record()
        self.path.write("UPDATE unsealed SET seal_at = ledger_now()")
        self.path.seal()
        self.path.send()


def a_subscriber(of: Path, *, timing: Timing, chance: random.Random) -> Subscriber:
    """One thread, so that what one row learns serves those behind it."""
    made = Subscriber(of.ledger, of.gateway, Unlimited(), timing=timing, threads=1, stopping=threading.Event())
    made._chance = chance
    return made


@pytest.fixture
def sales(path: Path, tmp_path: File, capsys: pytest.CaptureFixture[str]) -> Iterator[Sales]:  # noqa: F811 — the fixture
    subscriber = a_subscriber(path, timing=TIMING, chance=random.Random())
    applier = Applier(path.ledger, path.gateway, timing=TIMING, chance=random.Random(7))
    opened = Sales(path=path, subscriber=subscriber, applier=applier, files=tmp_path, capsys=capsys)
    opened.price = opened.price_of("tokens")
    yield opened
    with path.ledger.transaction() as tx:
        assert check(tx, timing=TIMING) == [], "whatever a test did, the books hold in the end"


@pytest.fixture
def in_days(sales: Sales) -> Callable[..., datetime]:
    """An instant that many days from now, as Stripe keeps it."""
    begun = sales.now().timestamp()
    return lambda days: datetime.fromtimestamp(begun + days * DAY_S, UTC)
