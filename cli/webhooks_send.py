"""`meterpost webhooks send`: an event of our own making, signed as Stripe signs, to try one's own door with."""

import json
import secrets
from datetime import UTC, datetime
from typing import Any

import certifi
import click

from cli.events_shown import TypeParameter
from cli.exits import FAILURE, OK, Failed
from cli.ledger import reading
from cli.output import json_option, print_json, print_words, shown
from cli.webhooks_setup import Url
from service import settings
from service.gateway import API_VERSION
from service.http import CallFailed, Http
from service.ledger.accounts import pinned_account
from service.ledger.event_story import ToldEvent, told_event
from service.sent_events import SENT, event_of, signature
from service.settings import Settings

URL = "http://127.0.0.1:8000/stripe/webhook"
CONNECT_TIMEOUT_S, DEADLINE_S = 5, 20
OK_STATUS = 200
EPILOG = """\b
Examples:
  meterpost webhooks send invoice.created
  meterpost webhooks send customer.updated --object '{"id": "cus_1", "object": "customer"}' --json
  meterpost webhooks send v1.billing.meter.error_report_triggered --url http://127.0.0.1:5000/stripe/webhook

Exit codes: 0 the door answered 200, 1 it did not.
"""


class ObjectParameter(click.ParamType[dict[str, object]]):
    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, object]:
        try:
            told = json.loads(value)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            self.fail('give a JSON object, such as {"id": "cus_1", "object": "customer"}', param, ctx)
        return told


@click.command(epilog=EPILOG)
@click.argument("type_", metavar="TYPE", type=TypeParameter())
@click.option("--url", type=Url(), default=URL, show_default=True, help="The door.")
@click.option("--object", "about", type=ObjectParameter(), help="What it is about; left out, it changes nothing.")
@click.option("--livemode", "is_live", is_flag=True, help="An event of live mode, for a ledger of live mode.")
@json_option
def send(*, type_: str, url: str, about: dict[str, object] | None, is_live: bool, as_json: bool) -> int:
    """Send an event of TYPE to one's own door, signed with the first secret of STRIPE_WEBHOOK_SECRETS in force.

    Says what the door answered and what stands in the ledger then. Without --object its object has no id, so that it
    is recorded and ignored; with one it has its effect as if Stripe had said so, so try that on a ledger of test mode.
    """
    chosen = settings.load()
    chosen.require("DATABASE_URL", "STRIPE_WEBHOOK_SECRETS")
    _refuse_other_mode(chosen, is_live=is_live)
    event_id, now = f"{SENT}{secrets.token_hex(12)}", datetime.now(UTC)
    body = event_of(type_, about, event_id=event_id, is_live=is_live, api_version=API_VERSION, now=now)
    status = _post(url, body, signature(body, secret=_secret(chosen, now), now=now))
    with reading() as tx:
        recorded = told_event(tx, event_id)
    if as_json:
        print_json({"event_id": event_id, "url": url, "status": status, "recorded": recorded})
    else:
        click.echo(f"{event_id}  {type_}: the door answered {status}")
        print_words(_recorded(recorded, status))
    return OK if status == OK_STATUS else FAILURE


def _refuse_other_mode(chosen: Settings, *, is_live: bool) -> None:
    with reading() as tx:
        account = pinned_account(tx, chosen.account)
    if account is None or account.is_live == is_live:
        return
    if account.is_live:
        raise Failed(
            f"this ledger is of {account.stripe_account} in live mode, where an event of our own making may move what"
            " customers pay: try it on a ledger of test mode, or give --livemode"
        )
    raise Failed(f"--livemode: this ledger is of {account.stripe_account} in test mode; leave it out")


def _secret(chosen: Settings, now: datetime) -> bytes:
    for secret in chosen.webhook_secrets:
        if secret.is_in_force(now.timestamp()):
            return secret.value
    raise Failed("STRIPE_WEBHOOK_SECRETS: every secret has ended; add the one that Stripe signs with now")


def _post(url: str, body: bytes, header: str) -> int:
    http = Http(connect_timeout_s=CONNECT_TIMEOUT_S, deadline_s=DEADLINE_S, ca_bundle=certifi.where())
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": header}
    try:
        return http.call("post", url, headers=headers, body=body).status
    except CallFailed as failed:
        raise Failed(
            f"--url: the door at {url} does not answer: {failed}; start it, or correct the address"
        ) from failed


def _recorded(event: ToldEvent | None, status: int) -> str:
    if event is not None:
        told = f"{event.state}{f': {shown(event.reason)}' if event.reason else ''}"
        return f"recorded, and {told}; meterpost events show {event.event_id}"
    if status == OK_STATUS:
        return "not in this ledger: the door records into another; compare their DATABASE_URL"
    return "not recorded: see the door's log; its STRIPE_WEBHOOK_SECRETS may be others than these"
