"""The steps in one process, against a real PostgreSQL, a real Valkey and the sandbox, to be walked one at a time."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from meterpost import Meterpost
from service import settings, wakeups
from service.gateway import API_VERSION, Gateway
from service.ledger import Ledger, accounts
from service.limiter import Limiter, Unlimited
from service.queues import RowQueue
from service.settings import Settings
from service.timing import FAST
from workers.reconcile import Reconciler
from workers.record import Recorder
from workers.seal import Sealer
from workers.submit import Submitter

TIMING = replace(FAST, seal_linger_s=0, confirm_after_s=0, poll_s=0.01)
LOOKS_MAX = 60


@dataclass(kw_only=True)
class Path:
    """Everything between a producer and the sandbox, with the means to look at it."""

    settings: Settings
    ledger: Ledger
    gateway: Gateway
    client: Meterpost
    recorder: Recorder
    sealer: Sealer
    submitter: Submitter
    reconciler: Reconciler
    stripe: stripe.StripeClient
    sandbox: Any

    def walk(self) -> None:
        """Every step, until nothing is left to record, seal, send or confirm."""
        for _ in range(LOOKS_MAX):
            found = self.record() + self.seal() + self.send() + self.reconciler.confirm_due()
            if found == 0 and not self.ask("SELECT 1 FROM lane WHERE due_at IS NOT NULL LIMIT 1"):
                return

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

    def states(self) -> dict[str, int]:
        return dict(self.ask("SELECT state, count(*) FROM meter_event GROUP BY state"))

    def counted(self) -> dict[tuple[str, str], str]:
        """What the sandbox's auditor counted of this account, by customer and meter."""
        totals = self.sandbox.audit()["totals"]
        mine = self.ask("SELECT stripe_account FROM account")
        return {(t["customer"], t["event_name"]): t["value"] for t in totals if t["account"] in mine}

    def make_meter(self, event_name: str, *, formula: str = "sum", **more: Any) -> Any:
        asked = {"display_name": event_name, "event_name": event_name, "default_aggregation": {"formula": formula}}
        return self.stripe.v1.billing.meters.create({**asked, **more})

    def make_customer(self) -> str:
        return str(self.stripe.v1.customers.create({"name": "Ada"}).id)


@pytest.fixture
def path(database_url: str, valkey_url: str, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
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
        yield _open(chosen, sandbox_server, stack)


def _open(chosen: Settings, sandbox: Any, stack: ExitStack) -> Path:
    redis = stack.enter_context(wakeups.connect(chosen.redis_url))
    limiter = Limiter(redis, "default", rates={"meter_events": 1000, "calls": 1000})
    ledger, gateway = Ledger(chosen.database_url, connections_max=10), Gateway(chosen, limiter=Unlimited())
    stack.callback(ledger.close)
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
        recorder=Recorder(ledger, queue, timing=TIMING),
        sealer=Sealer(ledger, gateway, "default", timing=TIMING),
        submitter=Submitter(ledger, gateway, limiter, timing=TIMING, threads=8, stopping=stopping),
        reconciler=Reconciler(ledger, gateway, "default", timing=TIMING),
        stripe=stripe.StripeClient(
            chosen.stripe_secret_key, stripe_version=API_VERSION, base_addresses={"api": chosen.stripe_api_base}
        ),
        sandbox=sandbox,
    )


@pytest.fixture
def an_hour_ago() -> datetime:
    """The start of a whole hour that is over."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
