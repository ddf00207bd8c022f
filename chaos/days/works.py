"""A whole meterpost in one process, its steps to be walked one at a time, and one clock for it and for Stripe.

Webhooks are not in it: what Stripe rejects later is found by its summaries alone.
"""

import logging
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import stripe

from chaos.calls import CallLog
from local.postgres import postgres
from local.sandbox import ask_sandbox, make_key, sandbox
from local.valkey import valkey
from meterpost import Meterpost
from service.gateway import API_VERSION, Gateway
from service.ledger import Ledger, accounts
from service.limiter import Unlimited
from service.migrate import migrate
from service.queues import RowQueue
from service.settings import Settings
from service.timing import STANDARD
from workers._cancelling import Canceller
from workers._loop import AWAY
from workers._reading_back import Reader
from workers._second_readings import SecondReader
from workers.reconcile import Reconciler
from workers.record import MESSAGES_MAX, Recorder
from workers.seal import Sealer
from workers.submit import Submitter

ACCOUNT = "default"
STRIPE_ACCOUNT = "acct_days"
KEY = "sk_test_days"
THREADS = 4
DAY_S = 86_400
HELD_COUNT = "SELECT count(*) FROM meter_event WHERE state = 'held'"
HELD_A_PASS = 64  # of one pass of reading back
ROUNDS_MAX = 60  # of one step in one pass; each takes a bounded number of lanes
LISTENS_TIMEOUT_S, LISTENS_POLL_S = 20, 0.05
BEFORE_SENDING = ("record", "seal")
SENDING_AND_READING = ("submit", "confirm", "read back", "cancel", "read again")
# Of the real clock, which a virtual day does not wait for: where Stripe is silent, a call ends at its deadline, and
# what it comes to is the same after 2 s as after 20.
TIMING = replace(STANDARD, poll_s=0.01, seal_linger_s=0, connect_timeout_s=1, call_deadline_s=2)

Step = Callable[[], int]


