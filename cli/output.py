"""How a command answers: JSON or a table to stdout, words to stderr.

What is shown may come from anywhere, a producer's row id included, so nothing of it is taken as markup or reaches the
terminal as a control character. Away from a terminal nothing is cut to a width: ids are there to be copied.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import click
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from service.redaction import on_one_line

WIDTH_MAX = 1_000  # of a table that nobody watches: wider than any row
COLUMN_WIDTH_MIN = 12  # on average; in a narrower terminal the columns of a table are a few letters each
Command = TypeVar("Command", bound=Callable[..., Any])
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def json_option(command: Command) -> Command:
    """`--json`, which every command has."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON with stable keys to stdout.")(command)


def print_json(answer: object) -> None:
    click.echo(json.dumps(answer, default=plain, indent=2))


def print_words(text: str) -> None:
    """A sentence for whoever watches; stdout stays free for the answer."""
    click.echo(text, err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns whose name begins with `#` hold figures and are set to the right. Too narrow a terminal gets blocks."""
    console = stdout()
    written = [[_cell(cell) for cell in row] for row in rows]
    if console.width < COLUMN_WIDTH_MIN * len(columns):
        _print_blocks(console, columns, written)
        return
    console.print(table_of(columns, written, is_framed=console.is_terminal))


def table_of(columns: Sequence[str], rows: Iterable[Sequence[object]], *, is_framed: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD if is_framed else None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column.removeprefix("#"), justify="right" if column.startswith("#") else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(_cell(cell) for cell in row))
    return table


def _cell(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text(shown(cell))


def _print_blocks(console: Console, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """One `name: value` a line and an empty line after each row; nothing is said of what is empty."""
    for row in rows:
        for column, cell in zip(columns, row, strict=True):
            if cell:
                name = column.removeprefix("#")
                console.print(Text.assemble((f"{name}: ", "bold") if name else "", cell), overflow="fold")
        console.print()


def stdout() -> Console:
    console = Console(file=sys.stdout, markup=False, highlight=False, emoji=False)
    return console if console.is_terminal else Console(file=sys.stdout, width=WIDTH_MAX, markup=False, highlight=False)


def stderr() -> Console:
    return Console(file=sys.stderr, markup=False, highlight=False, emoji=False)


@contextmanager
def watched() -> Iterator[Progress]:
    """A bar on stderr, where somebody watches."""
    console = stderr()
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        yield progress


def shown(value: object) -> str:
    """A value as a person reads it: nothing for nothing, instants in UTC, decimals without exponent."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case Decimal():
            return f"{value:,f}"
        case datetime():
            return instant(value)
        case _:
            return on_one_line(str(value))


def instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def age(seconds: int | None) -> str:
    """How long ago, in the largest unit that says enough."""
    if seconds is None:
        return ""
    for unit_s, name in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds // unit_s} {name}"
    return f"{seconds} s"


def plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return format(value, "f")
    assert isinstance(value, bytes), f"{type(value).__name__} has no JSON of its own"
    return value.decode("utf-8", "backslashreplace")
