"""`make restores`: the ledger is put back to an earlier time, again and again, and no unit is billed twice."""

import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path

import click
import psycopg
from rich.console import Console
from rich.table import Table

from chaos.restores.place import RestorableServer, restorable
from chaos.restores.round import Found, Round
from local.parent import end_with_parent
from local.sandbox import make_key, sandbox
from local.valkey import valkey
from service import logs
from service.migrate import migrate

RESTORES = 20
COLUMNS = ("seed", "rows", "forgotten calls", "forgotten rows", "noticed", "externals", "doubled", "lost", "standing")
EPILOG = """\b
Examples:
  python -m chaos.restores
  python -m chaos.restores --restores 1 --seed 7
  python -m chaos.restores --restores 3 --control
"""


@click.command(epilog=EPILOG)
@click.option("--restores", type=click.IntRange(1, 1_000), default=RESTORES, show_default=True, help="How many.")
@click.option("--seed", "first", default=1, show_default=True, help="Of the first; each other has the next number.")
@click.option("--control", "is_control", is_flag=True, help="Without witnesses: must double, or the run is blind.")
def main(*, restores: int, first: int, is_control: bool) -> None:
    """Restore a ledger under load; exit 1 unless each restore is noticed, and nothing is doubled or lost."""
    end_with_parent()
    began_s = time.monotonic()
    found: list[Found] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="meterpost-restores-")))
        directory.chmod(0o755)
        server = stack.enter_context(restorable(directory / "postgres"))
        redis, stripe = stack.enter_context(valkey()), stack.enter_context(sandbox())
        with redirect_stdout(io.StringIO()):  # what goes wrong on purpose would only hide the table
            logs.configure(process="restores", log_format="json")
        migrate(server.url)  # once: each seed's ledger is a copy of this one
        for seed in range(first, first + restores):
            with _ledger(server, f"ledger_{seed}") as database_url, redirect_stdout(io.StringIO()):
                _set_environment(seed, database_url, redis_url=redis.url, sandbox_url=stripe.url)
                file = None if is_control else directory / f"witness-{seed}"
                found.append(Round(seed=seed, server=server, witness_file=file).play())
    _tell(found, took_s=time.monotonic() - began_s)
    is_blind = not any(one.doubled for one in found)
    sys.exit(int(is_blind if is_control else any(one.is_wrong for one in found)))


@contextmanager
def _ledger(server: RestorableServer, name: str) -> Iterator[str]:
    """A database of its own for each seed, and gone after it, so that the files to keep and put back stay few."""
    address, _, template = server.url.rpartition("/")
    try:
        _run(f"{address}/template1", f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield f"{address}/{name}"
    finally:
        _run(f"{address}/template1", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _run(database_url: str, statement: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _set_environment(seed: int, database_url: str, *, redis_url: str, sandbox_url: str) -> None:
    """Each seed has an account of its own."""
    make_key(sandbox_url, f"sk_test_{seed}", account=f"acct_{seed}")
    os.environ |= {
        "DATABASE_URL": database_url,
        "BROKER_URL": redis_url,
        "REDIS_URL": redis_url.removesuffix("/0") + "/1",
        "STRIPE_SECRET_KEY": f"sk_test_{seed}",
        "STRIPE_API_BASE": sandbox_url,
        "METERPOST_TIMING": "fast",
        "METERPOST_CALLS_PER_S": "1000",
        "METERPOST_METER_EVENTS_PER_S": "1000",
    }


def _tell(found: list[Found], *, took_s: float) -> None:
    table = Table(*COLUMNS)
    for one in found:
        figures = (one.seed, one.rows, one.forgotten_calls, one.forgotten_rows, one.is_noticed, one.externals)
        table.add_row(*map(str, (*figures, one.doubled, one.lost, one.standing)))
    Console().print(table)
    doubled, lost = sum(one.doubled for one in found), sum(one.lost for one in found)
    noticed, early = sum(one.is_noticed for one in found), sum(one.calls_before_confirming for one in found)
    click.echo(
        f"{len(found)} restores in {took_s:.0f} s: {noticed} noticed, {early} calls before a person confirmed,"
        f" {doubled} units doubled, {lost} lost, {sum(one.standing for one in found)} before a person"
    )


if __name__ == "__main__":
    main()
