"""All of meterpost as it runs in earnest: the Procfile's processes on real servers, seen from outside only."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
import pytest
import redis
import stripe

from local.guarded import Server
from local.place import free_port
from local.sandbox import ask_sandbox
from local.stack import SANDBOX_ACCOUNT, Stack
from local.supervisor import Supervisor
from meterpost import Meterpost, NotPublished

PATIENCE_S = 45.0  # a killed process, its lease, a restored message, a read-back: all at their slowest
POLL_S = 0.05
BOOKS_POLL_S = 0.25  # each look at the books is a connection of its own, and takes time from those who are looked at
CUSTOMERS = 4
HOURS = 8
BATCHES = 30
BATCH_ROWS = 100
REPEATS_MAX = 10  # of a batch that the queue did not confirm, five seconds each
API_VERSION = "2026-10-28.endive"
numbers = count(1)

UNFINISHED = """
SELECT (SELECT count(*) FROM row_key WHERE source = %(source)s) < %(rows)s
    OR EXISTS (SELECT FROM entry JOIN lane USING (lane_id) WHERE meter = %(meter)s AND meter_event_id IS NULL)
    OR EXISTS (SELECT FROM meter_event JOIN lane USING (lane_id) WHERE meter = %(meter)s AND state <> 'confirmed')
