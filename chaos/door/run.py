"""A run: requests called, requests written to sockets, and what the ledger, the counts and the memory say of it."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from signal import SIGKILL
from socket import create_connection
from typing import Any

from werkzeug.test import run_wsgi_app

from chaos.door.calls import Call, calls, environ
from chaos.door.signatures import SECRETS
from chaos.door.sockets import Wire, drip, statuses, wire
from chaos.ledger import ask_ledger
from local.guarded import ROOT
from local.parent import tethered
from local.place import free_port
from service.ledger import Ledger
from service.settings import Settings
from service.timing import FAST
from service.webhook_secrets import parse_secrets
from webhooks.app import STRANGERS, app_for

Door = Callable[[dict[str, Any], Any], Iterable[bytes]]

ALLOWED = frozenset({200, 400, 405, 408, 411, 413, 414, 415, 431})
ELSEWHERE = ALLOWED | {404}  # of a path that is not the door's
SOCKETS_MIN, SOCKETS_A_CALL = 600, 1 / 40
BATCH = 200  # written to sockets between two looks at the memory
LOOKS = 40  # at the memory
GROWTH_MB_MAX = 8.0  # of the second half beyond the first: a page here and there, and no hundred bytes a request
LINES_MAX, LINES_A_SECOND = 50, 2  # of a log: a door that starts and stops, and one a reason and ten seconds
PATIENCE_S = 60
EVENTS = "SELECT count(*), coalesce(sum(deliveries), 0)::bigint FROM event"
COUNTED = "SELECT coalesce(sum(requests), 0)::bigint FROM stranger"


@dataclass(kw_only=True)
class Found:
    """`resident_mb` is what a process held, looked at evenly over the run."""

    calls: int
    sockets: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    received: int = 0
    events: int = 0
    deliveries: int = 0
    refused: int = 0
    counted: int = 0
    lines: int = 0  # of the deployed door's log, besides those of events
    open_s: float = 0
    resident_mb: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def wrongs(self) -> list[str]:
        """Everything that must not be."""
        found = self.wrong[:20]
        if self.deliveries != self.received:
            found.append(f"{self.received} requests were answered 200, and {self.deliveries} deliveries are recorded")
        if self.counted != self.refused:
            found.append(f"{self.refused} calls were refused, and {self.counted} are counted")
        if self.lines > LINES_MAX + LINES_A_SECOND * self.open_s:
            found.append(f"the log of {self.open_s:.0f} s has {self.lines} lines")
        grown = {where: round(growth_mb(levels), 1) for where, levels in self.resident_mb.items()}
        return [*found, *(f"{where} grew by {by} MB" for where, by in grown.items() if by > GROWTH_MB_MAX)]


def growth_mb(levels: list[float]) -> float:
    """By how much the second half stands above the first."""
    half = len(levels) // 2
    return max(levels[half:], default=0) - max(levels[:half], default=0)


def run(database_url: str, *, requests: int, seed: int, log: Path, tell: Callable[[str], None]) -> Found:
    """So many requests, against this migrated ledger that nobody else uses."""
    sockets = max(SOCKETS_MIN, int(requests * SOCKETS_A_CALL))
    found = Found(calls=requests - sockets, sockets=sockets)
    _call_all(database_url, found, Random(seed), tell=tell)
    found.refused = sum(count for status, count in found.statuses.items() if status != 200)
    found.counted = ask_ledger(database_url, COUNTED)[0][0]
    began = time.monotonic()
    with _door(database_url, log) as (port, server):
        _write_all(port, server, found, chance=Random(seed + 1))
    found.open_s = time.monotonic() - began
    tell(f"{found.sockets:,} written to sockets")
    found.events, found.deliveries = ask_ledger(database_url, EVENTS)[0]
    found.lines = sum('"event": "event.' not in line for line in log.read_text().splitlines())
    return found


def _call_all(database_url: str, found: Found, chance: Random, *, tell: Callable[[str], None]) -> None:
    ledger = Ledger(database_url)
    app = app_for(_settings(database_url), ledger)
    levels = found.resident_mb.setdefault("the application", [])
    try:
        for number, call in enumerate(calls(chance, found.calls), start=1):
            _judge_call(found, call, _status(app, call))
            if number % max(1, found.calls // LOOKS) == 0:
                levels.append(_resident_mb(os.getpid()))
                tell(f"{number:,} of {found.calls:,} called, {levels[-1]:.0f} MB")
    finally:
        app.extensions[STRANGERS].close()
        ledger.close()


def _settings(database_url: str) -> Settings:
    return Settings(
        account="default",
        database_url=database_url,
        broker_url="",
        redis_url="",
        stripe_secret_key="",
        stripe_api_base="",
        stripe_meter_events_base="",
        webhook_secrets=parse_secrets(SECRETS.split(",")),
        timing=FAST,
        submit_threads=1,
        calls_per_s=1,
        meter_events_per_s=1,
        is_only_writer=True,
        log_format="json",
    )


def _status(app: Door, call: Call) -> int:
    _, status, _ = run_wsgi_app(app, environ(call), buffered=True)
    return int(status[:3])


def _judge_call(found: Found, call: Call, status: int) -> None:
    found.statuses[status] += 1
    found.received += status == 200
    if status not in (ALLOWED if call.is_at_the_door else ELSEWHERE):
        found.wrong.append(f"{status} to {call}"[:500])
    if status == 200 and not call.is_signed:
        found.wrong.append(f"what nobody signed was received: {call}"[:500])


@contextmanager
def _door(database_url: str, log: Path) -> Iterator[tuple[int, int]]:
    """The deployed door with one worker that is never replaced: its port, and gunicorn's process."""
    port = free_port()
    arguments = ["--config", "deploy/gunicorn.conf.py", "--workers", "1", "--max-requests", "0"]
    command = [sys.executable, "-m", "gunicorn", *arguments, "--bind", f"127.0.0.1:{port}", "webhooks.app:create_app()"]
    told = {"DATABASE_URL": database_url, "STRIPE_WEBHOOK_SECRETS": SECRETS, "METERPOST_LOG_FORMAT": "json"}
    with log.open("wb") as out:
        server = subprocess.Popen(
            tethered(command, ended_by=SIGKILL), cwd=ROOT, env=os.environ | told, stdout=out, stderr=out
        )
        try:
            _wait_for(port)
            yield port, server.pid
        finally:
            server.terminate()
            server.wait(PATIENCE_S)


def _wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with suppress(OSError):
            create_connection(("127.0.0.1", port), timeout=1).close()
            return
        threading.Event().wait(0.05)
    raise TimeoutError("the door did not open")


def _write_all(port: int, server: int, found: Found, *, chance: Random) -> None:
    levels = found.resident_mb.setdefault("the deployed door", [])
    for begun in range(0, found.sockets, BATCH):
        written = [wire(chance) for _ in range(min(BATCH, found.sockets - begun))]
        for told, answers in statuses(port, written):
            _judge_wire(found, told, answers)
        levels.append(_workers_mb(server))
    found.unanswered += drip(port).count(b"")


def _judge_wire(found: Found, told: Wire, answers: list[int]) -> None:
    found.statuses.update(answers)
    found.unanswered += not answers
    found.received += answers.count(200)
    for status in answers:
        if status not in (ELSEWHERE if told.is_elsewhere else ALLOWED):
            found.wrong.append(f"{status} to {told}"[:500])
    if 200 in answers and not told.is_signed:
        found.wrong.append(f"what nobody signed was received: {told}"[:500])


def _workers_mb(server: int) -> float:
    """What gunicorn's workers hold."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return sum(_resident_mb(int(child)) for child in children)


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
