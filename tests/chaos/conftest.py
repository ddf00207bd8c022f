"""What the judge is told: a small meterpost that has billed something, with the means to do it wrong afterwards."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from threading import Event
from typing import Any

import psycopg
import pytest

from chaos import events
from chaos.calls import CallLog
from chaos.judge import Verdict, judge
from meterpost.rows import UsageRow
from service import settings
from service.gateway import Gateway
from service.ledger import Ledger, accounts, intake
from service.limiter import Unlimited
from service.timing import FAST
from workers.seal import Sealer
from workers.submit import Submitter

TIMING = replace(FAST, seal_linger_s=0)
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
METER = "tokens"
numbers = count(1)


@dataclass(kw_only=True)
class Case:
    """`told` is what producers know, the rest is what became of it."""

    database_url: str
    calls: CallLog
    ledger: Ledger
    sealer: Sealer
    submitter: Submitter
    stripe: Any
    customer: str
    told: dict[tuple[str, str, int], Decimal] = field(default_factory=dict)

    def bill(self, value: int) -> None:
        """Record a row, and walk it to Stripe."""
        row = UsageRow(
            account="default",
            source="app",
            row_id=f"row-{next(numbers)}",
            customer=self.customer,
            meter=METER,
            value=Decimal(value),
            occurred_at=HOUR,
            is_time_told=True,
        )
        with self.ledger.transaction() as tx:
            intake.record(tx, [row], [], messages=1, timing=TIMING)
        self.sealer.seal_due()
        self.submitter.drain("default", 0)

    def tell(self, value: int) -> None:
        """A producer was told that so much is safe."""
        key = self.customer, METER, int(HOUR.timestamp())
        self.told[key] = self.told.get(key, Decimal(0)) + value

    def report(self, value: int, **options: Any) -> None:
        """A call past the ledger."""
        payload = {"stripe_customer_id": self.customer, "value": str(value)}
        asked = {"event_name": METER, "payload": payload, "timestamp": int(HOUR.timestamp())}
        self.stripe.v1.billing.meter_events.create(asked, {"headers": options})

    def write(self, statement: str) -> None:
        with psycopg.connect(self.database_url) as ledger:
            ledger.execute(statement.encode())

    def verdict(self) -> Verdict:
        return judge(self.told, database_url=self.database_url, calls=self.calls, timing=TIMING)


@pytest.fixture
def case(database_url: str, valkey_url: str, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    key = sandbox_server.new_account()
    for name, value in {
        "DATABASE_URL": database_url,
        "BROKER_URL": valkey_url,
        "STRIPE_SECRET_KEY": key,
        "STRIPE_API_BASE": sandbox_server.url,
    }.items():
        monkeypatch.setenv(name, value)
    gateway = Gateway(replace(settings.load(), timing=TIMING))
    client = events.connect(key, sandbox_server.url)
    client.v1.billing.meters.create(
        {"display_name": METER, "event_name": METER, "default_aggregation": {"formula": "sum"}}
    )
    ledger, owner = Ledger(database_url, connections_max=6), gateway.account()
    with ledger.transaction() as tx:
        accounts.pin_account(tx, "default", stripe_account=owner.stripe_account, is_live=owner.is_live)
    case = Case(
        database_url=database_url,
        calls=CallLog(sandbox_url=sandbox_server.url, account=owner.stripe_account),
        ledger=ledger,
        sealer=Sealer(ledger, gateway, "default", timing=TIMING),
        submitter=Submitter(ledger, gateway, Unlimited(), timing=TIMING, threads=2, stopping=Event()),
        stripe=client,
        customer=str(client.v1.customers.create({"name": "Ada"}).id),
    )
    case.bill(7)
    case.tell(7)
    yield case
    ledger.close()
