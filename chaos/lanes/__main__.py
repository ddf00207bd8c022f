"""`python -m chaos.lanes`: one hot customer, 999 cold ones, eight submit processes, and 100 calls a second."""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from chaos.lanes.figures import Figures
from chaos.lanes.run import run
from local.parent import end_with_parent

HELD = "One call a lane, nobody starved, the permitted rate used and not exceeded: all of it held."
EPILOG = """\b
Examples:
  python -m chaos.lanes --seed 1
  python -m chaos.lanes --report lanes.json
"""


@click.command(epilog=EPILOG)
@click.option("--seed", default=1, show_default=True, help="Of what is told, and of what fails.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there as JSON.")
@click.option("--logs", type=click.Path(file_okay=False, path_type=Path), help="Keep the processes' logs here.")
def main(*, seed: int, report: Path | None, logs: Path | None) -> None:
    """Share a limit among eight processes; exit 1 where a lane had two calls, or the rate is not used or exceeded."""
    end_with_parent()
    with tempfile.TemporaryDirectory(prefix="meterpost-lanes-") as scratch:
        log_dir = logs or Path(scratch)
        log_dir.mkdir(parents=True, exist_ok=True)
        found = run(seed, log_dir=log_dir, tell=click.echo)
    _show(found)
    wrongs = [wrong for each in found for wrong in each.wrongs()]
    if report is not None:
        told = {"seed": seed, "phases": [asdict(each) for each in found], "wrong": wrongs}
        report.write_text(json.dumps(told, indent=2) + "\n")
    for wrong in wrongs:
        click.echo(f"WRONG  {wrong}", err=True)
    if not wrongs:
        click.echo(HELD)
    sys.exit(bool(wrongs))


def _show(found: list[Figures]) -> None:
    table = Table("", *(each.phase for each in found))
    for name, figure in _ROWS.items():
        table.add_row(name, *(str(asdict(each)[figure]) for each in found))
    Console().print(table)


_ROWS = {
    "meter events": "meter_events",
    "calls": "calls",
    "most in flight on a lane": "in_flight_max",
    "calls a second, permitted": "permitted_per_s",
    "used while many waited": "used_per_s",
    "most within a second so far": "max_in_a_second",
    "turns of the hot lane": "hot_turns",
    "longest of them, s": "hot_turn_s_max",
    "its share while many waited": "hot_share",
    "longest wait of a cold lane, s": "cold_wait_s_max",
    "hot turns begun within one": "hot_turns_max",
    "429s of the limiter": "limited",
    "429s lock_timeout": "lock_timeouts",
    "times the limiter slowed down": "slowed",
    "longest delay so far, s": "stall_s_max",
    "doubled": "doubled",
    "lost": "lost",
}

if __name__ == "__main__":
    main()
