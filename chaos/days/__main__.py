"""`python -m chaos.days`: days of outages on a virtual clock, with summaries in time and 30 hours late."""

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import click
from rich.console import Console

from chaos.days.lived import Lived, begin_beside, live
from chaos.days.report import page
from chaos.days.run import Plan
from local.parent import end_with_parent

LAGS_S = {"summaries in time": 60, "summaries 30 hours late": 30 * 3600}
EPILOG = """\b
Examples:
  python -m chaos.days --days 12 --seed 1
  python -m chaos.days --days 3 --report days.json
"""


@click.command(epilog=EPILOG)
@click.option(
    "--days",
    default=12,
    show_default=True,
    help="Of usage and weather; days of rest follow. Fewer than 12 have not room for everything.",
)
@click.option("--seed", default=1, show_default=True, help="Of everything that happens.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the figures there as JSON.")
def main(*, days: int, seed: int, report: Path | None) -> None:
    """Live through outages of up to 60 hours; exit 1 when a unit is lost, doubled or unexplained."""
    end_with_parent()
    runs = _live_all({name: Plan(days=days, seed=seed, lag_s=lag_s) for name, lag_s in LAGS_S.items()})
    wrongs = [f"{name}: {wrong}" for name, lived in runs.items() for wrong in lived.wrongs]
    Console().print(page({name: lived.shown for name, lived in runs.items()}))
    if report is not None:
        told = {name: lived.told for name, lived in runs.items()}
        report.write_text(json.dumps(told | {"wrong": wrongs}, indent=2) + "\n")
    for wrong in wrongs:
        click.echo(wrong, err=True)
    click.echo(f"{len(wrongs)} wrong" if wrongs else "Nothing lost, nothing doubled, nothing unexplained.")
    sys.exit(bool(wrongs))


def _live_all(plans: dict[str, Plan]) -> dict[str, Lived]:
    """Side by side, each in a process with servers of its own: no run waits for another's days."""
    with ProcessPoolExecutor(len(plans), mp_context=get_context("spawn"), initializer=begin_beside) as beside:
        return dict(zip(plans, beside.map(live, plans.values()), strict=True))


if __name__ == "__main__":
    main()
