"""`python -m model`: plays histories by number, says how they ended, and plays one again, line by line."""

import sys
import time
from collections import Counter

import click

from local.parent import end_with_parent
from model.history import History
from model.rules import MUTATIONS, OURS

WRONG_SHOWN_MAX = 5
EPILOG = """\b
Examples:
  python -m model --histories 200000
  python -m model --show 144
  python -m model --mutation "nothing is ever held" --histories 1000
"""


@click.command(epilog=EPILOG)
@click.option("--histories", default=200_000, show_default=True, help="How many to play.")
@click.option("--first", default=0, show_default=True, help="The number of the first; a number is a seed.")
@click.option("--show", type=int, help="Play this one alone, and tell what happened.")
@click.option("--mutation", type=click.Choice(list(MUTATIONS)), help="Play by rules with this mistake in them.")
def main(*, histories: int, first: int, show: int | None, mutation: str | None) -> None:
    """Play histories of a meter event through faults of days; exit 1 when one billed twice or lost usage."""
    end_with_parent()
    rules = MUTATIONS[mutation] if mutation else OURS
    if show is not None:
        history = History(show, rules=rules)
        wrong = history.play()
        click.echo("\n".join(history.told()))
        click.echo(f"{history.state}: {wrong or 'nothing is wrong'}")
        sys.exit(wrong is not None)
    began, ends, wrongs = time.monotonic(), Counter[str](), list[str]()
    for number in range(first, first + histories):
        history = History(number, rules=rules)
        if wrong := history.play():
            wrongs.append(f"history {number}: {wrong}")
        ends[history.state] += 1
    click.echo(f"{histories:,} histories in {time.monotonic() - began:.0f} s, {len(wrongs):,} wrong; they ended:")
    for state, count in ends.most_common():
        click.echo(f"  {count:>10,} {state}")
    click.echo("\n".join(wrongs[:WRONG_SHOWN_MAX]))
    sys.exit(bool(wrongs))


if __name__ == "__main__":
    main()
