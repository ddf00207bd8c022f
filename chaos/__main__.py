"""`make chaos`: a whole meterpost is hurt in every way, over and over, and not one unit may be lost or billed twice."""

import json
import sys
import tempfile
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from random import SystemRandom

import click
from rich.console import Console
from rich.table import Table

from chaos.control.__main__ import told
from chaos.control.run import control
from chaos.load import BATCH_ROWS
from chaos.plan import make_plan
from chaos.run import Found, run
from local.parent import end_with_parent

ROWS, FAULTS, KILLS = 100_000, 150, 50
LONG_ROWS, LONG_FAULTS, LONG_KILLS = 1_000_000, 1_300, 1_000
EPILOG = """\b
Examples:
  python -m chaos
  python -m chaos --rows 20000 --faults 126 --kills 33 --no-control
  python -m chaos --seed 7 --report chaos.json --logs chaos-logs
"""


@click.command(epilog=EPILOG)
@click.option("--seed", type=int, help="Of the plan and the rows; drawn, and told, if left out.")
@click.option("--rows", type=click.IntRange(min=BATCH_ROWS), default=ROWS, show_default=True, help="How many to send.")
@click.option("--faults", type=click.IntRange(min=1), default=FAULTS, show_default=True, help="How many, of all kinds.")
@click.option(
    "--kills", type=click.IntRange(min=0), default=KILLS, show_default=True, help="How many of the faults, at least."
)
@click.option(
    "--long",
    "is_long",
    is_flag=True,
    help=f"{LONG_ROWS:,} rows, {LONG_FAULTS:,} faults and {LONG_KILLS:,} kills instead, without the control.",
)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write what was found as JSON.")
@click.option("--no-control", "has_no_control", is_flag=True, help="Do not hurt stock parts as well, for comparison.")
@click.option("--logs", type=click.Path(file_okay=False, path_type=Path), help="Keep the processes' logs here.")
def main(
    *,
    seed: int | None,
    rows: int,
    faults: int,
    kills: int,
    is_long: bool,
    has_no_control: bool,
    report: Path | None,
    logs: Path | None,
) -> None:
    """Hurt a whole meterpost and judge what Stripe counted; exit 1 unless every unit was billed once.

    The same seed plays the same faults after the same rows, and makes the same draws. What they strike is decided by
    real processes.
    """
    end_with_parent()
    seed = SystemRandom().randrange(2**31) if seed is None else seed
    rows, faults, kills = (LONG_ROWS, LONG_FAULTS, LONG_KILLS) if is_long else (rows, faults, kills)
    batches = rows // BATCH_ROWS
    try:
        plan = make_plan(seed, batches=batches, faults=faults, kills=kills)
    except ValueError as impossible:
        raise click.UsageError(str(impossible)) from impossible
    click.echo(f"seed {seed}: {rows:,} rows, {faults:,} faults")
    with tempfile.TemporaryDirectory(prefix="meterpost-chaos-") as scratch:
        log_dir = logs or Path(scratch)
        log_dir.mkdir(parents=True, exist_ok=True)
        found = run(seed, plan, batches=batches, log_dir=log_dir, tell=click.echo)
        compared = None if has_no_control or is_long else control(seed, log_dir=log_dir)
    _show(found)
    if compared is not None:
        click.echo(told(compared))
    if report is not None:
        report.write_text(json.dumps(asdict(found) | {"wrongs": found.wrongs()}, default=_plain, indent=2) + "\n")
    sys.exit(1 if found.wrongs() or (compared is not None and compared.is_blind) else 0)


def _show(found: Found) -> None:
    faults = Table("fault", "struck", title="faults by kind")
    for kind, times in found.faults.items():
        faults.add_row(kind, f"{times:,}")
    Console().print(faults)
    block = Table.grid(padding=(0, 2))
    for name, figure in _block(found):
        block.add_row(name, figure)
    Console().print(block)
    for wrong in found.wrongs():
        click.echo(f"WRONG  {wrong}")


def _block(found: Found) -> list[tuple[str, str]]:
    return [
        ("seed", str(found.seed)),
        ("faults", f"{sum(found.faults.values()):,}, of them {found.kills:,} kills"),
        ("restarts", f"{found.restarts:,}"),
        ("rows", f"{found.rows:,}"),
        ("acknowledged", f"{found.acknowledged:,}"),
        ("recorded", f"{found.recorded:,}"),
        ("duplicates", f"{found.duplicates:,}"),
        ("redelivered", f"{found.redelivered:,}"),
        ("quarantined", f"{found.quarantined:,} of {found.quarantined_wanted:,}"),
        *found.verdict.table(),
        ("events", f"{found.heard.told:,}, recorded {found.heard.recorded:,}"),
        ("before a person", f"{len(found.standing):,}"),
        ("time to drain", "not drained" if found.drain_s is None else f"{found.drain_s:.1f} s"),
        ("time in all", f"{found.run_s:.0f} s"),
    ]


def _plain(value: object) -> str:
    assert isinstance(value, Decimal), "everything else in a report is JSON by itself"
    return f"{value:f}"


if __name__ == "__main__":
    main()
