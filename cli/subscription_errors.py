"""`meterpost subscriptions errors`: the error file of an import from the ledger alone, however long ago it was."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from cli.exits import OK, Failed
from cli.ledger import reading
from cli.output import json_option, print_json, print_words
from cli.subscription_files import Format
from cli.subscription_rejects import Rejects, columns_of
from service import settings
from service.ledger.signups_shown import every_rejected, signups_by_state

STDOUT = Path("-")
EPILOG = """\b
Examples:
  meterpost subscriptions errors spring -o spring.rejected.csv
  meterpost subscriptions errors spring | less
"""


@click.command(epilog=EPILOG, short_help="Write what failed of an import as a file to correct.")
@click.argument("name")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="A file that is new; stdout if left out, or with -.",
)
@click.option("--format", "kind", type=click.Choice(["csv", "ndjson"]), default="csv", show_default=True)
@json_option
def errors(*, name: str, output: Path | None, kind: Format, as_json: bool) -> int:
    """Write the rows of the import NAME that Stripe refused or the guard blocked, ready to be corrected.

    Each has a new row_id and replaces the one that failed; `subscriptions import` takes the file as it is. Bad lines
    of the original file are not among them: those never came to the ledger.
    """
    output = None if output == STDOUT else output
    if as_json and output is None:
        raise click.UsageError("--json tells what was written: give the file a name with -o")
    chosen = settings.load()
    with reading() as tx:
        if not signups_by_state(tx, chosen.account, name):
            raise Failed(f"the ledger knows no import {name!r}: see meterpost subscriptions imports")
        columns = columns_of(every_rejected(tx, chosen.account, name)) if kind == "csv" else {}
        with _opened(output) as stream:
            rejects = Rejects(stream, columns, kind=kind)
            for signup in every_rejected(tx, chosen.account, name):
                rejects.add(signup)
    if as_json:
        print_json({"import": name, "rows": rejects.rows, "file": str(output)})
        return OK
    print_words(f"{rejects.rows:,} rows to correct{f': {output}' if output else ''}")
    if rejects.unfit:
        print_words(f"{rejects.unfit:,} more came to it meanwhile: run this again")
    return OK


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    try:
        with output.open("x", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as refused:
        raise Failed(f"{output}: {refused.strerror}; give another name") from refused
