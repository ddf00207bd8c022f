"""What the lanes are tried on: real servers, the steps from the queue to Stripe, and eight processes that submit."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import stripe

from chaos.events import connect
from chaos.ledger import ask_ledger
from chaos.zygote import Zygote
from local.sandbox import ask_sandbox
from local.stack import SANDBOX_ACCOUNT, Stack
from meterpost import Meterpost

METER = "lanes"
RATE_PER_S = 100
PROCESSES = 8
COLD = 999
STEPS = ("record", "seal", "dispatch")
SETTINGS = {
    "METERPOST_TIMING": "fast",
    "METERPOST_LOG_FORMAT": "json",
    "METERPOST_METER_EVENTS_PER_S": str(RATE_PER_S),
    "METERPOST_CALLS_PER_S": "1000",
    "METERPOST_SUBMIT_THREADS": "4",
}
CREATORS = 4
POLL_S = 0.1
PATIENCE_S = 90  # for a phase of half a minute
CALLS = "/v1/billing/meter_events"
LATENCY_S = 0.05  # of Stripe, up to: two calls on a lane would meet
UNSEALED = "SELECT (SELECT count(*) FROM row_key) < %s OR EXISTS (SELECT FROM entry WHERE meter_event_id IS NULL)"
UNSENT = "SELECT count(*) FILTER (WHERE state = 'accepted') < %s FROM meter_event"


@dataclass(kw_only=True)
class Place:
    """`told` counts the meter events of each customer, of whom the first is the hot one."""

    env: dict[str, str]
    customers: list[str]
    client: Meterpost
    told: dict[str, int]

    def publish(self, counts: dict[str, int], chance: Random) -> None:
        """Rows of a `count` meter: each becomes a meter event of its own."""
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        customers = [customer for customer, count in counts.items() for _ in range(count)]
        chance.shuffle(customers)
        before = sum(self.told.values())
        self.client.publish_many(
            {
                "row_id": f"row-{before + number}",
                "customer": customer,
                "meter": METER,
                "value": 1,
                "occurred_at": now - timedelta(hours=2, seconds=number % 3000),
            }
            for number, customer in enumerate(customers)
        )
        for customer, count in counts.items():
            self.told[customer] = self.told.get(customer, 0) + count

    def seal_a_crowd(self, counts: dict[str, int], chance: Random) -> bool:
        """All are due at once, as after an outage: nothing is sent before everything is sealed."""
        self.ask("INSERT INTO pause (account, meter, actor, reason) VALUES ('default', '*', 'lanes', '') RETURNING 1")
        self.publish(counts, chance)
        is_sealed = self._wait_while(UNSEALED)
        self.ask("DELETE FROM pause RETURNING 1")
        return is_sealed

    def wait_until_sent(self) -> bool:
        """Whether everything that was told is with Stripe, within our patience."""
        return self._wait_while(UNSEALED) and self._wait_while(UNSENT)

    def _wait_while(self, question: str) -> bool:
        until = time.monotonic() + PATIENCE_S
        while self.ask(question, sum(self.told.values()))[0][0]:
            if time.monotonic() > until:
                return False
            threading.Event().wait(POLL_S)
        return True

    def ask(self, question: str, *parameters: object) -> list[Any]:
        return ask_ledger(self.env["DATABASE_URL"], question, *parameters)

    def fault(self, kind: str, **more: object) -> None:
        ask_sandbox(self.url, "/_sandbox/faults", {"kind": kind, "path": CALLS, **more})

    def heal(self) -> None:
        """As it was at the start."""
        ask_sandbox(self.url, "/_sandbox/faults", method="DELETE")
        self.fault("latency", delay_s=LATENCY_S, distribution="uniform")

    def audit(self) -> Any:
        return ask_sandbox(self.url, f"/_sandbox/audit?account={SANDBOX_ACCOUNT}")

    @property
    def url(self) -> str:
        return self.env["STRIPE_API_BASE"]


@contextmanager
def place(log_dir: Path) -> Iterator[Place]:
    """Everything runs, and nothing is published yet."""
    env = {"PATH": os.defpath, "HOME": str(log_dir), **SETTINGS}
    with ExitStack() as until_the_end:
        stack = until_the_end.enter_context(Stack(with_sandbox=True, env=env))
        stack.migrate()
        shop = connect(stack.env["STRIPE_SECRET_KEY"], stack.env["STRIPE_API_BASE"])
        customers = _open(shop)
        submits = [f"submit.{number}" for number in range(1, PROCESSES + 1)]
        modules = {step: f"workers.{step}" for step in STEPS} | dict.fromkeys(submits, "workers.submit")
        until_the_end.enter_context(Zygote(modules, stack.env, log_dir=log_dir))
        client = until_the_end.enter_context(Meterpost(stack.env["BROKER_URL"]))
        here = Place(env=stack.env, customers=customers, client=client, told={})
        here.heal()
        yield here


def _open(shop: stripe.StripeClient) -> list[str]:
    shop.v1.billing.meters.create(
        {"display_name": METER, "event_name": METER, "default_aggregation": {"formula": "count"}}
    )
    with ThreadPoolExecutor(CREATORS) as creators:
        made = creators.map(lambda n: shop.v1.customers.create({"name": f"{n}"}).id, range(1 + COLD))
        return [str(customer) for customer in made]
