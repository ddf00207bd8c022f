"""`python -m bench.sandbox`: 200 clients for a minute; every answer is checked, and calls a second are measured.

What counts is calls per second of the sandbox's own processor time: on two cores the clients need most of the machine,
so calls per second of the clock would measure them. Beside it stands a bare server that only reads and answers, driven
by the same clients in the same run, and what a pipeline needs at most: Stripe takes 1,000 meter events a second.
"""

import asyncio
import json
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from random import Random

import click
from aiohttp import ClientSession, ClientTimeout, TCPConnector
from rich.console import Console
from rich.table import Table

from bench.clients import Client, Shop, Tally, clients
from local.parent import end_with_parent, tethered

ROOT = Path(__file__).resolve().parents[1]
NEED_PER_S = 1_000
TIMEOUT_S = 60
STOP_S = 30
SHARE_OF_EVENTS_ONLY = 1 / 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one stretch: times in seconds, latencies in milliseconds."""

    what: str
    calls: int
    wrong: int
    per_s: int
    per_cpu_s: int
    median_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    url: str
    key: str
    """Empty for the bare server, which has none and no objects."""


@click.command()
@click.option("--clients", "count", default=200, show_default=True, help="How many call at the same time.")
@click.option("--seconds", default=60.0, show_default=True, help="How long they do everything; events alone a sixth.")
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(count: int, *, seconds: float, seed: int, as_json: bool) -> None:
    """Measure the sandbox; exit 1 when an answer was wrong or a sum did not come out."""
    end_with_parent()
    events_s = seconds * SHARE_OF_EVENTS_ONLY
    figures = [
        measured("bare server, events", ["bench.bare"], count=count, seconds=events_s, seed=seed),
        measured("sandbox, events", ["sandbox", "serve", "--port", "0"], count=count, seconds=events_s, seed=seed),
        measured("sandbox, everything", ["sandbox", "serve", "--port", "0"], count=count, seconds=seconds, seed=seed),
    ]
    _show(figures, as_json=as_json)
    sys.exit(any(each.wrong for each in figures))


def measured(what: str, command: list[str], *, count: int, seconds: float, seed: int) -> Figures:
    """Drives a server of its own; its processor time, the start included, is read when it has ended."""
    tally, cpu_before = Tally(), _children_cpu_s()
    with _serving(command) as server:
        elapsed_s = asyncio.run(_drive(server, what, tally, count=count, seconds=seconds, seed=seed))
    calls = len(tally.latencies_s)
    for wrong in tally.wrong[:10]:
        click.echo(f"wrong: {what}: {wrong}", err=True)
    return Figures(
        what=what,
        calls=calls,
        wrong=len(tally.wrong),
        per_s=round(calls / elapsed_s),
        per_cpu_s=round(calls / (_children_cpu_s() - cpu_before)),
        median_ms=round(statistics.median(tally.latencies_s) * 1_000, 1),
        p99_ms=round(statistics.quantiles(tally.latencies_s, n=100)[98] * 1_000, 1),
    )


async def _drive(server: Server, what: str, tally: Tally, *, count: int, seconds: float, seed: int) -> float:
    """Seconds that it took; a call that is not answered within a minute ends it all: that would be a deadlock."""
    connector, timeout = TCPConnector(limit=0), ClientTimeout(total=TIMEOUT_S)
    async with ClientSession(connector=connector, timeout=timeout) as http:
        shop, crowd = await _opened(http, server, tally, count=count, seed=seed)
        tally.latencies_s.clear()
        began = time.monotonic()
        until = began + seconds
        everything = what.endswith("everything")
        await asyncio.gather(
            *(client.use_everything(until=until) if everything else client.send_only(until=until) for client in crowd)
        )
        elapsed_s = time.monotonic() - began
        if server.key:
            await _settle(shop, crowd)
        return elapsed_s


async def _opened(
    http: ClientSession, server: Server, tally: Tally, *, count: int, seed: int
) -> tuple[Shop, list[Client]]:
    shop = Shop(http=http, url=server.url, key=server.key, meter="", tally=tally)
    if not server.key:
        return shop, [Client(shop=shop, customer="", subscription="", chance=Random(seed), began_at=0)] * count
    meter = {"display_name": "Calls", "event_name": "calls", "default_aggregation[formula]": "sum"}
    shop = replace(shop, meter=(await shop.call("POST", "/v1/billing/meters", form=meter)).body["id"])
    return shop, await clients(shop, count=count, seed=seed)


async def _settle(shop: Shop, crowd: list[Client]) -> None:
    """Whether each client's units are in the sandbox's summaries and in its auditor's books, exactly."""
    for client in crowd:
        if not await client.summary():
            shop.tally.wrong.append(f"{client.customer}: the summary is not {client.units}")
    audited = (await shop.call("GET", "/_sandbox/audit")).body
    units = {total["customer"]: Decimal(total["value"]) for total in audited["totals"]}
    if units != {client.customer: client.units for client in crowd} or audited["applied_twice"]:
        shop.tally.wrong.append("the auditor's books differ from what was sent")


@contextmanager
def _serving(command: list[str]) -> Iterator[Server]:
    program = tethered([sys.executable, "-m", *command], ended_by=signal.SIGTERM)
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None, "its first line names its address"
        told = json.loads(child.stdout.readline())
        try:
            yield Server(url=told["listening"], key=told.get("key", ""))
        finally:
            child.terminate()
            child.wait(STOP_S)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _show(figures: list[Figures], *, as_json: bool) -> None:
    bare, events, _ = figures
    ratios = {
        "to_bare": round(events.per_cpu_s / bare.per_cpu_s, 2),
        "to_need": round(events.per_cpu_s / NEED_PER_S, 1),
    }
    if as_json:
        click.echo(json.dumps({"figures": [asdict(each) for each in figures], "ratios": ratios}, indent=2))
        return
    table = Table("", "calls", "wrong", "calls/s", "calls/CPU s", "median ms", "p99 ms")
    for each in figures:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in asdict(each).values()))
    Console().print(table)
    click.echo(
        f"Meter events on one core: {ratios['to_need']} times what a pipeline needs at most ({NEED_PER_S:,}/s), "
        f"{ratios['to_bare']} of what a server does that only reads and answers."
    )


if __name__ == "__main__":
    main()