@dataclass(kw_only=True)
class Works:
    """What there is once in a run."""

    settings: Settings
    ledger: Ledger
    client: Meterpost
    stripe: stripe.StripeClient
    calls: CallLog
    steps: dict[str, Step]
    submitter: Submitter
    away: dict[str, int] = field(default_factory=dict)

    def begin(self, *, days_ago: int) -> None:
        """Both clocks, the ledger's and Stripe's, show an earlier day from now on."""
        self._set_ledger(timedelta(days=-days_ago))
        self.say_to_stripe("clock", {"offset": -days_ago * DAY_S})

    def pass_time(self, passed: timedelta) -> None:
        """Move both clocks on, in whole seconds."""
        seconds = round(passed.total_seconds())
        self._set_ledger(timedelta(seconds=seconds))
        self.say_to_stripe("clock", {"advance": seconds})

    def now(self) -> datetime:
        return self.ask("SELECT ledger_now()")[0][0]  # type: ignore[no-any-return]

    def ask(self, question: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self.ledger.transaction() as tx:
            return tx.execute(question.encode(), parameters).fetchall()

    def walk(self, names: Sequence[str]) -> None:
        """Each of these steps until it finds nothing; what is away is waited for, which here means until its next walk.

        A pass of readings takes so many and says what they settled, which may be nothing: it comes again for the rest,
        as its process would a moment later.
        """
        passes = {"read back": 1 + int(self.ask(HELD_COUNT)[0][0]) // HELD_A_PASS}
        for name in names:
            try:
                self._repeat(self.steps[name], passes_min=passes.get(name, 1))
            except AWAY:
                self.away[name] = self.away.get(name, 0) + 1
            self.wait_for_stripe()

    def _repeat(self, step: Step, *, passes_min: int) -> None:
        for number in range(1, passes_min + ROUNDS_MAX):
            if step() == 0 and number >= passes_min:
                return

    def another_submitter(self, gateway: Gateway) -> Submitter:
        """As another process would run it."""
        return _submitter(self.ledger, gateway)

    def _set_ledger(self, further: timedelta) -> None:
        with self.ledger.transaction() as tx:
            tx.execute("UPDATE ledger_clock SET ahead_by = ahead_by + %s", [further])

    def wait_for_stripe(self) -> None:
        """Where nobody listens for a moment, its controls do not answer either; that is over before time goes on."""
        until = time.monotonic() + LISTENS_TIMEOUT_S
        while True:
            try:
                ask_sandbox(self.settings.stripe_api_base, "/_sandbox/clock")
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > until:
                    raise
                time.sleep(LISTENS_POLL_S)
            else:
                return

    def say_to_stripe(self, path: str, body: dict[str, object], *, method: str | None = None) -> None:
        ask_sandbox(self.settings.stripe_api_base, f"/_sandbox/{path}", body, method=method)


@contextmanager
def opened(*, days: int) -> Iterator[Works]:
    """Everything is `days` behind the wall clock, so that time can pass without rows from the future."""
    with ExitStack() as until_the_end:
        queue = until_the_end.enter_context(valkey())
        books = until_the_end.enter_context(postgres(fsync=False))
        stripes = until_the_end.enter_context(sandbox())
        make_key(stripes.url, KEY, account=STRIPE_ACCOUNT)
        migrate(books.url)
        logging.disable()  # what goes wrong is meant to; the books tell what came of it
        until_the_end.callback(logging.disable, logging.NOTSET)
        yield _works(_settings(queue.url, books.url, stripes.url), days=days, until_the_end=until_the_end)


def _works(settings: Settings, *, days: int, until_the_end: ExitStack) -> Works:
    ledger = Ledger(settings.database_url, connections_max=4 * THREADS)
    until_the_end.callback(ledger.close)
    gateway = Gateway(settings)
    with ledger.transaction() as tx:
        accounts.pin_account(tx, ACCOUNT, stripe_account=STRIPE_ACCOUNT, is_live=False)
    queue = RowQueue(settings.broker_url, visibility_timeout_s=60, prefetch_messages=MESSAGES_MAX)
    until_the_end.callback(queue.close)
    submitter = _submitter(ledger, gateway)
    client = stripe.StripeClient(KEY, stripe_version=API_VERSION, base_addresses={"api": settings.stripe_api_base})
    works = Works(
        settings=settings,
        ledger=ledger,
        client=until_the_end.enter_context(Meterpost(settings.broker_url)),
        stripe=client,
        calls=CallLog(sandbox_url=settings.stripe_api_base, account=STRIPE_ACCOUNT),
        steps=_steps(ledger, gateway, queue, submitter=submitter),
        submitter=submitter,
    )
    works.begin(days_ago=days)
    return works


def _steps(ledger: Ledger, gateway: Gateway, queue: RowQueue, *, submitter: Submitter) -> dict[str, Step]:
    """As the processes run them, in the order of a row."""

    def submit() -> int:
        submitter.drain(ACCOUNT, 0)
        return 0

    recorder = Recorder(ledger, queue, timing=TIMING)
    sealer = Sealer(ledger, gateway, ACCOUNT, timing=TIMING)
    return {
        "record": recorder.record_some,
        "seal": sealer.seal_due,
        "submit": submit,
        "confirm": Reconciler(ledger, gateway, ACCOUNT, timing=TIMING).confirm_due,
        "read back": Reader(ledger, gateway, ACCOUNT, timing=TIMING).read_back_due,
        "cancel": Canceller(ledger, gateway, Unlimited(), account=ACCOUNT, timing=TIMING).cancel_due,
        "read again": SecondReader(ledger, gateway, ACCOUNT, timing=TIMING).read_again_due,
    }


def _submitter(ledger: Ledger, gateway: Gateway) -> Submitter:
    return Submitter(ledger, gateway, Unlimited(), timing=TIMING, threads=THREADS, stopping=threading.Event())


def _settings(broker_url: str, database_url: str, stripe_url: str) -> Settings:
    return Settings(
        account=ACCOUNT,
        database_url=database_url,
        broker_url=broker_url,
        redis_url=broker_url,
        stripe_secret_key=KEY,
        stripe_api_base=stripe_url,
        stripe_meter_events_base=stripe_url,
        webhook_secrets=(),
        timing=TIMING,
        submit_threads=THREADS,
        calls_per_s=1000,
        meter_events_per_s=1000,
        is_only_writer=True,
        log_format="json",
    )
