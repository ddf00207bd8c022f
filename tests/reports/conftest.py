"""A shop whose meter events the sandbox takes and rejects later, and the steps that hear of it."""

import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import stripe

from local.sandbox import ask_sandbox
from meterpost.rows import UsageRow
from service import settings
from service.event_bodies import parse
from service.event_types import ERROR_REPORT, THIN_TYPES
from service.gateway import API_VERSION, Gateway
from service.invariants import check
from service.ledger import Ledger, accounts, intake, lanes, remedies
from service.ledger.actions import Order
from service.ledger.answers import Ordered
from service.ledger.events import record_event
from service.letters import read_letter_id
from service.limiter import Unlimited
from service.outcomes import Answer
from service.timing import FAST
from workers._reading_back import Reader
from workers._second_readings import SecondReader
from workers.apply import Applier
from workers.reconcile import Reconciler
from workers.seal import Sealer
from workers.submit import Submitter

TIMING = replace(FAST, seal_linger_s=0, call_deadline_s=2, backoff_base_s=0, confirm_after_s=0, poll_s=0.01)
METER, METER_EVENTS = "tokens", "/v1/billing/meter_events"
WINDOW_S = 11  # and the sandbox has reported what it rejected
NOT_FOUND = "meter_event_customer_not_found"
LANES_MAX = 40
FOUR_HOURS_AGO = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)


@dataclass(kw_only=True)
class Shop:
    """From rows to Stripe and back, a step at a time."""

    key: str
    account: str
    sandbox: Any
    ledger: Ledger
    gateway: Gateway
    stripe: stripe.StripeClient
    meter: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.sealer = Sealer(self.ledger, self.gateway, "default", timing=TIMING)
        self.submitter = self.make_submitter(self.gateway)
        self.applier = Applier(self.ledger, self.gateway, timing=TIMING, chance=random.Random(7))
        self.reconciler = Reconciler(self.ledger, self.gateway, "default", timing=TIMING)
        self.reader = Reader(self.ledger, self.gateway, "default", timing=TIMING)
        self.second_reader = SecondReader(self.ledger, self.gateway, "default", timing=TIMING)

    def make_submitter(self, gateway: Any) -> Submitter:
        more: dict[str, Any] = {"timing": TIMING, "threads": LANES_MAX, "stopping": threading.Event()}
        return Submitter(self.ledger, gateway, Unlimited(), **more)

    def seal(self, customers: int = 1, *, each: int = 1, since: datetime = FOUR_HOURS_AGO) -> None:
        """So many meter events of so many customers, from then on."""
        who = [str(self.stripe.v1.customers.create({"name": "Ada"}).id) for _ in range(customers)]
        rows = [
            _row(f"r{next(self.numbers)}", one, since + timedelta(minutes=5 * n)) for one in who for n in range(each)
        ]
        with self.ledger.transaction() as tx:
            intake.record(tx, rows, [], messages=1, timing=TIMING)
        self.sealer.seal_due()

    def call_once(self) -> None:
        """The only lane's first call, and nothing after it."""
        with self.ledger.transaction() as tx:
            (lease,) = lanes.lease_lanes(tx, "default", lanes_max=1, timing=TIMING)
        self.submitter.turn(lease)

    def retry(self, letter: str = "me-1") -> str:
        """A person asks for a dead letter to be sent anew. Returns what the desk answers."""
        with self.ledger.transaction() as tx:
            asked = Ordered(tx=tx, letter=read_letter_id(letter), order=Order(actor="ada", reason="because"))
            return remedies.retry(asked, timing=TIMING).text

    def identifiers(self) -> list[str]:
        return self.ask("SELECT identifier FROM generation ORDER BY meter_event_id, generation")

    def send(self) -> None:
        self.submitter.drain("default", 0)

    def sent(self, customers: int = 1, *, each: int = 1) -> None:
        self.seal(customers, each=each)
        self.send()

    def reject(self, times: int = 1, *, code: str = NOT_FOUND) -> None:
        """The next so many meter events are answered 200, and rejected."""
        self.fault("rejected_later", code=code, times=times)

    def fault(self, kind: str, **more: Any) -> None:
        self.sandbox.fault(**{"kind": kind, "path": METER_EVENTS, "account": self.account, **more})

    def switch(self, **switches: Any) -> None:
        ask_sandbox(self.sandbox.url, "/_sandbox/settings", {"account": self.account, **switches})

    def deliver(self) -> int:
        """What Stripe delivers of its reports: the thin envelopes, at least once. Returns of how many."""
        self.sandbox.clock(advance=WINDOW_S)  # leases of ours go on meanwhile
        found = self.stripe.v2.core.events.list({"types": list(THIN_TYPES)}).data
        for told in found:
            body = {name: value for name, value in told.to_dict(for_json=True).items() if name != "data"}
            self.tell(body)
        return len(found)

    def trigger(self, data: Any, *, meter: str | None = None, type_: str = ERROR_REPORT) -> str:
        """Stripe tells of these data, of our meter or of another. Returns the event's id."""
        of_meter = self.meter if meter is None else meter
        related = {"id": of_meter, "type": "billing.meter", "url": f"/v1/billing/meters/{of_meter}"} if of_meter else {}
        asked = {"account": self.account, "type": type_, "related_object": related, "data": data}
        told = ask_sandbox(self.sandbox.url, "/_sandbox/core_events", asked)
        self.tell({name: value for name, value in told.items() if name != "data"})
        return str(told["id"])

    def tell_of(self, *names: str, count: int = 1, **more: Any) -> None:
        """Stripe reports errors of the last seconds and names these, and the report is applied."""
        (now,) = self.ask("SELECT ledger_now()")
        samples = [{"error_message": "No", "request": {"identifier": name}} for name in names]
        types = [{"code": "archived_meter", "error_count": count, "sample_errors": samples}]
        window = {"validation_start": (now - timedelta(seconds=10)).isoformat(), "validation_end": now.isoformat()}
        self.trigger({"reason": {"error_count": count, "error_types": types}, **window}, **more)
        self.apply()

    def tell(self, body: Any) -> None:
        """An event as the door records it."""
        event = parse(json.dumps(body).encode())
        assert event is not None
        with self.ledger.transaction() as tx:
            record_event(tx, "default", event)

    def apply(self) -> None:
        self.write("UPDATE event SET due_at = ledger_now() WHERE state = 'received'")
        self.applier.apply_due("default")

    def report(self) -> None:
        self.deliver()
        self.apply()

    def read(self, passes: int = 4) -> None:
        """Stripe's books, of all that waits for them."""
        self.pass_time(seconds=2)
        for _ in range(passes):
            self.reconciler.confirm_due()
            self.reader.read_back_due()
            self.second_reader.read_again_due()

    def prove_absences(self) -> None:
        """A day and a canary later, and half an hour after that."""
        self.pass_time(hours=26)
        self.sent()
        for _ in range(3):
            self.pass_time(minutes=31)
            self.write("UPDATE meter_event SET read_back_at = NULL WHERE state = 'held'")
            self.read()

    def pass_time(self, **time: float) -> None:
        passed = timedelta(**time)
        self.write(f"UPDATE ledger_clock SET ahead_by = ahead_by + interval '{passed.total_seconds()} s'")
        self.sandbox.clock(advance=int(passed.total_seconds()))

    def states(self) -> dict[str, int]:
        return dict(self.ask("SELECT state, count(*) FROM meter_event GROUP BY state"))

    def breaches(self) -> list[Any]:
        with self.ledger.transaction() as tx:
            return check(tx, timing=TIMING)

    def ask(self, question: str) -> list[Any]:
        with self.ledger.transaction() as tx:
            return [row[0] if len(row) == 1 else row for row in tx.execute(question.encode()).fetchall()]

    def write(self, statement: str) -> None:
        with self.ledger.transaction() as tx:
            tx.execute(statement.encode())


