"""The demo: the whole of meterpost on this machine, a million units through it, and proof that each was billed once.

Real servers, real processes, real HTTP; only Stripe is the sandbox. On the way a worker is killed in the middle of
its calls, a fifth of Stripe's answers are 429s, and one file is imported twice. What was sent is counted by the
producer, what was billed by the sandbox's auditor, which knows nothing of our ledger.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from local.demo_balance import Balance, Total, show_balance
from local.demo_invoice import Invoice, close_period
from local.demo_rows import move_file, unit_rows
from local.demo_shop import Shop, Subscribed, open_shop
from local.demo_view import ANSWERED, MADE, Look, view
from local.guarded import ROOT, ServerError
from local.place import free_port
from local.procfile import resolved
from local.sandbox import ask_sandbox
from local.stack import SANDBOX_ACCOUNT, Stack
from local.supervisor import Supervisor
from meterpost import Meterpost
from service.ledger import Ledger
from service.ledger.overview import ledger_time, overview

UNITS = 1_200_000
LIMITED_SHARE = 0.2  # of the reports to Stripe that are answered 429
KILL_AFTER = 40  # acceptances: the worker is then in the middle of its calls
TIME_MAX_S = 100  # from the first line on; the end of all processes comes on top, and two minutes were promised
LOOK_S = 0.2
BATCH_ROWS = 2_000  # between two looks at the producer's count
LOGS = ROOT / ".meterpost" / "demo"
EXAMPLE = ROOT / "examples" / "usage.csv"  # the three rows of Stripe's own page
TIMES_IMPORTED = 2
METER_EVENTS_PATH = "/v1/billing/meter_events"
FOREIGN = ("METERPOST_", "STRIPE_", "DATABASE_URL", "BROKER_URL", "REDIS_URL", "PORT", "WEB_")


@dataclass(slots=True, kw_only=True)
class Sent:
    """The producer's own count, kept as it sends."""

    rows: int = 0
    units: int = 0
    file_units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Everything that runs, and the means to look at it."""

    stack: Stack
    supervisor: Supervisor
    ledger: Ledger
    shop: Shop
    sent: Sent
    began: float

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.began

    def look(self, *, is_all_sent: bool) -> Look:
        with self.ledger.transaction() as tx:
            standings, now = overview(tx), ledger_time(tx)
        return Look(standings=standings, now=now, sent=self.sent.rows, is_all_sent=is_all_sent)


def run(units: int = UNITS, *, as_json: bool) -> int:
    """Run the demo; returns the exit code: 0 only if every difference is 0."""
    began, console = time.monotonic(), Console(stderr=as_json, highlight=False)
    with ExitStack() as until_the_end:
        console.print("Starting PostgreSQL, Valkey and a sandbox of Stripe.")
        stack = until_the_end.enter_context(Stack(with_sandbox=True, env=_own_environment()))
        running = _start(stack, until_the_end, began=began)
        console.print(f"{len(running.supervisor.names)} processes are up; their logs are in {_shown(LOGS)}/.")
        until_the_end.callback(console.print, "Ending everything that was started.")
        last = _send_and_watch(units, running, console=console)
        balance = _balance(running, last)
        _tell(balance, running, last, console=console, as_json=as_json)
    return 0 if balance.ok else 1


def _tell(balance: Balance, running: Running, last: Look, *, console: Console, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(balance.as_json() + "\n")
    else:
        calls = ask_sandbox(running.stack.env["STRIPE_API_BASE"], "/_sandbox/audit")["by_status"]
        show_balance(console, balance, restarts=running.supervisor.restarts, calls=calls)
    if not last.is_settled:
        _explain(last, console=console)


def _own_environment() -> dict[str, str]:
    """Nothing of the caller's deployment: the demo brings servers, keys and settings of its own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return own | {
        "METERPOST_TIMING": "fast",
        "METERPOST_LOG_FORMAT": "json",
        "METERPOST_LOG_LEVEL": "info",
        "METERPOST_SUBMIT_THREADS": "16",
        "METERPOST_METER_EVENTS_PER_S": "1000",
        "METERPOST_CALLS_PER_S": "25",
        "PORT": str(free_port()),
    }


def _start(stack: Stack, until_the_end: ExitStack, *, began: float) -> Running:
    shop = _open_shop(stack)
    stack.migrate()
    _clear_logs()
    supervisor = stack.start(log_dir=LOGS)
    ledger = Ledger(stack.env["DATABASE_URL"], connections_max=2)
    until_the_end.callback(ledger.close)
    return Running(stack=stack, supervisor=supervisor, ledger=ledger, shop=shop, sent=Sent(), began=began)


