"""`python -m chaos.control`: exits 1 where stock parts neither lost nor doubled, because then nothing was tried."""

import sys
import tempfile
from pathlib import Path

import click

from chaos.control.run import Control, control
from local.parent import end_with_parent

EPILOG = """\b
Examples:
  python -m chaos.control
  python -m chaos.control --seed 7
"""


@click.command(epilog=EPILOG)
@click.option("--seed", default=1, show_default=True, help="Of the faults, and of when they strike.")
def main(*, seed: int) -> None:
    """Hurt stock parts: kombu's consumer, RQ's worker, and Stripe's SDK with a new call for each try.

    They must lose or double: exit 1 where they do neither, because then the faults are harmless and nothing was tried.
    """
    end_with_parent()
    with tempfile.TemporaryDirectory(prefix="meterpost-control-") as scratch:
        found = control(seed, log_dir=Path(scratch))
    click.echo(told(found))
    sys.exit(1 if found.is_blind else 0)


def told(found: Control) -> str:
    faults = sum(found.faults.values())
    figures = f"{faults} faults: {found.told:,} units told, {found.lost:,} lost, {found.extra:,} extra"
    return f"control on stock parts, {figures}" + (" — the harness is blind" if found.is_blind else "")


if __name__ == "__main__":
    main()
