"""`meterpost meter list`: the meters at Stripe, as rows become meter events by them."""

import click

from cli.exits import OK
from cli.output import json_option, print_json, print_table
from service import settings
from service.gateway import Gateway
from service.meters import Meter

EPILOG = """\b
Examples:
  meterpost meter list
  meterpost meter list --json | jq -r '.meters[].event_name'
"""


@click.group()
def command() -> None:
    """Look at the meters at Stripe."""


@command.command("list", epilog=EPILOG)
@json_option
def list_meters(*, as_json: bool) -> int:
    """List the meters at Stripe: one an event name, the active one where there are several."""
    chosen = settings.load()
    chosen.require("STRIPE_SECRET_KEY")
    meters = Gateway(chosen).list_meters()
    if as_json:
        print_json({"meters": meters})
    else:
        print_table(
            ["meter", "formula", "customer key", "value key", "window", "active", "id"], [_row(one) for one in meters]
        )
    return OK


def _row(meter: Meter) -> tuple[object, ...]:
    return (
        meter.event_name,
        meter.formula,
        meter.customer_key,
        meter.value_key,
        meter.event_time_window,
        meter.is_active,
        meter.stripe_id,
    )
