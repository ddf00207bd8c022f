"""The steps in one process, against a real PostgreSQL, a real Valkey and the sandbox, to be walked one at a time."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import stripe

from local.sandbox import ask_sandbox
from meterpost import Meterpost
from meterpost.broker import QUEUE_NAME
from meterpost.publisher import Publisher
from service import settings, wakeups
from service.gateway import API_VERSION, Gateway
from service.ledger import Ledger, accounts, lanes
from service.ledger.lanes import Lease
from service.limiter import Limiter, Unlimited
from service.outcomes import Answer
from service.queues import RowQueue
from service.settings import Settings
from service.timing import FAST
from workers._reading_back import Reader
from workers.reconcile import Reconciler
from workers.record import Recorder
from workers.seal import Sealer
from workers.submit import Submitter

TIMING = replace(FAST, seal_linger_s=0, call_deadline_s=2, backoff_base_s=0, confirm_after_s=0, poll_s=0.01)
PATIENCE_S = 30
METER_EVENTS = "/v1/billing/meter_events"


@dataclass(kw_only=True)
class Path:
    """Everything between a producer and the sandbox, with the means to look at it."""

    settings: Settings
    ledger: Ledger
    gateway: Gateway
    client: Meterpost
    queue: RowQueue
    recorder: Recorder
    sealer: Sealer
    submitter: Submitter
    reconciler: Reconciler
    reader: Reader
    stripe: stripe.StripeClient
    sandbox: Any
    wakeups_redis: Any

    def walk(self) -> None:
        """Every step, until nothing is left to record, seal, send or confirm within our patience."""
        until, soon = time.monotonic() + PATIENCE_S, f"ledger_now() + interval '{PATIENCE_S} s'"
        while time.monotonic() < until:
            found = self.record() + self.seal() + self.send()
            found += self.reconciler.confirm_due() + self.reader.read_back_due()
            if found == 0 and not self.ask(f"SELECT 1 FROM lane WHERE due_at <= {soon} LIMIT 1"):
                return

    def sealed(self, *values: int | str, meter: str = "tokens", customer: str | None = None) -> str:
        """A customer's rows, one bucket each, as meter events that are due; returns the customer."""
        customer = customer or self.make_customer()
        if all(known.event_name != meter for known in self.gateway.list_meters()):
            self.make_meter(meter)
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
        with self.client.batch() as batch:
            for number, value in enumerate(values):
                batch.usage(customer, meter, value, occurred_at=hour + timedelta(minutes=5 * number))
        self.record()
        self.seal()
        return customer

    def record(self) -> int:
        return self.recorder.record_some()

    def seal(self) -> int:
        return self.sealer.seal_due()

    def send(self) -> int:
        before = len(self.ask("SELECT 1 FROM attempt"))
        self.submitter.drain("default", 0)
        return len(self.ask("SELECT 1 FROM attempt")) - before

    def ask(self, question: str) -> list[Any]:
        """Ask the ledger in SQL."""
        with self.ledger.transaction() as tx:
            return [row[0] if len(row) == 1 else row for row in tx.execute(question.encode()).fetchall()]

    def write(self, statement: str) -> None:
        """Change the ledger in SQL, as nothing but a test may."""
        with self.ledger.transaction() as tx:
            tx.execute(statement.encode())

    def pass_time(self, **time: float) -> None:
        """Move the clocks of the ledger and of the sandbox on, as `timedelta` says it."""
        passed = timedelta(**time)
        self.write(f"UPDATE ledger_clock SET ahead_by = ahead_by + interval '{passed.total_seconds()} s'")
        self.sandbox.clock(advance=int(passed.total_seconds()))

    def put(self, *bodies: bytes) -> None:
        """Put bodies on the row queue as they are."""
        publisher = Publisher(self.settings.broker_url)
        assert publisher.publish(bodies) is None
        publisher.close()

    def fault(self, kind: str, **more: Any) -> None:
        """A fault of this account's meter events, or of another path."""
        self.sandbox.fault(**{"kind": kind, "path": METER_EVENTS, "account": self.stripe_account, **more})

    def audit(self) -> Any:
        return self.sandbox.audit(self.settings.stripe_secret_key)

    def calls(self, path: str = METER_EVENTS) -> list[Any]:
        """The calls of this account as the sandbox saw them."""
        found = ask_sandbox(
            self.sandbox.url, f"/_sandbox/audit/calls?account={self.stripe_account}&path={path}&limit=1000"
        )
        return list(found["data"])

    def keep_live_limits(self) -> None:
        """The sandbox refuses what Stripe would in live mode, and our calls are paced accordingly."""
        ask_sandbox(self.sandbox.url, "/_sandbox/settings", {"account": self.stripe_account, "limits": "live"})
        gateway = Gateway(self.settings, limiter=Limiter(self.wakeups_redis, "default", rates={"calls": 25}))
        self.sealer = Sealer(self.ledger, gateway, "default", timing=TIMING)
        self.reconciler = Reconciler(self.ledger, gateway, "default", timing=TIMING)

    def another_submitter(self, **more: Any) -> Submitter:
        """As another process would run it."""
        wanted = {"ledger": self.ledger, "gateway": self.gateway, "limiter": Unlimited(), "timing": TIMING}
        wanted |= {"threads": 8, "stopping": threading.Event()} | more
        return Submitter(wanted.pop("ledger"), wanted.pop("gateway"), wanted.pop("limiter"), **wanted)

    def lease(self) -> Lease:
        """The only lane, as a submitter of its own takes it."""
        with self.ledger.transaction() as tx:
            (lease,) = lanes.lease_lanes(tx, "default", lanes_max=1, timing=TIMING)
        return lease

    def states(self) -> dict[str, int]:
        return dict(self.ask("SELECT state, count(*) FROM meter_event GROUP BY state"))

    def counted(self) -> dict[tuple[str, str], str]:
        """What the sandbox's auditor counted of this account, by customer and meter."""
        return {(total["customer"], total["event_name"]): total["value"] for total in self.audit()["totals"]}

    @property
    def stripe_account(self) -> str:
        return str(self.ask("SELECT stripe_account FROM account")[0])

    def make_meter(self, event_name: str, *, formula: str = "sum", **more: Any) -> Any:
        asked = {"display_name": event_name, "event_name": event_name, "default_aggregation": {"formula": formula}}
        return self.stripe.v1.billing.meters.create({**asked, **more})

    def make_customer(self) -> str:
        return str(self.stripe.v1.customers.create({"name": "Ada"}).id)

    def subscribe(self, customer: str, meter: Any, **more: Any) -> Any:
        price = {"currency": "usd", "unit_amount": 1, "product_data": {"name": "Tokens"}}
        recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
        made = self.stripe.v1.prices.create({**price, "recurring": recurring})
        return self.stripe.v1.subscriptions.create({"customer": customer, "items": [{"price": made.id}], **more})


