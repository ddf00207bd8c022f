"""A whole meterpost to be hurt: real servers, the Procfile's processes on wires that can be cut, and producers.

The workers are born of a zygote, gunicorn is run by the supervisor. All they speak to but the wake-ups stands behind a
wire; producers' rows as well. The judge has lines of its own.
"""

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import stripe

from chaos import events
from chaos.ledger import ask_ledger
from chaos.load import HOURS, Load
from chaos.producers import Producers
from chaos.proxy import Wire, Wires
from chaos.zygote import Zygote
from local.guarded import Server
from local.place import free_port
from local.sandbox import ask_sandbox
from local.stack import Stack
from local.supervisor import Supervisor

METER = "chaos"
CUSTOMERS = 100
SUBSCRIBED = 20  # of the customers
PRODUCERS = 3
STEPS = ("record", "seal", "dispatch", "submit", "reconcile", "apply")
SCALE = {"record": 2, "submit": 3}
FROZEN = MappingProxyType({"record": "record.2", "submit": "submit.3"})  # these are stopped, the others killed
SETTINGS = {
    "METERPOST_TIMING": "fast",
    "METERPOST_LOG_FORMAT": "json",
    "METERPOST_METER_EVENTS_PER_S": "1000",
    "METERPOST_CALLS_PER_S": "100",
    "METERPOST_SUBMIT_THREADS": "8",
    "WEB_CONCURRENCY": "1",
}


@dataclass(kw_only=True)
class World:
    stack: Stack
    wires: Mapping[str, Wire]  # stripe, redis, postgres
    workers: Zygote
    web: Supervisor
    producers: Producers
    load: Load
    stripe: stripe.StripeClient  # past the wires
    subscriptions: list[str]
    timers: list[threading.Timer] = field(default_factory=list)

    @property
    def database_url(self) -> str:
        return str(self.stack.env["DATABASE_URL"])

    @property
    def sandbox_url(self) -> str:
        return self.stack.servers["sandbox"].url

    def names(self, step: str) -> list[str]:
        """The workers of a step that may be killed."""
        every = [step, *(f"{step}.{number}" for number in range(2, SCALE.get(step, 1) + 1))]
        return [name for name in every if name not in FROZEN.values()]

    def freeze(self, step: str, *, for_s: float) -> None:
        """Stop a worker where it stands; it goes on after `for_s`. Returns at once."""
        self.workers.kill(FROZEN[step], signal.SIGSTOP)
        thaw = threading.Timer(for_s, self.workers.kill, [FROZEN[step], signal.SIGCONT])
        self.timers.append(thaw)
        thaw.start()

    def crash(self, name: str) -> None:
        """SIGKILL to a server, which is started again on its files at once."""
        server: Server = self.stack.servers[name]
        server.kill()
        server.start()

    def ask_stripe(self, path: str, body: Mapping[str, Any] | None = None, *, method: str | None = None) -> Any:
        return ask_sandbox(self.sandbox_url, path, body, method=method)

    def ask(self, question: str, *parameters: object) -> list[Any]:
        """Ask the ledger in SQL, past the wires."""
        return ask_ledger(self.database_url, question, *parameters)

    def calm(self) -> None:
        """Nothing hurts any more: what was stopped goes on, and what was armed is laid down."""
        for wire in self.wires.values():
            wire.heal()
        for timer in self.timers:
            timer.join()
        self.ask_stripe("/_sandbox/faults", method="DELETE")
        self.ask_stripe("/_sandbox/delivery_faults", method="DELETE")


@contextmanager
def world(seed: int, *, batches: int, log_dir: Path) -> Iterator[World]:
    """Everything runs, and nothing is published yet."""
    env = {"PATH": os.defpath, "HOME": str(log_dir), "PORT": str(free_port()), **SETTINGS}
    with ExitStack() as until_the_end:
        stack = until_the_end.enter_context(Stack(with_sandbox=True, env=env))
        client = events.connect(stack.env["STRIPE_SECRET_KEY"], stack.env["STRIPE_API_BASE"])
        meter, load = _open_shop(client, stack, seed=seed, batches=batches)
        stack.migrate()
        all_wires = until_the_end.enter_context(Wires())
        wires = {
            "stripe": all_wires.open(stack.env["STRIPE_API_BASE"]),
            "redis": all_wires.open(stack.env["BROKER_URL"]),
            "postgres": all_wires.open(stack.env["DATABASE_URL"]),
        }
        stripe_url = wires["stripe"].url
        hurt = stack.env | {
            "DATABASE_URL": wires["postgres"].url,
            "BROKER_URL": wires["redis"].url,
            "STRIPE_API_BASE": stripe_url,
            "STRIPE_METER_EVENTS_BASE": stripe_url,
        }
        modules = {name: f"workers.{step}" for step in STEPS for name in _instances(step, count=SCALE.get(step, 1))}
        workers = until_the_end.enter_context(Zygote(modules, hurt, log_dir=log_dir))
        web = stack.start(dict.fromkeys(STEPS, 0), log_dir=log_dir)
        producers = until_the_end.enter_context(Producers(load, hurt, count=PRODUCERS))
        made = World(
            stack=stack,
            wires=wires,
            workers=workers,
            web=web,
            producers=producers,
            load=load,
            stripe=client,
            subscriptions=events.subscribe(client, meter, load.customers[:SUBSCRIBED]),
        )
        try:
            yield made
        finally:
            for timer in made.timers:
                timer.cancel()


def _open_shop(client: stripe.StripeClient, stack: Stack, *, seed: int, batches: int) -> tuple[str, Load]:
    """The webhook endpoint, the meter and the customers at Stripe; returns the meter's id and what is to be told."""
    ask_sandbox(stack.env["STRIPE_API_BASE"], "/_sandbox/settings", {"webhook_schedule": "live"})
    url = f"http://127.0.0.1:{stack.env['PORT']}/stripe/webhook"
    endpoint = client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    stack.env["STRIPE_WEBHOOK_SECRETS"] = str(endpoint.secret)
    meter = client.v1.billing.meters.create(
        {"display_name": METER, "event_name": METER, "default_aggregation": {"formula": "sum"}}
    )
    customers = tuple(str(client.v1.customers.create({"name": f"{n}"}).id) for n in range(CUSTOMERS))
    begins = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS + 1)
    load = Load(seed=seed, batches=batches, customers=customers, meter=METER, begins_at=int(begins.timestamp()))
    return meter.id, load


def _instances(step: str, *, count: int) -> list[str]:
    return [step, *(f"{step}.{number}" for number in range(2, count + 1))]
