"""`meterpost pause`: nothing more is sent, of the account or of one meter, until somebody resumes."""

import click

from cli.exits import OK
from cli.ledger import committing, writing
from cli.ordering import meter_option, order_of, order_options
from cli.output import instant, json_option, print_json, print_words, shown
from service import settings
from service.ledger.actions import Order
from service.ledger.connection import Transaction
from service.ledger.overview import meters_in_use
from service.ledger.pauses import ALL_METERS, Pause, pause, pauses

EPILOG = """\b
Examples:
  meterpost pause --reason "prices are being changed"
  meterpost pause --meter api_requests --reason "its rows look wrong, INC-42"
  meterpost resume --meter api_requests --reason "INC-42 is solved"
"""


@click.command(epilog=EPILOG)
@meter_option("Only this meter (its event_name); the whole account if left out.")
@order_options
@json_option
def command(*, meter: str, reason: str, actor: str | None, as_json: bool) -> int:
    """Send nothing more to Stripe until `meterpost resume`.

    Rows are recorded and sealed all the same, and a call that is under way comes to its end. The pause outlives
    restarts; status and doctor show it. Said twice it is one pause, and the first reason stands.
    """
    account = settings.load().account
    with writing() as tx:
        is_new = _pause(tx, account, meter, order=order_of(actor, reason))
        (standing,) = [one for one in pauses(tx) if (one.account, one.meter) == (account, meter)]
        is_known = meter == ALL_METERS or meter in meters_in_use(tx, account)
    if as_json:
        print_json({"is_new": is_new, "pause": standing})
    else:
        print_words(_told(standing, is_new=is_new))
    if not is_known:
        print_words(f"no row has named the meter {shown(meter)} yet; see meterpost meter list")
    return OK


def _pause(tx: Transaction, account: str, meter: str, *, order: Order) -> bool:
    with committing(tx):
        return pause(tx, account, meter, order=order)


def _told(standing: Pause, *, is_new: bool) -> str:
    what = "the account" if standing.meter == ALL_METERS else f"the meter {shown(standing.meter)}"
    if is_new:
        return f"paused: nothing more of {what} is sent until meterpost resume"
    since = f"since {instant(standing.paused_at)} by {shown(standing.actor)}: {shown(standing.reason)}"
    return f"{what} is paused already, {since}"
