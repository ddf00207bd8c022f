"""What the events are tried on: real servers, the deployed door, and the steps from the event to the mirror."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from chaos.events.heard import connect
from chaos.ledger import ask_ledger
from chaos.zygote import Zygote
from local.place import free_port
from local.stack import Stack
from local.supervisor import Supervisor
from service.event_types import SNAPSHOT_TYPES

SECRET = "whsec_chaos"  # noqa: S105 — of this run alone
SETTINGS = {
    "METERPOST_TIMING": "fast",
    "METERPOST_LOG_FORMAT": "json",
    "METERPOST_CALLS_PER_S": "1000",
    "STRIPE_WEBHOOK_SECRETS": SECRET,
    "WEB_CONCURRENCY": "1",
}
APPLYING = ("apply", "apply.2")
VICTIMS = (*APPLYING, "web")
WEIGHTS = (4, 4, 1)  # the door takes seconds to open again, a worker milliseconds
POLL_S = 0.1
QUIET_S = 120  # without any progress: the run is stuck
KNOWN = "SELECT count(*) FROM event WHERE type = ANY(%s)"
WAITING = "SELECT count(*) FROM event WHERE state = 'received'"


@dataclass(kw_only=True)
class Place:
    env: dict[str, str]
    log_dir: Path
    workers: Zygote
    web: Supervisor
    v1: Any
    kills: dict[str, int] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.env["PORT"])

    def kill_one(self, chance: Random) -> None:
        victim = chance.choices(VICTIMS, weights=WEIGHTS)[0]
        self.kills[victim] = self.kills.get(victim, 0) + 1
        if victim == "web":
            self.web.kill("web")
        else:
            self.workers.kill(victim)

    def ask(self, question: str, *parameters: object) -> list[Any]:
        return ask_ledger(self.env["DATABASE_URL"], question, *parameters)

    def wait_until_applied(self) -> bool:
        """Whether no event waits any more; False where nothing has moved for a long while."""
        left, until = int(self.ask(WAITING)[0][0]), time.monotonic() + QUIET_S
        while left and time.monotonic() < until:
            threading.Event().wait(POLL_S)
            now_left = self.ask(WAITING)[0][0]
            if now_left != left:
                left, until = now_left, time.monotonic() + QUIET_S
        return left == 0

    def catch_up(self, wanted: int) -> bool:
        """Let the process that reads Stripe's lists run until so many of our types are known; killed on the way."""
        with Zygote({"reconcile": "workers.reconcile"}, self.env, log_dir=self.log_dir) as reader:
            known, until, kills_left = 0, time.monotonic() + QUIET_S, 3
            while known < wanted and time.monotonic() < until:
                threading.Event().wait(POLL_S)
                now_known = self.ask(KNOWN, list(SNAPSHOT_TYPES))[0][0]
                if now_known != known:
                    known, until = now_known, time.monotonic() + QUIET_S
                    kills_left -= self._kill_reader(reader, kills_left)
        return known >= wanted

    def _kill_reader(self, reader: Zygote, kills_left: int) -> bool:
        if not kills_left:
            return False
        reader.kill("reconcile")
        self.kills["reconcile"] = self.kills.get("reconcile", 0) + 1
        return True


@contextmanager
def place(log_dir: Path) -> Iterator[Place]:
    """Everything runs, and nothing has happened yet."""
    env = {"PATH": os.defpath, "HOME": str(log_dir), "PORT": str(free_port()), **SETTINGS}
    with ExitStack() as until_the_end:
        stack = until_the_end.enter_context(Stack(with_sandbox=True, env=env))
        stack.migrate()
        modules = dict.fromkeys(APPLYING, "workers.apply") | {"dispatch": "workers.dispatch"}
        steps = dict.fromkeys(("record", "seal", "dispatch", "submit", "reconcile", "apply"), 0)
        yield Place(
            env=stack.env,
            log_dir=log_dir,
            web=stack.start(steps, log_dir=log_dir),
            workers=until_the_end.enter_context(Zygote(modules, stack.env, log_dir=log_dir)),
            v1=connect(stack.env["STRIPE_SECRET_KEY"], stack.env["STRIPE_API_BASE"]).v1,
        )
