"""What the storm goes over: real servers, the steps of a subscription row, and a Stripe that fails by share.

Stripe's events are heard by the deployed door, but for half of them: what became of a call whose answer was lost is
told by a list to some rows, and by an event to others, and to some by both at once.
"""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import stripe

from chaos.calls import CallLog
from chaos.events import connect
from chaos.ledger import ask_ledger
from chaos.zygote import Zygote
from local.guarded import ROOT
from local.place import free_port
from local.procfile import read_procfile
from local.sandbox import ask_sandbox
from local.stack import SANDBOX_ACCOUNT, Stack
from meterpost import Meterpost, NotPublished
from service.timing import PROFILES, Timing

STRIPES_OWN_PER_S = 25  # the sandbox keeps this limit as Stripe's own does; others are the service's alone
SUBSCRIBES = ("subscribe", "subscribe.2", "subscribe.3")
WORKERS = {"record": "record", "record.2": "record", "dispatch": "dispatch", "apply": "apply"}
SETTINGS = {"METERPOST_LOG_FORMAT": "json", "WEB_CONCURRENCY": "1"}
PATHS = "/v1/[cps]*"  # of customers, prices, products, payment methods and subscriptions; not of the account
UNHEARD_SHARE = 0.5
STORM: Sequence[dict[str, Any]] = (
    {"kind": "rate_limited", "share": 0.2, "reason": "endpoint-rate"},
    {"kind": "lock_timeout", "share": 0.02, "method": "POST"},
    {"kind": "reply_lost", "share": 0.03},
    *({"kind": kind, "share": 0.005} for kind in ("error_before", "error_kept", "error_after", "bad_gateway_after")),
)
STRIKES = ("subscribe", "postgres", "subscribe", "record", "valkey", "subscribe", "freeze", "dispatch", "apply")
FREEZE_MARGIN_S = 1.5  # past the lease
PUBLISH_TRIES_MAX = 20
AGAIN_S = 0.5


@dataclass(kw_only=True)
class Place:
    env: dict[str, str]
    timing: Timing
    stack: Stack
    workers: Zygote
    stripe: stripe.StripeClient
    calls: CallLog
    struck: Counter[str] = field(default_factory=Counter)
    timers: list[threading.Timer] = field(default_factory=list)

    def ask(self, question: str, *parameters: object) -> list[Any]:
        return ask_ledger(self.env["DATABASE_URL"], question, *parameters)

    def ask_stripe(self, path: str, body: dict[str, Any] | None = None, *, method: str | None = None) -> Any:
        return ask_sandbox(self.env["STRIPE_API_BASE"], f"/_sandbox/{path}", body, method=method)

    def publish(self, rows: Sequence[dict[str, Any]]) -> None:
        """Until they are safe: a queue that was killed is back within moments, and knows what it was told."""
        for _ in range(PUBLISH_TRIES_MAX):
            try:
                with Meterpost(self.env["BROKER_URL"]) as client:
                    client.publish_subscriptions(rows)
            except NotPublished:
                time.sleep(AGAIN_S)
            else:
                return
        raise AssertionError("the queue stays away")

    def strike(self, what: str, chance: Random) -> None:
        """SIGKILL, or a sleep that outlasts a lease."""
        self.struck[what] += 1
        if what in self.stack.servers:
            self.stack.servers[what].kill()
            self.stack.servers[what].start()
        elif what == "freeze":
            sleeper = chance.choice(SUBSCRIBES)
            self.workers.kill(sleeper, signal.SIGSTOP)
            self.timers.append(
                threading.Timer(self.timing.lease_s + FREEZE_MARGIN_S, self.workers.kill, [sleeper, signal.SIGCONT])
            )
            self.timers[-1].start()
        else:
            names = [name for name in (*SUBSCRIBES, *WORKERS) if name.partition(".")[0] == what]
            self.workers.kill(chance.choice(names))

    def pass_time(self, seconds: int) -> None:
        """Both clocks move on; the ledger's first, which then believes keys forgotten that Stripe may still know."""
        self.ask("UPDATE ledger_clock SET ahead_by = ahead_by + make_interval(secs => %s) RETURNING 1", seconds)
        self.ask_stripe("clock", {"advance": seconds})

    def calm(self) -> None:
        """Stripe answers everything, at any rate."""
        self.ask_stripe("faults", method="DELETE")
        self.ask_stripe("settings", {"limits": "off"})


@contextmanager
def place(log_dir: Path, *, rate: int, timing: str, subscribe: str) -> Iterator[Place]:
    """Everything runs in fair weather. `subscribe`: the module of these workers."""
    paced = {"METERPOST_CALLS_PER_S": str(rate), "METERPOST_SUBMIT_THREADS": "8", "METERPOST_TIMING": timing}
    with ExitStack() as until_the_end:
        env = {"PATH": os.defpath, "HOME": str(log_dir), "PORT": str(free_port()), **SETTINGS, **paced}
        stack = until_the_end.enter_context(Stack(with_sandbox=True, env=env))
        client = connect(stack.env["STRIPE_SECRET_KEY"], stack.env["STRIPE_API_BASE"])
        url = f"http://127.0.0.1:{stack.env['PORT']}/stripe/webhook"
        endpoint = client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["customer.subscription.created"]})
        stack.env["STRIPE_WEBHOOK_SECRETS"] = str(endpoint.secret)
        stack.migrate()
        modules = dict.fromkeys(SUBSCRIBES, subscribe) | {name: f"workers.{step}" for name, step in WORKERS.items()}
        workers = until_the_end.enter_context(Zygote(modules, stack.env, log_dir=log_dir))
        stack.start(dict.fromkeys(read_procfile(ROOT / "Procfile").keys() - {"web"}, 0), log_dir=log_dir)
        calls = CallLog(sandbox_url=stack.env["STRIPE_API_BASE"], account=SANDBOX_ACCOUNT, is_wanted=is_signups)
        here = Place(env=stack.env, timing=PROFILES[timing], stack=stack, workers=workers, stripe=client, calls=calls)
        yield here
        for timer in here.timers:
            timer.join()


def is_signups(logged: dict[str, Any]) -> bool:
    """Whether a call says that it is one of these steps'."""
    return str(logged["client_request_id"]).startswith("signup-")


def begin_storm(here: Place, *, rate: int, unheard: float, chance: Random) -> None:
    here.ask_stripe("settings", {"limits": "sandbox" if rate == STRIPES_OWN_PER_S else "off"})
    for fault in STORM:
        here.ask_stripe("faults", {"path": PATHS, "seed": chance.randrange(2**31), **fault})
    here.ask_stripe("delivery_faults", {"kind": "drop", "share": unheard, "seed": chance.randrange(2**31)})
