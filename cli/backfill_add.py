"""`meterpost backfill add`: a file's rows are staged, a thousand a transaction, and nothing of them counts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

import click

from cli.backfill_files import read_file
from cli.csv_rows import BadLine, HeaderRefused
from cli.exits import FAILURE, OK, Failed
from cli.importing import BAD_LINES_MAX, watched_file
from cli.ledger import committing, writing
from cli.output import json_option, print_json, print_table, print_words
from meterpost.rows import UsageRow
from service import settings
from service.ledger.backfills import Staged, lock_backfill, stage
from service.ledger.connection import Transaction
from service.ratecard.chosen import units_of

ROWS_A_STEP = 1_000
EPILOG = """\b
Examples:
  meterpost backfill add march-outage rows.csv
  meterpost backfill add march-outage exports.ndjson
  meterpost backfill add march-outage - --format ndjson < exports.ndjson

\b
CSV has the columns of Stripe's own template:
  timestamp,event_name,payload_stripe_customer_id,payload_value
NDJSON has a usage row a line: customer, meter, value, occurred_at; row_id and source where the row has them.
"""


@dataclass(slots=True, kw_only=True)
class Added:
    """What became of a file, and the shape of the answer in JSON."""

    rows: int = 0
    bad: int = 0
    staged: Staged = field(default_factory=lambda: Staged(0, 0, 0, 0))
    bad_lines: list[BadLine] = field(default_factory=list)  # the first BAD_LINES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which backfill is filled."""

    account: str
    name: str


@click.command(epilog=EPILOG)
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@click.option("--format", "kind", type=click.Choice(["csv", "ndjson"]), help="By the file's name if left out.")
@json_option
def add(*, name: str, file: BinaryIO, kind: str | None, as_json: bool) -> int:
    """Stage the rows of FILE, or of stdin with -, in the open backfill NAME.

    A row that tells no id is named by what it says, as `usage import` names it, and its source is backfill/NAME; one
    that tells its own is that producer's row, and counts nothing again where it was told. The same file again stages
    only what is new. Bad rows are listed, and the others staged; the exit code is then 1.
    """
    chosen = settings.load()
    named = f"x.{kind}" if kind else str(getattr(file, "name", ""))
    added = Added()
    with writing() as tx, watched_file(file) as advance:
        rows = read_file(file, name=named, source=f"backfill/{name}", units=units_of(chosen))
        try:
            for some in _chunks(rows, added):
                _stage(tx, Place(account=chosen.account, name=name), some, added=added)
                advance()
        except HeaderRefused as refused:
            raise click.UsageError(str(refused)) from refused
    _answer(name, added, as_json=as_json)
    return FAILURE if added.bad else OK


def _chunks(rows: Iterable[UsageRow | BadLine], added: Added) -> Iterator[list[UsageRow]]:
    """The good ones, a step's worth at a time, and an empty one at least."""
    good = _good(rows, added)
    yield list(islice(good, ROWS_A_STEP))
    while some := list(islice(good, ROWS_A_STEP)):
        yield some


def _good(rows: Iterable[UsageRow | BadLine], added: Added) -> Iterator[UsageRow]:
    for row in rows:
        if isinstance(row, UsageRow):
            added.rows += 1
            yield row
            continue
        added.bad += 1
        if added.bad <= BAD_LINES_MAX:
            added.bad_lines.append(row)


def _stage(tx: Transaction, place: Place, rows: Sequence[UsageRow], *, added: Added) -> None:
    with committing(tx):
        backfill = lock_backfill(tx, place.account, place.name)
        if backfill is None:
            raise Failed(f"there is no backfill {place.name}: run meterpost backfill open {place.name}")
        if backfill.state != "open":
            raise Failed(f"the backfill {place.name} is {backfill.state}, and takes no more rows: open another one")
        added.staged += stage(tx, backfill, rows)


def _answer(name: str, added: Added, *, as_json: bool) -> None:
    if as_json:
        print_json(added)
        return
    if added.bad_lines:
        print_table(["#line", "column", "reason"], [(bad.line, bad.column, bad.reason) for bad in added.bad_lines])
    if added.bad > len(added.bad_lines):
        print_words(f"… and {added.bad - len(added.bad_lines):,} more bad rows")
    staged = added.staged
    before = added.rows - staged.staged - staged.contradicting
    print_words(f"{staged.staged:,} rows staged in {name}, {before:,} were there already, {added.bad:,} bad")
    for count, said in (
        (staged.contradicting, "have the id of a staged row and say another thing: the first stays"),
        (staged.duplicates, "are recorded already, and would count nothing more"),
        (staged.conflicts, "are recorded already with other content, which counts"),
    ):
        if count:
            print_words(f"{count:,} rows {said}")
