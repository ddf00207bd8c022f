"""`meterpost meter`: the meters at Stripe, as rows become meter events by them, and one more."""

import click
from marshmallow import ValidationError

from cli.exits import FINDINGS, OK
from cli.output import json_option, print_json, print_table, print_words
from meterpost.rules import read_meter
from service import settings
from service.gateway import Gateway
from service.meters import Meter, differences

FORMULAS = ("sum", "count", "last")
DISPLAY_NAME_LENGTH_MAX = 250  # Stripe's limit
CREATE_EPILOG = """\b
Examples:
  meterpost meter create api_requests
  meterpost meter create seats --formula last --display-name "Seats in use"

Exit codes: 0 it is there, 1 Stripe refuses or is away, 3 there is one of this name that differs.
"""
EPILOG = """\b
Examples:
  meterpost meter list
  meterpost meter list --json | jq -r '.meters[].event_name'
"""


@click.group()
def command() -> None:
    """Look at the meters at Stripe, or create one."""


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


class EventName(click.ParamType[str]):
    name = "event_name"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return read_meter(value)
        except ValidationError as wrong:
            self.fail("; ".join(map(str, wrong.messages)), param, ctx)


@command.command(epilog=CREATE_EPILOG)
@click.argument("event_name", type=EventName())
@click.option(
    "--formula",
    type=click.Choice(FORMULAS),
    default="sum",
    show_default=True,
    help="What a period bills: the sum of all values, how many rows there are, or the last value.",
)
@click.option("--display-name", help="How people see it; the event name if left out.")
@json_option
def create(*, event_name: str, formula: str, display_name: str | None, as_json: bool) -> int:
    """Create the meter EVENT_NAME at Stripe, or say that it is there.

    Rows name a meter by its event name: 1 to 100 of a-z, 0-9 and _. A formula never changes at Stripe, so a meter of
    this name with another one is said and left alone. What a row costs is the price's: see meterpost ratecard.
    """
    if display_name is not None and not 1 <= len(display_name) <= DISPLAY_NAME_LENGTH_MAX:
        raise click.UsageError(f"--display-name: give 1 to {DISPLAY_NAME_LENGTH_MAX} characters")
    chosen = settings.load()
    chosen.require("STRIPE_SECRET_KEY")
    stripe = Gateway(chosen)
    found = next((meter for meter in stripe.list_meters() if meter.event_name == event_name), None)
    meter = found or stripe.catalog.create_meter(event_name, formula=formula, display_name=display_name or event_name)
    wrong = differences(meter, formula=formula) if found else []
    _answer(meter, is_new=found is None, wrong=wrong, as_json=as_json)
    return FINDINGS if wrong else OK


def _answer(meter: Meter, *, is_new: bool, wrong: list[str], as_json: bool) -> None:
    what = "created" if is_new else "differs" if wrong else "exists"
    if as_json:
        print_json({"what": what, "meter": meter, "differences": wrong})
        return
    click.echo(meter.stripe_id)
    print_words(f"{meter.event_name} ({meter.formula}) {'was ' if is_new else ''}{what}")
    for text in wrong:
        print_words(text)


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
