"""`python -m model`: plays histories by number, says how they ended, and plays one again, line by line."""

import sys
import time
from collections import Counter
from functools import partial

import click
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from local.parent import end_with_parent
from local.postgres import postgres
from model.history import History
from model.ledger import Lane, MakeLane
from model.machine import LaneMachine
from model.mutations import MUTATIONS
from model.sql_ledger import SqlLedger
from model.twice import TwiceLane
from service.migrate import migrate

WRONG_SHOWN_MAX = 5
STEPS = 50
EPILOG = """\b
Examples:
  python -m model --histories 200000
  python -m model --show 144
  python -m model --mutation "nothing is ever held" --histories 1000
  python -m model --sql 1000
  python -m model --stateful 20000
"""


@click.command(epilog=EPILOG)
@click.option("--histories", type=click.IntRange(min=1), default=200_000, show_default=True, help="How many to play.")
@click.option("--first", default=0, show_default=True, help="The number of the first; a number is a seed.")
@click.option("--show", type=int, help="Play this one alone, and tell what happened.")
@click.option(
    "--mutation",
    metavar="MISTAKE",
    type=click.Choice(list(MUTATIONS)),
    help="Play by rules with this mistake in them; a word that is none lists them all.",
)
@click.option(
    "--sql",
    type=click.IntRange(min=1),
    help="Play so many twice, also by the workers on a real PostgreSQL, and compare.",
)
@click.option("--stateful", type=click.IntRange(min=1), help=f"Let a machine try so many orders of {STEPS} steps.")
def main(
    *, histories: int, first: int, show: int | None, mutation: str | None, sql: int | None, stateful: int | None
) -> None:
    """Play histories of a meter event through faults of days; exit 1 when one billed twice or lost usage."""
    end_with_parent()
    make_lane = MUTATIONS[mutation] if mutation else Lane
    if show is not None:
        _show(show, make_lane)
    elif sql is not None:
        _play_twice(range(first, first + sql))
    elif stateful is not None:
        _step(stateful, make_lane)
    else:
        _play(range(first, first + histories), make_lane)


def _show(number: int, make_lane: MakeLane) -> None:
    history = History(number, make_lane=make_lane, is_told=True)
    wrong = history.play()
    click.echo("\n".join(history.told()))
    click.echo(f"{history.state}: {wrong or 'nothing is wrong'}")
    sys.exit(wrong is not None)


def _play_twice(numbers: range) -> None:
    """Ends with the first step after which the two disagree."""
    with postgres(fsync=False) as server:
        migrate(server.url)
        ledger = SqlLedger(server.url)
        try:
            _play(numbers, partial(TwiceLane, ledger=ledger))
        finally:
            ledger.close()


def _step(orders: int, make_lane: MakeLane) -> None:
    """Ends with the shortest order of steps that goes wrong."""
    machine = type("Machine", (LaneMachine,), {"make_lane": staticmethod(make_lane)})
    limits = settings(
        max_examples=orders, stateful_step_count=STEPS, deadline=None, suppress_health_check=[*HealthCheck]
    )
    began = time.monotonic()
    run_state_machine_as_test(machine, settings=limits)
    click.echo(f"{orders:,} orders of up to {STEPS} steps in {time.monotonic() - began:.0f} s, nothing is wrong")


def _play(numbers: range, make_lane: MakeLane) -> None:
    began, ends, wrongs = time.monotonic(), Counter[str](), list[str]()
    for number in numbers:
        history = History(number, make_lane=make_lane)
        if wrong := history.play():
            wrongs.append(f"history {number}: {wrong}")
        ends[history.state] += 1
    click.echo(f"{len(numbers):,} histories in {time.monotonic() - began:.0f} s, {len(wrongs):,} wrong; they ended:")
    for state, count in ends.most_common():
        click.echo(f"  {count:>10,} {state}")
    click.echo("\n".join(wrongs[:WRONG_SHOWN_MAX]))
    sys.exit(bool(wrongs))


if __name__ == "__main__":
    main()
