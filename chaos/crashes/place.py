"""Where a case takes place: a ledger, queues and a sandbox of its own, and the steps in one process, as they are.

A case dies in the middle, so that one process begins it and others end it; what they must know of each other beyond the
ledger (what producers were told is safe, whom it is about) stands in a file.
"""

import json
import os
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import stripe
from rq.worker import BaseWorker

from chaos.crashes.ground import ACCOUNT, KEY
from chaos.crashes.notes import Notes
from chaos.judge import HOUR_S
from local.sandbox import ask_sandbox
from meterpost import Meterpost
from meterpost.publisher import Publisher
from service.gateway import API_VERSION
from service.ledger import Ledger
from service.queues import RowQueue
from service.timing import FAST
from service.wakeups import Step, WakeUps, WakeUpWorker
from webhooks.app import app_for
from workers._cancelling import Canceller
from workers._catching_up import CatchUp
from workers._holding import DraftKeeper
from workers._loop import AWAY
from workers._reading_back import Reader
from workers._second_readings import SecondReader
from workers._setup import StripeSetup, set_up_with_stripe
from workers.apply import Applier
from workers.dispatch import Dispatcher
from workers.reconcile import Reconciler
from workers.record import MESSAGES_MAX, Recorder
from workers.seal import Sealer
from workers.submit import Submitter
from workers.subscribe import Subscriber

TIMING = replace(FAST, seal_linger_s=0, backoff_base_s=0, confirm_after_s=0, poll_s=0.01)
VISIBILITY_TIMEOUT_S = 1  # a killed consumer's messages come back within a moment of the case
ROUNDS_MAX = 60  # of all steps; a walk that finds work for ever is a failure
THREADS = 4
LEASE_IS_OVER = timedelta(seconds=30)
HOLD_S = 48 * 3600  # METERPOST_HOLD_DRAFTS


class QuietWorker(WakeUpWorker):
    """Answers what is there; the signals stay the case's own."""

    def _install_signal_handlers(self) -> None:
        """None of them."""


