"""Looking again and again: redrawn at a terminal, elsewhere lines that another program can read as they come."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text

from cli.exits import INTERRUPTED
from cli.interrupts import noted
from cli.output import age, instant, plain, stdout, table_of
from cli.seeing import COLUMNS, Seen, row_of, words_of

LINES_AROUND = 5  # the hint, the head of the table and the empty lines around it
Show = Callable[[Seen], None]


def watch(look: Callable[[], Seen], *, interval_s: float, as_json: bool) -> int:
    """Until Ctrl-C, which is how it is meant to end."""
    with noted() as interrupts, _view(as_json=as_json) as show:
        show(look())
        while not interrupts.wait(interval_s):
            show(look())
    return INTERRUPTED


@contextmanager
def _view(*, as_json: bool) -> Iterator[Show]:
    console = stdout()
    if as_json or not console.is_terminal:
        yield _print_json if as_json else _print_lines
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda seen: live.update(_picture(seen, lines_max=console.height), refresh=True)


def _picture(seen: Seen, *, lines_max: int) -> Group:
    """Without the meanings, which `status` tells once; on a low screen without what is zero, or the end were cut."""
    words = [Text(text, style="bold") for text in words_of(seen)]
    is_high = len(seen.steps) + len(words) + LINES_AROUND <= lines_max
    rows = [row_of(step)[:-1] for step in seen.steps if is_high or step.count]
    return Group(Text("Ctrl-C ends this", style="dim"), *words, table_of(COLUMNS[:-1], rows, is_framed=True))


def _print_lines(seen: Seen) -> None:
    """What is not zero: a log of zeros tells nothing."""
    now = instant(datetime.now(UTC))
    for text in words_of(seen):
        click.echo(f"{now}  {text}")
    for step in seen.steps:
        if step.count:
            oldest = f"  oldest {age(step.oldest_s)}" if step.oldest_s is not None else ""
            click.echo(f"{now}  {step.step} {step.state}  {step.count:,}{oldest}{'  !' if step.needs_person else ''}")
    click.echo()


def _print_json(seen: Seen) -> None:
    click.echo(json.dumps(seen, default=plain))