"""
OPEN_ATTEMPTS = "SELECT count(*) FROM attempt JOIN lane USING (lane_id) WHERE meter = %(meter)s AND ended_at IS NULL"
ENTRIES = "SELECT count(*) FROM entry JOIN lane USING (lane_id) WHERE meter = %(meter)s"


def _eventually(claim: Callable[[], object], *, patience_s: float = PATIENCE_S, poll_s: float = POLL_S) -> bool:
    deadline = time.monotonic() + patience_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(poll_s)
    return True


@pytest.fixture(scope="session")
def eventually() -> Callable[..., bool]:
    """Whether a claim becomes true within our patience."""
    return _eventually


@dataclass(kw_only=True)
class Load:
    """Rows of one meter, four customers and eight closed hours; `sent` is the producer's own count."""

    meter: str
    customers: list[str]
    broker_url: str
    sent: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    _rest: threading.Thread | None = None

    @property
    def source(self) -> str:
        return f"load-{self.meter}"

    def publish(self, batches: range) -> None:
        with Meterpost(self.broker_url) as client:
            for batch in batches:
                self._publish_until_told(client, [self._row(batch * BATCH_ROWS + n) for n in range(BATCH_ROWS)])

    def publish_rest(self) -> None:
        """The second half, beside what the test does next; `end` waits for it."""
        self._rest = threading.Thread(target=self.publish, args=(range(BATCHES // 2, BATCHES),))
        self._rest.start()

    def end(self) -> None:
        assert self._rest is not None, "publish_rest comes first"
        self._rest.join()
        assert self.rows == BATCHES * BATCH_ROWS, "every row was acknowledged to its producer"

    def _row(self, number: int) -> dict[str, Any]:
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        at = now - timedelta(hours=1 + number // CUSTOMERS % HOURS) + timedelta(seconds=number * 77 % 3600)
        customer = self.customers[number % CUSTOMERS]
        return {
            "customer": customer,
            "meter": self.meter,
            "value": 1 + number % 7,
            "occurred_at": at,
            "row_id": f"row-{number}",
            "source": self.source,
        }

    def _publish_until_told(self, client: Meterpost, rows: list[dict[str, Any]]) -> None:
        """As a producer must: the same ids again while the queue does not confirm."""
        for _ in range(REPEATS_MAX):
            try:
                self.rows += client.publish_many(rows)
            except NotPublished:
                continue
            for row in rows:
                self.sent[row["customer"]] = self.sent.get(row["customer"], 0) + row["value"]
            return


@dataclass(kw_only=True)
class Works:
    """Everything that runs, with the means to load it, hurt it and look at its books."""

    stack: Stack
    supervisor: Supervisor
    stripe: stripe.StripeClient

    def begin(self) -> Load:
        """Half of a load is published, and Stripe is being told of it."""
        meter = f"load_{next(numbers)}"
        self.make_meter(meter)
        customers = [str(self.stripe.v1.customers.create({"name": "Ada"}).id) for _ in range(CUSTOMERS)]
        load = Load(meter=meter, customers=customers, broker_url=self.stack.env["BROKER_URL"])
        load.publish(range(BATCHES // 2))
        assert _eventually(lambda: self.billed(load), poll_s=BOOKS_POLL_S), "the first meter events reach Stripe"
        load.publish_rest()
        return load

    def make_meter(self, event_name: str) -> Any:
        asked = {"display_name": event_name, "event_name": event_name, "default_aggregation": {"formula": "sum"}}
        return self.stripe.v1.billing.meters.create(asked)

    def subscribe(self, event_name: str) -> Any:
        """A subscription of a new customer to a price of a new meter."""
        meter = self.make_meter(event_name)
        price = self.stripe.v1.prices.create(
            {
                "currency": "usd",
                "unit_amount": 1,
                "recurring": {"interval": "month", "usage_type": "metered", "meter": meter.id},
                "product_data": {"name": event_name},
            }
        )
        customer = self.stripe.v1.customers.create({"name": "Ada"})
        return self.stripe.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})

    def use(self, customer: str, meter: str, *, at: datetime) -> None:
        with Meterpost(self.stack.env["BROKER_URL"]) as client:
            client.usage(customer, meter, 1, occurred_at=at)

    def kill(self, name: str) -> None:
        """kill -9; a server that was killed is started again, a process starts again by itself."""
        server: Server | None = self.stack.servers.get(name)
        if server is None:
            self._kill_process(name)
        else:
            server.kill()
            server.start()

    def _kill_process(self, name: str) -> None:
        assert _eventually(lambda: self.supervisor.pid(name)), f"{name} runs before it is killed"
        killed = self.supervisor.pid(name)
        self.supervisor.kill(name)
        assert _eventually(lambda: self.supervisor.pid(name) not in {killed, None}), f"{name} is started again"

    def settles(self, load: Load) -> bool:
        """Whether all of it is recorded, sealed, sent and confirmed within our patience."""
        asked = {"source": load.source, "rows": load.rows, "meter": load.meter}
        return _eventually(lambda: not self.ask(UNFINISHED, **asked), poll_s=BOOKS_POLL_S)

    def books(self, load: Load) -> dict[str, int]:
        """What our ledger says once it is settled."""
        return {
            "entries": self.ask(ENTRIES, meter=load.meter),
            "open attempts": self.ask(OPEN_ATTEMPTS, meter=load.meter),
        }

    def billed(self, load: Load) -> dict[str, int]:
        """What the sandbox's auditor counted, by customer."""
        totals = self.audit()["totals"]
        return {t["customer"]: int(t["value"]) for t in totals if t["event_name"] == load.meter}

    def audit(self) -> Any:
        return ask_sandbox(self.stack.env["STRIPE_API_BASE"], f"/_sandbox/audit?account={SANDBOX_ACCOUNT}")

    def ask(self, question: str, **parameters: object) -> Any:
        """The first value that the ledger answers; None where it has none."""
        with psycopg.connect(self.stack.env["DATABASE_URL"]) as ledger:
            row = ledger.execute(question.encode(), parameters).fetchone()
        return row and row[0]

    def forget_wakeups(self) -> None:
        with redis.Redis.from_url(self.stack.env["REDIS_URL"]) as connection:
            connection.flushdb()


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    """One running meterpost a module, with live limits; each test brings a meter and customers of its own."""
    env = {
        "PATH": os.defpath,
        "HOME": str(tmp_path_factory.mktemp("home")),
        "METERPOST_TIMING": "fast",
        "METERPOST_LOG_FORMAT": "json",
        "METERPOST_METER_EVENTS_PER_S": "1000",
        "PORT": str(free_port()),
    }
    with Stack(with_sandbox=True, env=env) as stack:
        # Of a test mode's repeats the second comes after 100 s: nobody here would wait for it.
        live = {"limits": "live", "webhook_schedule": "live"}
        ask_sandbox(stack.env["STRIPE_API_BASE"], "/_sandbox/settings", live)
        client = stripe.StripeClient(
            stack.env["STRIPE_SECRET_KEY"],
            stripe_version=API_VERSION,
            base_addresses={"api": stack.env["STRIPE_API_BASE"]},
        )
        stack.env["STRIPE_WEBHOOK_SECRETS"] = _webhook_secret(client, port=env["PORT"])
        stack.migrate()
        supervisor = stack.start(log_dir=tmp_path_factory.mktemp("logs"))
        assert _eventually(lambda: _is_open(int(env["PORT"]))), "the door opens before Stripe is to knock at it"
        yield Works(stack=stack, supervisor=supervisor, stripe=client)


def _is_open(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=POLL_S):
            return True
    except OSError:
        return False


def _webhook_secret(client: stripe.StripeClient, *, port: str) -> str:
    url = f"http://127.0.0.1:{port}/stripe/webhook"
    endpoint = client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"], "api_version": API_VERSION})
    return str(endpoint.secret)
