"""`meterpost demo`: the main job on this machine, and the proof that every unit was billed once."""

import click

from cli.output import json_option
from local.demo import UNITS, run
from local.parent import end_with_parent

UNITS_MAX = 100_000_000  # what a customer's rows of the demo can carry in their time
EPILOG = """\b
Examples:
  meterpost demo
  meterpost demo --units 1300000
  meterpost demo --json | jq .invoice
"""


@click.command(epilog=EPILOG)
@click.option(
    "--units", type=click.IntRange(1, UNITS_MAX), default=UNITS, show_default=True, help="How much one customer uses."
)
@json_option
def command(*, units: int, as_json: bool) -> int:
    """Run everything on this machine against a sandbox of Stripe, with faults, and compare what was billed.

    PostgreSQL, Valkey and the sandbox are started for it and ended with it. Exit code 0 only if what was sent and what
    was billed differ by nothing.
    """
    end_with_parent()
    return run(units, as_json=as_json)