@pytest.fixture
def path(
    database_url: str, warm_ledger: Ledger, valkey_url: str, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    key = sandbox_server.new_account()
    for name, value in {
        "DATABASE_URL": database_url,
        "BROKER_URL": valkey_url,
        "REDIS_URL": valkey_url,
        "STRIPE_SECRET_KEY": key,
        "STRIPE_API_BASE": sandbox_server.url,
        "METERPOST_TIMING": "fast",
        "METERPOST_METER_EVENTS_PER_S": "1000",
        "METERPOST_CALLS_PER_S": "1000",
    }.items():
        monkeypatch.setenv(name, value)
    chosen = replace(settings.load(), timing=TIMING)
    with ExitStack() as stack:
        yield _open(chosen, warm_ledger, sandbox_server, stack)


def _open(chosen: Settings, ledger: Ledger, sandbox: Any, stack: ExitStack) -> Path:
    connection = stack.enter_context(wakeups.connect(chosen.redis_url))
    limiter = Limiter(connection, "default", rates={"meter_events": 1000, "calls": 1000})
    gateway = Gateway(chosen, limiter=Unlimited())
    key = gateway.account()
    with ledger.transaction() as tx:
        accounts.pin_account(tx, "default", stripe_account=key.stripe_account, is_live=key.is_live)
    queue = RowQueue(chosen.broker_url, visibility_timeout_s=5, prefetch_messages=50)
    stack.callback(queue.close)
    client = stack.enter_context(Meterpost(chosen.broker_url))
    stopping = threading.Event()
    return Path(
        settings=chosen,
        ledger=ledger,
        gateway=gateway,
        client=client,
        queue=queue,
        recorder=Recorder(ledger, queue, timing=TIMING),
        sealer=Sealer(ledger, gateway, "default", timing=TIMING),
        submitter=Submitter(ledger, gateway, limiter, timing=TIMING, threads=8, stopping=stopping),
        reconciler=Reconciler(ledger, gateway, "default", timing=TIMING),
        reader=Reader(ledger, gateway, "default", timing=TIMING),
        stripe=stripe.StripeClient(
            chosen.stripe_secret_key, stripe_version=API_VERSION, base_addresses={"api": chosen.stripe_api_base}
        ),
        sandbox=sandbox,
        wakeups_redis=connection,
    )


class RecorderThatDies(Recorder):
    """Commits, and is gone before it acknowledges."""

    def __init__(self, ledger: Ledger, queue: RowQueue) -> None:
        super().__init__(ledger, queue, timing=TIMING)
        queue.ack = lambda _: None  # type: ignore[method-assign]  # what is never called again

    def close(self) -> None:
        self._queue.close()


@pytest.fixture
def another_recorder(path: Path) -> Iterator[Recorder]:
    """With a connection of its own, as another process would have it."""
    queue = RowQueue(path.settings.broker_url, visibility_timeout_s=5, prefetch_messages=2)
    yield Recorder(path.ledger, queue, timing=TIMING)
    queue.close()


@pytest.fixture
def recorder_that_dies_before_its_ack(path: Path) -> RecorderThatDies:
    return RecorderThatDies(
        path.ledger, RowQueue(path.settings.broker_url, visibility_timeout_s=5, prefetch_messages=2)
    )


@pytest.fixture
def submitter_to_nowhere(path: Path) -> Submitter:
    """Its Stripe is a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
    return path.another_submitter(gateway=Gateway(replace(path.settings, stripe_api_base=nowhere)))


@pytest.fixture
def patient_submitter(path: Path) -> Submitter:
    """Backs off for minutes."""
    submitter = path.another_submitter(timing=replace(TIMING, backoff_base_s=900, backoff_max_s=900))
    submitter._chance.seed(1)
    return submitter


class GatewayThatLooks(Gateway):
    """Remembers, at every call, how many attempts the ledger shows as open to somebody else."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.settings)
        self._path = path
        self.open_attempts: list[int] = []

    def send_meter_event(self, event_name: str, **told: Any) -> Answer:
        self.open_attempts += self._path.ask("SELECT count(*) FROM attempt WHERE ended_at IS NULL")
        return super().send_meter_event(event_name, **told)


@pytest.fixture
def gateway_that_looks(path: Path) -> GatewayThatLooks:
    return GatewayThatLooks(path)


@pytest.fixture
def put_as(path: Path) -> Callable[[Any, bytes], None]:
    """Put a body on the queue under a content type that no client of ours writes."""

    def put(content_type: Any, body: bytes) -> None:
        path.put(body)
        with redis.Redis.from_url(path.settings.broker_url) as connection:
            item = json.loads(connection.lpop(QUEUE_NAME))
            connection.lpush(QUEUE_NAME, json.dumps({**item, "content-type": content_type}))

    return put


@pytest.fixture
def an_hour_ago() -> datetime:
    """The start of a whole hour that is over."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