def _open_shop(stack: Stack) -> Shop:
    api_base = stack.env["STRIPE_API_BASE"]
    door = f"http://127.0.0.1:{stack.env['PORT']}/stripe/webhook"
    shop = open_shop(stack.env["STRIPE_SECRET_KEY"], api_base=api_base, webhook_url=door)
    stack.env["STRIPE_WEBHOOK_SECRETS"] = shop.webhook_secrets
    ask_sandbox(api_base, "/_sandbox/settings", {"limits": "live"})
    limited = {"kind": "rate_limited", "path": METER_EVENTS_PATH, "share": LIMITED_SHARE, "reason": "endpoint-rate"}
    ask_sandbox(api_base, "/_sandbox/faults", limited)
    return shop


def _clear_logs() -> None:
    """File by file, for another demo may be writing to the same folder."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for log in LOGS.glob("*.log"):
        log.unlink(missing_ok=True)


def _send_and_watch(units: int, running: Running, *, console: Console) -> Look:
    """Send beside watching, so that rows are seen to move from the first second on. Returns the last look."""
    with ThreadPoolExecutor(1, thread_name_prefix="producer") as producer:
        return _watch(running, producer.submit(_send, units, running), console=console)


def _send(units: int, running: Running) -> None:
    """Report the units through the client, and import the same file twice."""
    now, sent, shop = datetime.now(UTC), running.sent, running.shop
    rows = unit_rows(units, customer=shop.units.customer, meter=shop.units.meter, now=now)
    with Meterpost(running.stack.env["BROKER_URL"]) as meterpost:
        while batch := list(islice(rows, BATCH_ROWS)):
            sent.rows += meterpost.publish_many(batch)
    sent.units = units
    file = LOGS / EXAMPLE.name
    sent.file_units, file_rows = move_file(EXAMPLE, file, customer=shop.file.customer, now=now)
    for _ in range(TIMES_IMPORTED):
        _import(file, running.stack)
        sent.rows += file_rows


def _import(file: Path, stack: Stack) -> None:
    command = resolved(["meterpost", "usage", "import", str(file)])
    ran = subprocess.run(command, cwd=ROOT, env=stack.env, check=False, capture_output=True, text=True)
    if ran.returncode != 0:
        raise ServerError(f"{' '.join(command)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")


def _watch(running: Running, sending: Future[None], *, console: Console) -> Look:
    """Watch until everything is settled or the time is up, and kill a worker in the middle of its calls."""
    notes = [f"Stripe answers 429 to {LIMITED_SHARE:.0%} of the calls."]
    is_killed = False
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            look = running.look(is_all_sent=_is_done(sending))
            live.update(view(look, elapsed_s=running.elapsed_s, notes=notes), refresh=console.is_terminal)
            if look.is_settled or running.elapsed_s > TIME_MAX_S:
                return look
            if not is_killed and look.meter_events(*ANSWERED) >= KILL_AFTER:
                running.supervisor.kill("submit")
                is_killed = True
                notes.append("The submit worker was killed in the middle of its calls (kill -9).")
            time.sleep(LOOK_S)


def _is_done(sending: Future[None]) -> bool:
    """Whether everything is sent; raises what the sending raised."""
    return sending.done() and sending.result() is None


def _balance(running: Running, last: Look) -> Balance:
    audited = ask_sandbox(running.stack.env["STRIPE_API_BASE"], f"/_sandbox/audit?account={SANDBOX_ACCOUNT}")["totals"]
    shop, sent = running.shop, running.sent
    totals = (
        _total(shop.units, sent.units, audited=audited),
        _total(shop.file, sent.file_units, audited=audited),
    )
    recorded, duplicate = last.count("record", "recorded"), last.count("record", "duplicate")
    meter_events, confirmed = last.meter_events(*MADE), last.meter_events("confirmed")
    invoice = _closed(running.stack, shop.units)
    is_balanced = last.is_settled and recorded + duplicate == sent.rows and confirmed == meter_events
    return Balance(
        rows_sent=sent.rows,
        rows_recorded=recorded,
        rows_duplicate=duplicate,
        meter_events=meter_events,
        confirmed=confirmed,
        refused=last.meter_events("refused"),
        totals=totals,
        invoice=invoice,
        ok=is_balanced and all(total.difference == 0 for total in totals) and invoice.units == sent.units,
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


def _closed(stack: Stack, subscribed: Subscribed) -> Invoice:
    key, api_base = stack.env["STRIPE_SECRET_KEY"], stack.env["STRIPE_API_BASE"]
    return close_period(key, api_base=api_base, subscription=subscribed.subscription)


def _explain(last: Look, *, console: Console) -> None:
    """Why there is no proof: what is still on its way, and where to read on."""
    unsettled = ", ".join(f"{count:,} {name}" for name, count in last.unsettled.items()) or "rows to send"
    console.print(f"Not settled after {TIME_MAX_S} s: {unsettled}.", style="red")
    console.print(f"Nothing is lost by that; what each process did stands in {_shown(LOGS)}/*.log.")


def _shown(path: Path) -> Path:
    """As short as it can be said from where the user is."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
