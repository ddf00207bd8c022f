"""The demo: the whole of meterpost on this machine, a million units through it, and proof that each was billed once.

Real servers, real processes, real HTTP; only Stripe is the sandbox. On the way a worker is killed in the middle of
its calls, a fifth of Stripe's answers are 429s, and one file is imported twice. What was sent is counted by the
producer, what was billed by the sandbox's auditor, which knows nothing of our ledger.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from local.demo_rows import move_file, unit_rows
from local.demo_shop import Shop, Subscribed, open_shop
from local.demo_view import Balance, Total, show_balance, steps_table
from local.guarded import ROOT
from local.procfile import resolved
from local.sandbox import ask_sandbox
from local.stack import SANDBOX_ACCOUNT, Stack
from local.supervisor import Supervisor
from meterpost import Meterpost
from service.gateway import Gateway
from service.ledger import Ledger
from service.ledger.overview import Standing, ledger_time, overview
from service.queues import RowQueue
from service.settings import load

UNITS = 1_200_000
LIMITED_SHARE = 0.2  # of the reports to Stripe that are answered 429
KILL_AFTER = 40  # acceptances: the worker is then in the middle of its calls
TIME_MAX_S = 110
LOOK_S = 0.2
LOGS = ROOT / ".meterpost" / "demo"
EXAMPLE = ROOT / "examples" / "usage.csv"  # the three rows of Stripe's own page
TIMES_IMPORTED = 2
METER_EVENTS_PATH = "/v1/billing/meter_events"
UNSETTLED = ("unsealed", "sealed", "unknown", "accepted")
MADE = ("sealed", "unknown", "accepted", "confirmed", "refused", "held", "conflict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The producer's own count."""

    rows: int
    units: int
    file_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Everything that runs, and the means to look at it."""

    stack: Stack
    supervisor: Supervisor
    ledger: Ledger
    queue: RowQueue

    def look(self) -> tuple[list[Standing], datetime]:
        with self.ledger.transaction() as tx:
            return overview(tx), ledger_time(tx)


def run(units: int = UNITS, *, as_json: bool) -> int:
    """Run the demo; returns the exit code: 0 only if every difference is 0."""
    console = Console(stderr=as_json)
    with ExitStack() as until_the_end:
        directory = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="meterpost-demo-")))
        stack = until_the_end.enter_context(Stack(with_sandbox=True, env=_own_environment()))
        console.print("PostgreSQL, Valkey and the sandbox are up. Opening the shop at Stripe.")
        shop = _open_shop(stack)
        running = _start(stack, until_the_end)
        console.print(f"{len(running.supervisor.names)} processes are up; their logs are in {LOGS.relative_to(ROOT)}/.")
        sent = _send(units, shop, stack, directory=directory)
        console.print(f"{sent.rows:,} rows are on the queue.")
        _watch(running, console=console, is_live=not as_json)
        balance = _balance(running, shop, sent)
        calls = ask_sandbox(stack.env["STRIPE_API_BASE"], "/_sandbox/audit")["by_status"]
        restarts = running.supervisor.restarts
    if as_json:
        print(balance.as_json())  # noqa: T201 — the one object that was asked for
    else:
        show_balance(console, balance, restarts=restarts, calls=calls)
    return 0 if balance.ok else 1


def _own_environment() -> dict[str, str]:
    """Nothing of the caller's deployment: the demo brings servers, keys and settings of its own."""
    foreign = ("METERPOST_", "STRIPE_", "DATABASE_URL", "BROKER_URL", "REDIS_URL", "PORT", "WEB_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return own | {
        "METERPOST_TIMING": "fast",
        "METERPOST_LOG_FORMAT": "json",
        "METERPOST_METER_EVENTS_PER_S": "1000",
        "METERPOST_CALLS_PER_S": "25",
        "PORT": str(_free_port()),
    }


def _open_shop(stack: Stack) -> Shop:
    api_base = stack.env["STRIPE_API_BASE"]
    door = f"http://127.0.0.1:{stack.env['PORT']}/stripe/webhook"
    shop = open_shop(stack.env["STRIPE_SECRET_KEY"], api_base=api_base, webhook_url=door)
    stack.env["STRIPE_WEBHOOK_SECRETS"] = shop.webhook_secret
    ask_sandbox(api_base, "/_sandbox/settings", {"limits": "live"})
    limited = {"kind": "rate_limited", "path": METER_EVENTS_PATH, "share": LIMITED_SHARE, "reason": "endpoint-rate"}
    ask_sandbox(api_base, "/_sandbox/faults", limited)
    return shop


