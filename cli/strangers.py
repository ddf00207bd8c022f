"""`meterpost strangers list`: what the door refused, as far as it is kept."""

import click

from cli.exits import OK
from cli.ledger import reading
from cli.output import instant, json_option, print_json, print_table
from service import settings
from service.ledger.strangers import Sample, StrangerCount, stranger_counts, stranger_samples

SAMPLES = 50
BODY_CHARS_MAX = 60  # in a table; JSON has all that is kept
EPILOG = """\b
Examples:
  meterpost strangers list
  meterpost strangers list --limit 500 --json | jq -r '.samples[].remote_address' | sort | uniq -c
"""


@click.group()
def command() -> None:
    """Look at what the door refused."""


@command.command("list", epilog=EPILOG)
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=SAMPLES, show_default=True, help="How many, the newest first."
)
@json_option
def list_strangers(*, limit: int, as_json: bool) -> int:
    """List refused requests: at most five of each hour and reason are kept, for a week.

    What a stranger wrote is shown with its control characters spelled out. Behind a proxy the address is the proxy's.
    """
    account = settings.load().account
    with reading() as tx:
        counts, samples = stranger_counts(tx, account), stranger_samples(tx, account, samples_max=limit)
    if as_json:
        print_json({"counts": counts, "samples": samples})
        return OK
    print_table(["reason", "#today", "#yesterday"], [_count_row(count) for count in counts])
    print_table(["received", "reason", "from", "#bytes", "signature", "body"], [_row(sample) for sample in samples])
    return OK


def _count_row(count: StrangerCount) -> tuple[object, ...]:
    return (count.reason, count.today, count.yesterday)


def _row(sample: Sample) -> tuple[object, ...]:
    return (
        instant(sample.received_at),
        sample.reason,
        sample.remote_address,
        sample.content_length,
        _cut(sample.signature),
        _cut(sample.body),
    )


def _cut(text: str) -> str:
    return text if len(text) <= BODY_CHARS_MAX else f"{text[:BODY_CHARS_MAX]}…"
