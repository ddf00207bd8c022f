"""`meterpost subscriptions template`: an empty file of subscriptions that explains itself."""

import csv
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import click

from cli.exits import OK, Failed
from cli.output import json_option, print_json, print_words
from cli.subscription_columns import MEANINGS

LEFT_OUT = ("row_id", "source", "replaces")  # of the header: who needs them knows
EPILOG = """\b
Examples:
  meterpost subscriptions template > subscriptions.csv
  meterpost subscriptions template -o subscriptions.csv
"""
OPENING = """\
A file of subscriptions: one row is one subscription that is made at Stripe, once.
Lines that begin with # are skipped. Columns may stand in any order and be left out, but for customer and price; an
empty cell is Stripe's default. Instants: 2026-03-01T12:00:00Z, a date, or epoch seconds.
What has a ; of its own is written as JSON: [["PO; number", "4711"]]
The header leaves out row_id, source and replaces, which most files do without: add those that you tell to it.
"""
EXAMPLES: tuple[dict[str, str], ...] = (
    {"customer": "cus_NffrFeUfNV2Hib", "price": "price_1MoBy5LkdIwHu7ixZhnattbh"},
    {
        "customer": "cus_NffrFeUfNV2Hib",
        "price": "price_1MoBy5LkdIwHu7ixZhnattbh",
        "trial_days": "14",
        "trial_end_behavior": "pause",
        "setup_fee": "49.00",
        "currency": "usd",
        "collection_method": "send_invoice",
        "days_until_due": "30",
        "tax_rates": "txr_1MnyEyLkdIwHu7ixJjxW1b3Y;txr_1MnyEyLkdIwHu7ixJjxW1b3Z",
        "customer_tax_ids": "eu_vat:DE123456789",
        "custom_fields": "PO number=4711;Cost center=R&D",
        "metadata": "plan=gold;region=eu",
        "cancel_at": "max_period_end",
        "billing_mode": "flexible",
    },
)


@click.command(epilog=EPILOG, short_help="Write an empty file with every column explained.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="A file that is not there; stdout if left out, or with -.",
)
@json_option
def template(*, output: Path | None, as_json: bool) -> int:
    """Write a CSV file with every column, one line of explanation for each, and examples to take out of comments.

    With --json, tell the columns and their meanings instead.
    """
    if as_json:
        print_json({"columns": [{"column": field, "meaning": meaning} for field, meaning in MEANINGS.items()]})
        return OK
    if output is None or output == Path("-"):
        sys.stdout.write(text())
        return OK
    try:
        with output.open("x", encoding="utf-8", newline="") as file:
            file.write(text())
    except OSError as refused:
        raise Failed(f"{output}: {refused.strerror}; give another name") from refused
    print_words(f"written: {output}")
    return OK


def text() -> str:
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    width = max(map(len, MEANINGS))
    yield from (f"# {line}" for line in OPENING.splitlines())
    yield "#"
    for field, meaning in MEANINGS.items():
        yield f"# {field:<{width}}  {meaning}"
    yield "#"
    header = [field for field in MEANINGS if field not in LEFT_OUT]
    yield _row(header)
    for example in EXAMPLES:
        yield f"# {_row([example.get(field, '') for field in header])}"


def _row(cells: list[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
