"""`python -m bench.door`: how many events a second the door records, and how long one waits for its answer.

Beside it stands the plain Flask endpoint (`bench/plain_door.py`) behind the same gunicorn settings, on the same
PostgreSQL, which syncs to the disk as in earnest. The two take turns, so that whatever else the machine does is shared.
"""

import hmac
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
import psycopg
from rich.console import Console
from rich.table import Table

from local.guarded import ROOT
from local.parent import end_with_parent, tethered
from local.place import free_port
from local.postgres import postgres
from local.procfile import resolved

APPS = {"the door": "webhooks.app:create_app()", "plain Flask": "bench.plain_door:create_app()"}
SECRET = "whsec_bench"  # noqa: S105 - made up
CLIENTS = 8  # as many as the threads of two workers
WARM_UP = 200
PATIENCE_S = 60
ATTRIBUTES = {f"field_{number}": f"what a subscription tells, {number}" for number in range(40)}  # 2 KB, as Stripe's
EVENTS = "SELECT count(*), sum(deliveries) FROM event"


@dataclass(kw_only=True)
class Endpoint:
    """One of the two, and what was measured of it."""

    what: str
    port: int
    pid: int
    database_url: str
    latencies_s: list[float] = field(default_factory=list)
    spent_s: float = 0
    cpu_s: float = 0
    sent: int = 0


@dataclass(frozen=True, kw_only=True)
class Figures:
    what: str
    requests: int
    per_s: int
    cpu_ms: float
    median_ms: float
    p99_ms: float


@click.command()
@click.option("--requests", default=1_000, show_default=True, help="Of each turn.")
@click.option("--turns", default=10, show_default=True, help="Of each of the two.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(requests: int, turns: int, *, as_json: bool) -> None:
    """Measure the door and the plain endpoint by turns; exit 1 where an answer was not 200 or an event is missing."""
    end_with_parent()
    with ExitStack() as until_the_end:
        server = until_the_end.enter_context(postgres())
        subprocess.run(
            resolved(["meterpost", "migrate"]), cwd=ROOT, env=_env(server.url), check=True, capture_output=True
        )
        doors = [until_the_end.enter_context(_open(what, server.url)) for what in APPS]
        for each in doors:
            _send(each, WARM_UP)
            each.latencies_s, each.spent_s, each.cpu_s = [], 0, 0
        for turn in range(turns):
            for each in doors if turn % 2 == 0 else reversed(doors):
                _send(each, requests)
        missing = [each.what for each in doors if _recorded(each) != (each.sent, each.sent)]
    _show([_figures(each) for each in doors], as_json=as_json)
    for what in missing:
        click.echo(f"WRONG  {what} has not recorded what it answered", err=True)
    sys.exit(bool(missing))


@contextmanager
def _open(what: str, server_url: str) -> Iterator[Endpoint]:
    """The endpoint with a ledger of its own, a copy of the migrated one."""
    name = what.replace(" ", "_").lower()
    with psycopg.connect(f"{server_url.rpartition('/')[0]}/template1", autocommit=True) as maintenance:
        maintenance.execute(f"CREATE DATABASE {name} TEMPLATE postgres".encode())
    url, port = f"{server_url.rpartition('/')[0]}/{name}", free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", APPS[what]]
    with subprocess.Popen(
        tethered(command, ended_by=signal.SIGTERM),
        cwd=ROOT,
        env=_env(url) | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
    ) as child:
        try:
            _wait_for(port)
            yield Endpoint(what=what, port=port, pid=child.pid, database_url=url)
        finally:
            child.terminate()
            child.wait(PATIENCE_S)


def _env(database_url: str) -> dict[str, str]:
    told = {"DATABASE_URL": database_url, "STRIPE_WEBHOOK_SECRETS": SECRET, "METERPOST_LOG_FORMAT": "json"}
    return {"PATH": os.defpath, "HOME": "/nonexistent", **told}


def _wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        threading.Event().wait(0.05)
    raise TimeoutError(f"nobody listens on port {port}")


def _send(to: Endpoint, requests: int) -> None:
    """So many events, each a new one, over CLIENTS connections that are kept."""
    told = [_signed(f"evt_{to.sent + number}") for number in range(requests)]
    to.sent += requests
    cpu_s, began_s = _cpu_s(to.pid), time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        for latencies in clients.map(lambda n: _post_all(to.port, told[n::CLIENTS]), range(CLIENTS)):
            to.latencies_s += latencies
    to.spent_s += time.monotonic() - began_s
    to.cpu_s += _cpu_s(to.pid) - cpu_s


def _signed(event_id: str) -> tuple[bytes, str]:
    event = {
        "id": event_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "type": "customer.subscription.updated",
        "livemode": False,
        "data": {"object": {"id": "sub_1", "object": "subscription", **ATTRIBUTES}},
    }
    body, now = json.dumps(event).encode(), int(time.time())
    return body, f"t={now},v1={hmac.digest(SECRET.encode(), b'%d.' % now + body, 'sha256').hex()}"


def _post_all(port: int, told: list[tuple[bytes, str]]) -> list[float]:
    """Seconds until each answer."""
    latencies = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    for body, signature in told:
        began_s = time.monotonic()
        connection.request("POST", "/stripe/webhook", body, {"Stripe-Signature": signature})
        answer = connection.getresponse()
        answer.read()
        latencies.append(time.monotonic() - began_s)
        assert answer.status == 200, answer.status
    connection.close()
    return latencies


def _recorded(by: Endpoint) -> tuple[int, int]:
    with psycopg.connect(by.database_url) as ledger:
        events, deliveries = ledger.execute(EVENTS).fetchone() or (0, 0)
    return int(events), int(deliveries or 0)


def _cpu_s(pid: int) -> float:
    """Of gunicorn and of its workers; one that was replaced in between is not counted."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = 0
    for each in (str(pid), *children):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _figures(of: Endpoint) -> Figures:
    requests = len(of.latencies_s)
    return Figures(
        what=of.what,
        requests=requests,
        per_s=round(requests / of.spent_s),
        cpu_ms=round(1_000 * of.cpu_s / requests, 2),
        median_ms=round(1_000 * statistics.median(of.latencies_s), 1),
        p99_ms=round(1_000 * statistics.quantiles(of.latencies_s, n=100)[98], 1),
    )


def _show(figures: list[Figures], *, as_json: bool) -> None:
    ours, plain = figures
    ratios = {"per_s": round(ours.per_s / plain.per_s, 2), "p99": round(ours.p99_ms / plain.p99_ms, 2)}
    if as_json:
        click.echo(json.dumps({"figures": [asdict(each) for each in figures], "ratios": ratios}, indent=2))
        return
    table = Table("", "requests", "requests/s", "CPU ms each", "median ms", "p99 ms")
    for each in figures:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in asdict(each).values()))
    Console().print(table)
    click.echo(f"The door records {ratios['per_s']} times as many a second, with {ratios['p99']} times the p99.")


if __name__ == "__main__":
    main()
