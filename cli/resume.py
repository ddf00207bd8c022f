"""`meterpost resume`: what somebody paused is sent again."""

import click

from cli.exits import OK
from cli.ledger import committing, writing
from cli.ordering import meter_option, order_of, order_options
from cli.output import json_option, print_json, print_words, shown
from service import settings
from service.ledger.pauses import ALL_METERS, Pause, pauses, resume

EPILOG = """\b
Examples:
  meterpost resume --reason "the prices are set"
  meterpost resume --meter api_requests --reason "INC-42 is solved"
"""


@click.command(epilog=EPILOG)
@meter_option("Only this meter's own pause; the account's if left out.")
@order_options
@json_option
def command(*, meter: str, reason: str, actor: str | None, as_json: bool) -> int:
    """Take back a pause: what waits is due at once, paced as ever.

    A meter that was paused by its name stays paused when the account is resumed, and the other way round. Resuming what
    is not paused changes nothing.
    """
    account = settings.load().account
    with writing() as tx:
        with committing(tx):
            was_paused = resume(tx, account, meter, order=order_of(actor, reason))
        left = [one for one in pauses(tx) if one.account == account]
    if as_json:
        print_json({"was_paused": was_paused, "pauses": left})
    else:
        print_words("resumed" if was_paused else "it was not paused; nothing changed")
    for one in left:
        print_words(f"still paused: {_name(one)}: {shown(one.reason)}")
    return OK


def _name(left: Pause) -> str:
    return "the account" if left.meter == ALL_METERS else f"the meter {shown(left.meter)}"