class GatewayThatHearsLate(Gateway):
    """All calls are made; then `meanwhile` happens; and only then each is answered."""

    def __init__(self, *, calls: int, meanwhile: Callable[[], object]) -> None:
        super().__init__(settings.load())
        self._all_called = threading.Barrier(calls, action=meanwhile, timeout=30)

    def send_meter_event(self, event_name: str, **told: Any) -> Answer:
        answer = super().send_meter_event(event_name, **told)
        self._all_called.wait()
        return answer


def _row(row_id: str, customer: str, at: datetime) -> UsageRow:
    told: dict[str, Any] = {"account": "default", "source": "app", "row_id": row_id, "customer": customer}
    return UsageRow(**told, meter=METER, value=Decimal(7), occurred_at=at, is_time_told=True)


@pytest.fixture
def shop(database_url: str, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    key = sandbox_server.new_account()
    env = {"DATABASE_URL": database_url, "STRIPE_SECRET_KEY": key, "STRIPE_API_BASE": sandbox_server.url}
    for name, value in {**env, "METERPOST_TIMING": "fast"}.items():
        monkeypatch.setenv(name, value)
    ledger, gateway = Ledger(database_url, connections_max=10), Gateway(replace(settings.load(), timing=TIMING))
    account = gateway.account().stripe_account
    with ledger.transaction() as tx:
        accounts.pin_account(tx, "default", stripe_account=account, is_live=False)
    client = stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": sandbox_server.url})
    made = Shop(key=key, account=account, sandbox=sandbox_server, ledger=ledger, gateway=gateway, stripe=client)
    asked: Any = {"display_name": METER, "event_name": METER, "default_aggregation": {"formula": "sum"}}
    made.meter = str(client.v1.billing.meters.create(asked).id)
    yield made
    ledger.close()


@pytest.fixture
def hear_late(shop: Shop) -> Callable[[int, Callable[[], object]], None]:
    """Send what is due, so many calls, of which none is answered before `meanwhile` has happened."""

    def hear(calls: int, meanwhile: Callable[[], object]) -> None:
        shop.make_submitter(GatewayThatHearsLate(calls=calls, meanwhile=meanwhile)).drain("default", 0)

    return hear
