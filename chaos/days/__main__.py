"""`python -m chaos.days`: days of outages on a virtual clock, with summaries in time and 30 hours late."""

import json
import resource
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from chaos.days.books import Books
from chaos.days.missed import FULL_DAYS, missed
from chaos.days.report import Figures, figures, page, summary
from chaos.days.run import Plan, Run, play
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
    told: dict[str, Figures] = {}
    shown: dict[str, Figures] = {}
    wrongs: list[str] = []
    for name, lag_s in LAGS_S.items():
        began, spent = time.monotonic(), _cpu_s()
        run, books = play(Plan(days=days, seed=seed, lag_s=lag_s))
        cost = {"seconds": round(time.monotonic() - began), "seconds of CPU": round(_cpu_s() - spent)}
        told[name], shown[name] = figures(run, books) | cost, summary(run, books) | cost
        wrongs += [f"{name}: {wrong}" for wrong in [*_missed(run, books), *books.wrongs()]]
    Console().print(page(shown))
    if report is not None:
        report.write_text(json.dumps(told | {"wrong": wrongs}, indent=2) + "\n")
    for wrong in wrongs:
        click.echo(wrong, err=True)
    click.echo(f"{len(wrongs)} wrong" if wrongs else "Nothing lost, nothing doubled, nothing unexplained.")
    sys.exit(bool(wrongs))


def _missed(run: Run, books: Books) -> list[str]:
    if run.plan.days < FULL_DAYS:
        return []
    return missed(run.storms, steps=run.stormy, mishaps_done=run.mishaps.did, found_twice=books.found_twice)


def _cpu_s() -> float:
    """Of this process and of the children that have ended, which are all servers of runs before."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


if __name__ == "__main__":
    main()
