"""A shop whose subscriptions are made from rows: the client, the ledger, the step, and the sandbox to look at."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import stripe

from local.sandbox import ask_sandbox
from meterpost import Meterpost
from service import settings
from service.gateway import API_VERSION, Gateway
from service.invariants import check
from service.ledger import Ledger, accounts, signup_lanes
from service.ledger.actions import Order
from service.ledger.answers import Ordered
from service.ledger.remedies import retry
from service.ledger.signup_lanes import SignupLease
from service.letters import read_letter_id
from service.limiter import Unlimited
from service.queues import RowQueue
from service.settings import Settings
from service.timing import FAST
from workers.record import Recorder
from workers.subscribe import Subscriber

TIMING = replace(FAST, call_deadline_s=2, backoff_base_s=0, lane_backoff_max_s=0, poll_s=0.01, unreachable_s=0)
CREATE = "/v1/subscriptions"


@dataclass(kw_only=True)
class Shop:
    settings: Settings
    ledger: Ledger
    client: Meterpost
    recorder: Recorder
    subscriber: Subscriber
    stripe: stripe.StripeClient
    sandbox: Any
    price: str = ""

    def customer(self) -> str:
        return str(self.stripe.v1.customers.create({"name": "Ada"}).id)

    def make_price(self, meter: str, **more: Any) -> str:
        price = {"currency": "usd", "unit_amount": 1, "product_data": {"name": "Tokens"}}
        recurring = {"interval": "month", "usage_type": "metered", "meter": meter}
        return str(self.stripe.v1.prices.create({**price, "recurring": recurring, **more}).id)

    def make_meter(self, event_name: str) -> str:
        asked = {"display_name": event_name, "event_name": event_name, "default_aggregation": {"formula": "sum"}}
        return str(self.stripe.v1.billing.meters.create(asked).id)

    def tell(self, *rows: dict[str, Any], **fields: Any) -> str:
        """Rows, recorded; of one row the fields. Returns the customer of the last."""
        told = [{"customer": None, "price": self.price, "row_id": "s1"} | row | fields for row in rows or [{}]]
        told = [row | {"customer": row["customer"] or self.customer()} for row in told]
        self.client.publish_subscriptions(told)
        self.recorder.record_some()
        return str(told[-1]["customer"])

    def work(self, times: int = 1) -> None:
        for _ in range(times):
            self.subscriber.drain("default", 0)

    def another_subscriber(self, **more: Any) -> Subscriber:
        """As another process would run it."""
        wanted = {"gateway": Gateway(self.settings, limiter=Unlimited()), "limiter": Unlimited(), "timing": TIMING}
        wanted |= {"threads": 8, "stopping": threading.Event()} | more
        return Subscriber(self.ledger, wanted.pop("gateway"), wanted.pop("limiter"), **wanted)

    def lease(self) -> SignupLease:
        """The only customer, as a worker of its own takes him."""
        with self.ledger.transaction() as tx:
            (lease,) = signup_lanes.lease_signup_lanes(tx, "default", lanes_max=1, timing=TIMING)
        return lease

    def order(self, letter: str, act: Callable[..., Any], **more: Any) -> Any:
        """What a person orders at the desk, and why; the answer."""
        with self.ledger.transaction() as tx:
            order = Order(actor="ada", reason="INC-42")
            more |= {"timing": TIMING} if act is retry else {}
            return act(Ordered(tx=tx, letter=read_letter_id(letter), order=order), **more)

    def made(self, customer: str) -> list[Any]:
        """A customer's subscriptions at the sandbox, ended ones too."""
        return list(self.stripe.v1.subscriptions.list({"customer": customer, "status": "all"}).data)

    def states(self) -> dict[str, str]:
        return dict(self.ask("SELECT row_id, state FROM signup"))

    def steps(self) -> list[str]:
        """Every call, in order: the step, and `+` where it was to make something."""
        mark = "CASE WHEN idempotency_key IS NULL THEN '' ELSE '+' END"
        return self.ask(f"SELECT step || {mark} FROM signup_attempt ORDER BY signup_attempt_id")

    def fault(self, kind: str, *, path: str = CREATE, **more: Any) -> None:
        self.sandbox.fault(**{"kind": kind, "path": path, "method": "POST", "account": self.stripe_account, **more})

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

    def calls(self, path: str = CREATE) -> list[Any]:
        """The calls of this account as the sandbox saw them."""
        asked = f"/_sandbox/audit/calls?account={self.stripe_account}&path={path}&limit=1000"
        return list(ask_sandbox(self.sandbox.url, asked)["data"])

    @property
    def stripe_account(self) -> str:
        return str(self.ask("SELECT stripe_account FROM account")[0])


@pytest.fixture
def shop(
    database_url: str, warm_ledger: Ledger, valkey_url: str, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    for name, value in {
        "DATABASE_URL": database_url,
        "BROKER_URL": valkey_url,
        "REDIS_URL": valkey_url,
        "STRIPE_SECRET_KEY": sandbox_server.new_account(),
        "STRIPE_API_BASE": sandbox_server.url,
        "METERPOST_TIMING": "fast",
    }.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        opened = _open(replace(settings.load(), timing=TIMING), warm_ledger, sandbox_server, stack)
        yield opened
        with opened.ledger.transaction() as tx:
            assert check(tx, timing=TIMING) == [], "whatever a test did, the books hold in the end"


def _open(chosen: Settings, ledger: Ledger, sandbox: Any, stack: ExitStack) -> Shop:
    gateway = Gateway(chosen, limiter=Unlimited())
    key = gateway.account()
    with ledger.transaction() as tx:
        accounts.pin_account(tx, "default", stripe_account=key.stripe_account, is_live=key.is_live)
    queue = RowQueue(chosen.broker_url, visibility_timeout_s=5, prefetch_messages=50)
    stack.callback(queue.close)
    shop = Shop(
        settings=chosen,
        ledger=ledger,
        client=stack.enter_context(Meterpost(chosen.broker_url)),
        recorder=Recorder(ledger, queue, timing=TIMING),
        subscriber=Subscriber(ledger, gateway, Unlimited(), timing=TIMING, threads=8, stopping=threading.Event()),
        stripe=stripe.StripeClient(
            chosen.stripe_secret_key, stripe_version=API_VERSION, base_addresses={"api": chosen.stripe_api_base}
        ),
        sandbox=sandbox,
    )
    shop.price = shop.make_price(shop.make_meter("tokens"))
    return shop