def _start(stack: Stack, until_the_end: ExitStack) -> Running:
    stack.migrate()
    shutil.rmtree(LOGS, ignore_errors=True)
    supervisor = stack.start(log_dir=LOGS)
    ledger = Ledger(stack.env["DATABASE_URL"], connections_max=2)
    until_the_end.callback(ledger.close)
    queue = RowQueue(stack.env["BROKER_URL"], visibility_timeout_s=60, prefetch_messages=1)
    until_the_end.callback(queue.close)
    return Running(stack=stack, supervisor=supervisor, ledger=ledger, queue=queue)


def _send(units: int, shop: Shop, stack: Stack, *, directory: Path) -> Sent:
    """Report the units through the client, and import the same file twice."""
    now = datetime.now(UTC)
    with Meterpost(stack.env["BROKER_URL"]) as meterpost:
        rows = meterpost.publish_many(unit_rows(units, customer=shop.units.customer, meter=shop.units.meter, now=now))
    file = directory / EXAMPLE.name
    file_units, file_rows = move_file(EXAMPLE, file, customer=shop.file.customer, now=now)
    for _ in range(TIMES_IMPORTED):
        _import(file, stack)
    return Sent(rows=rows + TIMES_IMPORTED * file_rows, units=units, file_units=file_units)


def _import(file: Path, stack: Stack) -> None:
    command = resolved(["meterpost", "usage", "import", str(file)])
    subprocess.run(command, cwd=ROOT, env=stack.env, check=True, capture_output=True)


def _watch(running: Running, *, console: Console, is_live: bool) -> None:
    """Watch until everything is settled or the time is up, and kill a worker in the middle of its calls."""
    until, is_killed = time.monotonic() + TIME_MAX_S, False
    notes = [f"Stripe answers 429 to {LIMITED_SHARE:.0%} of the calls."]
    with Live(console=console, refresh_per_second=5, transient=True) as live:
        while time.monotonic() < until:
            standings, now = running.look()
            waiting = running.queue.depth().waiting
            if is_live:
                live.update(steps_table(standings, waiting=waiting, now=now, notes=notes))
            if not is_killed and _count(standings, "accepted", "confirmed") >= KILL_AFTER:
                running.supervisor.kill("submit")
                is_killed = True
                notes.append("The submit worker was killed in the middle of its calls (kill -9).")
            if waiting == 0 and _is_settled(standings):
                return
            time.sleep(LOOK_S)


def _is_settled(standings: Sequence[Standing]) -> bool:
    return _count(standings, "recorded") > 0 and _count(standings, *UNSETTLED) == 0


def _count(standings: Sequence[Standing], *states: str) -> int:
    return sum(standing.count for standing in standings if standing.state in states and standing.step != "apply")


def _balance(running: Running, shop: Shop, sent: Sent) -> Balance:
    standings, _ = running.look()
    audited = ask_sandbox(running.stack.env["STRIPE_API_BASE"], f"/_sandbox/audit?account={SANDBOX_ACCOUNT}")
    totals = (
        _total(shop.units, sent.units, audited=audited["totals"]),
        _total(shop.file, sent.file_units, audited=audited["totals"]),
    )
    recorded, duplicate = _count(standings, "recorded"), _count(standings, "duplicate")
    confirmed = _count(standings, "confirmed")
    meter_events = _count(standings, *MADE)
    is_balanced = recorded + duplicate == sent.rows and confirmed == meter_events
    return Balance(
        rows_sent=sent.rows,
        rows_recorded=recorded,
        rows_duplicate=duplicate,
        meter_events=meter_events,
        confirmed=confirmed,
        refused=_count(standings, "refused"),
        totals=totals,
        preview=_preview(running.stack, shop.units),
        ok=is_balanced and all(total.difference == 0 for total in totals),
    )


def _total(subscribed: Subscribed, sent: int, *, audited: Sequence[dict[str, Any]]) -> Total:
    counted = sum(
        int(total["value"])
        for total in audited
        if (total["customer"], total["event_name"]) == (subscribed.customer, subscribed.meter)
    )
    return Total(
        customer=subscribed.customer, meter=subscribed.meter, sent=sent, stripe=counted, difference=sent - counted
    )


def _preview(stack: Stack, subscribed: Subscribed) -> dict[str, int | str]:
    settings = replace(
        load(),
        stripe_secret_key=stack.env["STRIPE_SECRET_KEY"],
        stripe_api_base=stack.env["STRIPE_API_BASE"],
    )
    preview = Gateway(settings).preview_invoice(subscribed.customer, subscription=subscribed.subscription)
    return {"amount": preview.amount, "currency": preview.currency}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