@dataclass(kw_only=True)
class Place:
    """One process's view of a case. Connections are opened when they are asked for, and never inherited."""

    env: dict[str, str]
    file: Path
    notes: Notes = field(default_factory=Notes)
    _until_the_end: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        for name in [name for name in os.environ if name.startswith(("METERPOST_", "STRIPE_"))]:
            del os.environ[name]
        os.environ.update(self.env)
        if self.file.exists():
            self.notes = Notes.read(self.file)

    def close(self) -> None:
        self._until_the_end.close()

    def keep_notes(self) -> None:
        self.notes.keep(self.file)

    @property
    def database_url(self) -> str:
        return self.env["DATABASE_URL"]

    @cached_property
    def behind(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """Of the case itself, behind the back of the steps; one, because connecting takes longer than asking."""
        return self._until_the_end.enter_context(psycopg.connect(self.database_url, autocommit=True))

    # What Stripe is, and who tells us of usage.

    @cached_property
    def stripe(self) -> stripe.StripeClient:
        return stripe.StripeClient(KEY, stripe_version=API_VERSION, base_addresses={"api": self.env["STRIPE_API_BASE"]})

    def make_meter(self, event_name: str, *, formula: str = "sum") -> Any:
        asked: Any = {"display_name": event_name, "event_name": event_name, "default_aggregation": {"formula": formula}}
        made = self.stripe.v1.billing.meters.create(asked)
        self.notes.words[event_name] = made.id
        return made

    def make_customer(self, name: str) -> str:
        self.notes.customers[name] = str(self.stripe.v1.customers.create({"name": name}).id)
        return self.notes.customers[name]

    def use(self, customer: str, meter: str, *values: int, minutes_apart: float = 5) -> None:
        """A row a value, in the hour that ended three hours ago; the producer is told that they are safe."""
        who = self.notes.customers[customer]
        rows = [self.row(who, meter, value, minute=minutes_apart * n) for n, value in enumerate(values)]
        with Meterpost(self.env["BROKER_URL"]) as client:
            client.publish_many(rows)
        self.count(who, meter, sum(values))

    def row(self, customer: str, meter: str, value: int, *, minute: float, **more: str) -> dict[str, Any]:
        at = datetime.fromtimestamp(self.hour(), UTC) + timedelta(minutes=minute)
        said = {"row_id": f"{customer}-{meter}-{minute}", "customer": customer, "meter": meter, "value": value}
        return {**said, "occurred_at": at.isoformat(), **more}

    def count(self, customer: str, meter: str, value: int) -> None:
        """Note that so many units must be billed."""
        key = f"{customer} {meter} {self.hour()}"
        self.notes.told[key] = str(Decimal(self.notes.told.get(key, "0")) + value)

    def put(self, *rows: object) -> None:
        """A message as no client of ours would write it."""
        publisher = Publisher(self.env["BROKER_URL"])
        failure = publisher.publish([json.dumps({"schema": "usage.1", "rows": rows}).encode()])
        publisher.close()
        assert failure is None, failure

    def hour(self) -> int:
        """The start of the hour of which the rows tell, in Unix seconds; the same in every process of the case."""
        return int(self.notes.words.setdefault("hour", str(int(time.time()) // HOUR_S * HOUR_S - 4 * HOUR_S)))

    def fault(self, kind: str, **more: Any) -> None:
        meter_events = {"path": "/v1/billing/meter_events", "account": ACCOUNT}
        ask_sandbox(self.env["STRIPE_API_BASE"], "/_sandbox/faults", {"kind": kind, **meter_events, **more})

    def pass_time(self, passed: timedelta) -> None:
        """Move the clocks of the ledger and of the sandbox on."""
        self.behind.execute("UPDATE ledger_clock SET ahead_by = ahead_by + %s", [passed])
        ask_sandbox(self.env["STRIPE_API_BASE"], "/_sandbox/clock", {"advance": passed.total_seconds()})

    # The steps, opened as their processes open them.

    @cached_property
    def setup(self) -> StripeSetup:
        return self._until_the_end.enter_context(set_up_with_stripe("crashes"))

    @property
    def ledger(self) -> Ledger:
        return self.setup.ledger

    @cached_property
    def queue(self) -> RowQueue:
        queue = RowQueue(
            self.env["BROKER_URL"], visibility_timeout_s=VISIBILITY_TIMEOUT_S, prefetch_messages=MESSAGES_MAX
        )
        self._until_the_end.callback(queue.close)
        return queue

    @cached_property
    def recorder(self) -> Recorder:
        return Recorder(self.ledger, self.queue, timing=TIMING)

    @cached_property
    def sealer(self) -> Sealer:
        return Sealer(self.ledger, self.setup.gateway, "default", timing=TIMING)

    @cached_property
    def reconciler(self) -> Reconciler:
        return Reconciler(self.ledger, self.setup.gateway, "default", timing=TIMING)

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.ledger, self.setup.gateway, "default", timing=TIMING)

    @cached_property
    def second_reader(self) -> SecondReader:
        return SecondReader(self.ledger, self.setup.gateway, "default", timing=TIMING)

    @cached_property
    def canceller(self) -> Canceller:
        return Canceller(self.ledger, self.setup.gateway, self.setup.limiter, account="default", timing=TIMING)

    @cached_property
    def catch_up(self) -> CatchUp:
        return CatchUp(self.ledger, self.setup.gateway, "default", timing=TIMING)

    @cached_property
    def submitter(self) -> Submitter:
        return self.make_submitter(self.setup.gateway)

    def make_submitter(self, gateway: Any) -> Submitter:
        return Submitter(self.ledger, gateway, self.setup.limiter, **self._calling())

    @cached_property
    def subscriber(self) -> Subscriber:
        return Subscriber(self.ledger, self.setup.gateway, self.setup.limiter, **self._calling())

    def _calling(self) -> dict[str, Any]:
        return {"timing": TIMING, "threads": THREADS, "stopping": threading.Event(), "guard": self.setup.guard}

    @cached_property
    def applier(self) -> Applier:
        return Applier(self.ledger, self.setup.gateway, timing=TIMING, chance=Random(7))

    @cached_property
    def bells(self) -> dict[str, WakeUps]:
        return {step: WakeUps(self.setup.redis, step, timing=TIMING) for step in ("submit", "subscribe", "apply")}

    @cached_property
    def dispatcher(self) -> Dispatcher:
        return Dispatcher(self.ledger, **self.bells)

    @cached_property
    def workers(self) -> list[BaseWorker]:
        steps: dict[str, Step] = {  # all of them here: a process has one set
            "submit": self.submitter.drain,
            "subscribe": self.subscriber.drain,
            "apply": self.applier.drain,
        }
        return [QuietWorker(bells, steps, stopping=threading.Event()) for bells in self.bells.values()]

    @cached_property
    def door(self) -> Any:
        return app_for(self.setup.settings, self.ledger).test_client()

    def walk(self) -> None:
        """Every step, as its process repeats it, until none finds anything. A ledger that is away is asked again."""
        for _ in range(ROUNDS_MAX):
            if self.once() == 0:
                return
        raise AssertionError("the steps find work for ever")

    def once(self) -> int:
        first = (self.record, self.seal, self.ring_and_answer, self.confirm)
        then = (self.read_back, self.cancel, self.read_again, self.keep_drafts)
        return sum(asked_again(step) for step in (*first, *then))

    def record(self) -> int:
        return self.recorder.record_some()

    def seal(self) -> int:
        return self.sealer.seal_due()

    def ring_and_answer(self) -> int:
        """Bells that were rung before us count as well: they are answered whoever rang them."""
        self.dispatcher.ring()
        waiting = sum(bells.waiting() for bells in self.bells.values())
        for worker in self.workers if waiting else []:
            worker.work(burst=True, logging_level="ERROR")
        return waiting

    def confirm(self) -> int:
        return self.reconciler.confirm_due()

    def read_back(self) -> int:
        return self.reader.read_back_due()

    def cancel(self) -> int:
        return self.canceller.cancel_due()

    def read_again(self) -> int:
        return self.second_reader.read_again_due()

    def keep_drafts(self) -> int:
        return DraftKeeper(self.ledger, self.setup.gateway, "default", timing=TIMING, hold_s=HOLD_S).keep_due()


def asked_again(step: Any) -> int:
    """What a step found; what is away is no end of its process, which looks again."""
    try:
        return int(step())
    except AWAY:
        return 1
