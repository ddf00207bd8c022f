"""`python -m chaos.periods`: three billing periods to the last second, with drafts left alone and with drafts held."""

import sys
import time

import click
from rich.console import Console
from rich.table import Table

from chaos.periods.judge import Judgement
from chaos.periods.run import Plan, play
from local.parent import end_with_parent

HOLDS_S = {"drafts left to Stripe": 0, "drafts held for 24 hours": 86_400}
EPILOG = """\b
Examples:
  python -m chaos.periods --seed 1
"""


@click.command(epilog=EPILOG)
@click.option("--seed", default=1, show_default=True, help="Of what is used, and when.")
def main(*, seed: int) -> None:
    """Live through three periods; exit 1 where a unit is neither on its invoice nor in an alarm with its amount."""
    end_with_parent()
    wrong = list[str]()
    for name, hold_s in HOLDS_S.items():
        began = time.monotonic()
        judgement = play(Plan(seed=seed, hold_s=hold_s))
        Console().print(page(name, judgement, seconds=round(time.monotonic() - began)))
        wrong += [f"{name}: {sentence}" for sentence in judgement.wrong]
    for sentence in wrong:
        click.echo(sentence, err=True)
    click.echo(f"{len(wrong)} wrong" if wrong else "Every unit is on the invoice of its period, or in an alarm.")
    sys.exit(bool(wrong))


def page(name: str, judgement: Judgement, *, seconds: int) -> Table:
    table = Table(title=f"{name}: {judgement.rows} rows and {judgement.looks} looks in {seconds} s")
    for column in ("", "units", "cents"):
        table.add_column(column, justify="left" if not column else "right")
    for fate in sorted(judgement.cents):
        table.add_row(fate, str(judgement.units.get(fate, "")), str(judgement.cents[fate]))
    for kind, (raised, cleared) in judgement.alarms.items():
        table.add_row(f"alarms: {kind}", f"{raised} raised", f"{cleared} cleared")
    return table


if __name__ == "__main__":
    main()
