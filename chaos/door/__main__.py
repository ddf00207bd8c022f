"""`make fuzz-door`: a million requests of every kind, and only statuses, books and memory as they may be."""

import json
import logging
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

import click

from chaos.door.run import Found, growth_mb, run
from local.parent import end_with_parent
from local.postgres import postgres
from service.migrate import migrate

REQUESTS = 1_000_000
EPILOG = """\b
Examples:
  python -m chaos.door --requests 20000 --seed 1
  python -m chaos.door --report door.json
"""


@click.command(epilog=EPILOG)
@click.option("--requests", type=click.IntRange(min=1_000), default=REQUESTS, show_default=True, help="How many.")
@click.option("--seed", type=int, help="Of what is sent; drawn, and told, if left out.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write what was found as JSON.")
def main(*, requests: int, seed: int | None, report: Path | None) -> None:
    """Send the door what strangers may; exit 1 on any 5xx, on an event nobody signed, or where memory grows.

    Most requests are called as a server would hand them over; one in 40 is written to the deployed door's socket.
    """
    end_with_parent()
    logging.getLogger("meterpost").setLevel(logging.CRITICAL)  # of this process: the deployed door's lines are counted
    seed = SystemRandom().randrange(2**31) if seed is None else seed
    click.echo(f"seed {seed}: {requests:,} requests")
    with tempfile.TemporaryDirectory(prefix="meterpost-door-") as scratch, postgres(fsync=False) as server:
        migrate(server.url)
        found = run(server.url, requests=requests, seed=seed, log=Path(scratch) / "door.log", tell=click.echo)
    _show(found)
    if report is not None:
        report.write_text(json.dumps({"seed": seed, **vars(found), "wrongs": found.wrongs()}, indent=2) + "\n")
    sys.exit(bool(found.wrongs()))


def _show(found: Found) -> None:
    by_status = ", ".join(f"{count:,} of {status}" for status, count in sorted(found.statuses.items()))
    click.echo(f"answered: {by_status}; hung up on: {found.unanswered:,}")
    click.echo(f"recorded: {found.events:,} events, {found.deliveries:,} deliveries of {found.received:,} answered 200")
    click.echo(f"counted: {found.counted:,} of {found.refused:,} refused calls; {found.lines:,} lines in the log")
    for where, levels in found.resident_mb.items():
        span = f"{min(levels):.0f} to {max(levels):.0f} MB"
        click.echo(f"{where}: {span}, the second half {growth_mb(levels):+.1f} MB beyond the first")
    for wrong in found.wrongs():
        click.echo(f"WRONG  {wrong}", err=True)
    click.echo("the door held" if not found.wrongs() else "the door did not hold")


if __name__ == "__main__":
    main()
