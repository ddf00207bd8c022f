"""`python -m chaos.signups`: 10,000 subscription rows, 25 calls a second, a fifth of them refused, and deaths."""

import json
import sys
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from chaos.signups.place import STORM, STRIPES_OWN_PER_S
from chaos.signups.run import Figures, Plan, run
from local.parent import end_with_parent
from service.timing import PROFILES

ROWS, KILLS = 10_000, 27
HELD = "One subscription a row, none missing and none doubled, each call told: all of it held."
SEES = "The blind worker doubles subscriptions, and the storm sees it."
EPILOG = """\b
Examples:
  python -m chaos.signups --seed 7
  python -m chaos.signups --rows 150 --rate 250 --timing fast --kills 9 --report signups.json
  python -m chaos.signups --rows 150 --rate 250 --timing fast --blind
"""


@click.command(epilog=EPILOG)
@click.option("--seed", default=1, show_default=True, help="Of what is told, and of what fails.")
@click.option("--rows", type=click.IntRange(min=10), default=ROWS, show_default=True, help="How many to tell.")
@click.option(
    "--rate",
    type=click.IntRange(min=5, max=1_000),
    default=STRIPES_OWN_PER_S,
    show_default=True,
    help=f"Permitted calls a second; the sandbox keeps {STRIPES_OWN_PER_S} as Stripe does, and no other limit.",
)
@click.option("--timing", type=click.Choice(list(PROFILES)), default="standard", help="As METERPOST_TIMING says.")
@click.option("--kills", type=click.IntRange(min=0), default=KILLS, show_default=True, help="Of workers and servers.")
@click.option("--blind", "is_blind", is_flag=True, help="With a worker that must double, or the storm is blind.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there as JSON.")
@click.option("--logs", type=click.Path(file_okay=False, path_type=Path), help="Keep the processes' logs here.")
def main(*, report: Path | None, logs: Path | None, **asked: Any) -> None:
    """Make every subscription once, through all of it; exit 1 where one is missing, doubled, or not accounted for."""
    end_with_parent()
    plan = Plan(**asked)
    with tempfile.TemporaryDirectory(prefix="meterpost-signups-") as scratch:
        log_dir = logs or Path(scratch)
        log_dir.mkdir(parents=True, exist_ok=True)
        figures = run(plan, log_dir=log_dir, tell=partial(click.echo, err=True))
    _show(figures)
    wrongs = figures.wrongs()
    if report is not None:
        report.write_text(json.dumps(asdict(figures) | {"plan": asdict(plan), "wrong": wrongs}, indent=2) + "\n")
    if plan.is_blind:
        click.echo(SEES if figures.verdict.doubled else "WRONG  nothing is doubled: the storm is blind")
        sys.exit(not figures.verdict.doubled)
    for wrong in wrongs:
        click.echo(f"WRONG  {wrong}", err=True)
    if not wrongs:
        click.echo(HELD)
    sys.exit(bool(wrongs))


def _show(figures: Figures) -> None:
    verdict, table = figures.verdict, Table("", "")
    for name, value in {
        "rows": f"{figures.rows:,}",
        "subscriptions at Stripe": f"{verdict.created:,}",
        "missing, doubled": f"{len(verdict.missing):,}, {len(verdict.doubled):,}",
        "before a person": f"{verdict.before_person:,}",
        "calls": f"{figures.calls:,}, {figures.calls / figures.rows:.2f} a row",
        "by step": _listed(verdict.calls),
        "by status": _listed(verdict.statuses),
        "whose answer was lost": f"{verdict.unheard:,}",
        "calls a second": f"{figures.used_per_s}, {figures.used_share:.0%} of what is permitted",
        "held at most at once": f"{figures.held:,}",
        "minutes that clocks were put on": f"{figures.minutes_passed:,}",
        "struck": _listed(figures.struck),
        "workers that died": f"{figures.deaths:,}",
        "calls that create, told again": f"{figures.calls_again:,}",
        "seconds": f"{figures.seconds:,}",
    }.items():
        table.add_row(name, value)
    Console().print(table)
    click.echo(f"each call met: {', '.join(_faulty(fault) for fault in STORM)}")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def _faulty(fault: dict[str, object]) -> str:
    return f"{fault['kind']} {fault['share']:.1%}"


if __name__ == "__main__":
    main()
