"""`meterpost usage`: rows from the command line and from files, by the same client that applications use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import click

from cli import importing
from cli.csv_rows import HeaderRefused, read_timestamp
from cli.exits import FAILURE, OK
from cli.output import json_option, print_json, print_table, print_words
from meterpost import Meterpost
from service import settings
from service.ratecard.chosen import units_of

ADD_EPILOG = """\b
Examples:
  meterpost usage add cus_NffrFeUfNV2Hib api_requests 3
  meterpost usage add cus_NffrFeUfNV2Hib gigabytes 0.25 --at 2026-03-01T12:00:00Z --row-id export-17
  meterpost usage add cus_NffrFeUfNV2Hib call_seconds 90 --unit second
  meterpost usage add cus_NffrFeUfNV2Hib api_requests -3
"""
IMPORT_EPILOG = """\b
Examples:
  meterpost usage import examples/usage.csv
  meterpost usage import --source exports - < usage.csv

\b
The columns are those of Stripe's own template:
  timestamp,event_name,payload_stripe_customer_id,payload_value
and, if you like, unit: what the value counts, checked against the rate card.
Timestamps: yyyy-MM-dd, yyyy-MM-dd'T'HH:mm:ssZ (such as +0530) or epoch seconds.
"""


@click.group()
def command() -> None:
    """Report usage: one row, or a file of rows."""


@command.command(epilog=ADD_EPILOG, context_settings={"ignore_unknown_options": True})  # for a value like -3
@click.argument("customer")
@click.argument("meter")
@click.argument("value")
@click.option("--at", "occurred_at", help="When: ISO 8601 with an offset, a date, or epoch seconds. Now if left out.")
@click.option("--row-id", help="The row's own id: told twice, it is billed once. One is made if left out.")
@click.option("--source", default="cli", show_default=True, help="Who numbers these ids.")
@click.option("--unit", help="What VALUE counts, such as second: refused where the rate card says another unit.")
@json_option
def add(  # one parameter an argument of the command
    *,
    customer: str,
    meter: str,
    value: str,
    occurred_at: str | None,
    row_id: str | None,
    source: str,
    unit: str | None,
    as_json: bool,
) -> int:
    """Report that CUSTOMER (cus_…) used VALUE of METER (its event_name), and print the row's id.

    VALUE is a whole or decimal number, negative to correct. When this returns, the queue has the row.
    """
    with _client() as meterpost:
        row_id = meterpost.usage(
            customer, meter, value, occurred_at=_instant(occurred_at), row_id=row_id, source=source, unit=unit
        )
    if as_json:
        print_json({"row_id": row_id, "source": source})
    else:
        click.echo(row_id)
    return OK


@command.command("import", epilog=IMPORT_EPILOG)
@click.argument("file", type=click.File("rb"))
@click.option(
    "--source", default="csv", show_default=True, help="Whose rows these are: the same row of two sources is two rows."
)
@json_option
def import_file(*, file: BinaryIO, source: str, as_json: bool) -> int:
    """Report the rows of the CSV file FILE, or of stdin with -.

    A row's id is made of what it says (customer, meter, value and time, as read) and, where several rows of the file
    say the same, of its number among them. So the same file twice, or a copy with rows appended or corrected, bills
    only what is new. Two files with identical rows are taken as the same rows unless --source differs. A good row
    whose value you change is a new row beside the old one: take the old one back with a negative value.

    A wrong header publishes nothing. Bad rows are listed with line, column and reason, and the others are published;
    the exit code is then 1. About 100 bytes a row are kept in memory.
    """
    with _client() as meterpost:
        try:
            imported = importing.import_rows(meterpost, file, source=source, units=units_of(settings.load()))
        except HeaderRefused as refused:
            raise click.UsageError(str(refused)) from refused
    if as_json:
        print_json(imported)
    else:
        _tell(imported)
    return FAILURE if imported.bad else OK


def _tell(imported: importing.Imported) -> None:
    if imported.bad_lines:
        print_table(["#line", "column", "reason"], [(bad.line, bad.column, bad.reason) for bad in imported.bad_lines])
    if imported.bad > len(imported.bad_lines):
        print_words(f"… and {imported.bad - len(imported.bad_lines):,} more bad rows")
    print_words(f"{imported.published:,} rows published, {imported.bad:,} bad")
    if imported.bad:
        print_words("correct them in the file and import it again: the rows that are published already count once")


def _instant(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return read_timestamp(text).isoformat()
    except (ValueError, OverflowError, OSError):
        return text  # the client's own rule says what is wrong with it


@contextmanager
def _client() -> Iterator[Meterpost]:
    chosen = settings.load()
    chosen.require("BROKER_URL")
    with Meterpost(chosen.broker_url) as meterpost:
        yield meterpost
