"""`python -m chaos.events`: thousands of Stripe's events, tripled, shuffled and a tenth lost, to processes that die."""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from chaos.events.run import Figures, run
from local.parent import end_with_parent

EVENTS, KILLS = 5_000, 50
LONG_EVENTS, LONG_KILLS = 100_000, 500
EPILOG = """\b
Examples:
  python -m chaos.events --seed 7
  python -m chaos.events --events 500 --kills 6 --report events.json --logs events-logs
"""


@click.command(epilog=EPILOG)
@click.option("--seed", default=1, show_default=True, help="Of what happens, and of what becomes of its events.")
@click.option("--events", type=click.IntRange(min=100), default=EVENTS, show_default=True, help="How many, at least.")
@click.option("--kills", type=click.IntRange(min=0), default=KILLS, show_default=True, help="Of the door and of apply.")
@click.option("--long", "is_long", is_flag=True, help=f"{LONG_EVENTS:,} events and {LONG_KILLS:,} kills instead.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there as JSON.")
@click.option("--logs", type=click.Path(file_okay=False, path_type=Path), help="Keep the processes' logs here.")
def main(*, seed: int, events: int, kills: int, is_long: bool, report: Path | None, logs: Path | None) -> None:
    """Compare the mirrors with Stripe's own objects, field by field; exit 1 on any difference."""
    end_with_parent()
    events, kills = (LONG_EVENTS, LONG_KILLS) if is_long else (events, kills)
    with tempfile.TemporaryDirectory(prefix="meterpost-events-") as scratch:
        log_dir = logs or Path(scratch)
        log_dir.mkdir(parents=True, exist_ok=True)
        figures = run(seed, events=events, kills=kills, log_dir=log_dir, tell=click.echo)
    _show(figures)
    wrongs = figures.wrongs()
    if report is not None:
        report.write_text(json.dumps(asdict(figures) | {"wrong": wrongs}, indent=2) + "\n")
    for wrong in wrongs:
        click.echo(f"WRONG  {wrong}", err=True)
    click.echo("wrong" if wrongs else "every event was applied, and every mirror is as Stripe has it")
    sys.exit(bool(wrongs))


def _show(figures: Figures) -> None:
    table = Table("", "")
    found = figures.found
    for name, value in {
        "events": f"{found.events:,}",
        "of an object's same second": f"{found.same_second:,}",
        "deliveries, answered 200": f"{figures.deliveries:,}",
        "deliveries, attempted": f"{figures.attempts:,}",
        "never delivered, caught up": f"{figures.dropped:,}",
        "kills": ", ".join(f"{name} {count}" for name, count in sorted(figures.kills.items())),
        "processes that died": f"{figures.deaths:,}",
        "objects read from Stripe": f"{found.readings:,}",
        "objects compared": ", ".join(f"{kind} {count:,}" for kind, count in sorted(found.objects.items())),
        "items, lines": f"{found.items:,}, {found.lines:,}",
        "seconds": f"{figures.seconds:,}",
    }.items():
        table.add_row(name, value)
    Console().print(table)


if __name__ == "__main__":
    main()
