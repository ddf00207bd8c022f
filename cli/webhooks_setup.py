"""`meterpost webhooks setup`: makes both destinations at Stripe, or says what they are not."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import click

from cli.exits import FINDINGS, OK
from cli.output import json_option, print_json, print_table, print_words, shown
from service import settings
from service.gateway import API_VERSION, Gateway
from service.settings import Settings
from service.stripe_destinations import StripeDestinations, Style
from service.webhook_setup import REPAIRABLE, TYPES, Difference, choose_destination, differences

EPILOG = """\b
Examples:
  meterpost webhooks setup --url https://billing.example.com/stripe/webhook
  meterpost webhooks setup --url https://billing.example.com/stripe/webhook --check
  meterpost webhooks setup --url https://billing.example.com/stripe/webhook --repair --json

Exit codes: 0 both are as they must be, 1 Stripe refuses or is away, 3 something differs.
"""


@dataclass(slots=True, kw_only=True)
class Told:
    """One destination, and the shape of one item of `destinations` in JSON. `secret`: told this once, at creation."""

    style: Style
    destination_id: str | None  # None: there is none
    what: str  # found, created or repaired; or absent
    api_version: str | None
    types: tuple[str, ...]
    differences: list[Difference] = field(default_factory=list)
    secret: str | None = None


class Url(click.ParamType[str]):
    name = "url"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        parts = urlsplit(str(value))
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            self.fail(
                f"{str(value)[:100]!r} is no address; give for example https://example.com/stripe/webhook", param, ctx
            )
        return str(value)


@click.command(epilog=EPILOG)
@click.option("--url", required=True, type=Url(), help="Where Stripe reaches the door: https://…/stripe/webhook")
@click.option("--check", "is_check", is_flag=True, help="Only look; make and change nothing.")
@click.option("--repair", "is_repair", is_flag=True, help="Set the event types of what is found to what has an effect.")
@json_option
def setup(*, url: str, is_check: bool, is_repair: bool, as_json: bool) -> int:
    """Make or check the two destinations at Stripe that push events to our door.

    Snapshots come by a webhook endpoint with our API version, thin events by an event destination; each has exactly the
    types that have an effect here, and a secret that is printed once: put both into STRIPE_WEBHOOK_SECRETS. What is
    found under the URL is used again, and changed only with --repair; nothing is ever deleted.
    """
    if is_check and is_repair:
        raise click.UsageError("--check changes nothing and --repair does; give one of them")
    chosen = settings.load()
    chosen.require("STRIPE_SECRET_KEY")
    if chosen.is_live_key and not url.startswith("https://"):
        raise click.UsageError("--url: in live mode Stripe pushes to https:// alone")
    stripe = Gateway(chosen).destinations
    found = [_look(stripe, style, url, is_repair=is_repair) for style in Style]
    told = list[Told]()
    try:
        for one in found:
            told.append(one if one.destination_id or is_check else _create(stripe, one.style, url))
    finally:  # a secret that was told must be read, though Stripe fails at the other one
        _answer(told, url, chosen, as_json=as_json)
    return FINDINGS if any(one.differences for one in told) else OK


def _look(stripe: StripeDestinations, style: Style, url: str, *, is_repair: bool) -> Told:
    others = stripe.list_destinations(style)
    found = choose_destination(others, url, api_version=API_VERSION)
    what, wrong = "found" if found else "absent", differences(found, others, api_version=API_VERSION)
    if found and is_repair and REPAIRABLE & {one.aspect for one in wrong}:
        found = stripe.set_types(found, TYPES[style])
        what, wrong = "repaired", differences(found, others, api_version=API_VERSION)
    return Told(
        style=style,
        destination_id=found.destination_id if found else None,
        what=what,
        api_version=found.api_version if found else None,
        types=found.types if found else (),
        differences=wrong,
    )


def _create(stripe: StripeDestinations, style: Style, url: str) -> Told:
    made = stripe.create_destination(style, url, types=TYPES[style], api_version=API_VERSION)
    return Told(
        style=style,
        destination_id=made.destination_id,
        what="created",
        api_version=made.api_version,
        types=made.types,
        differences=differences(made, [], api_version=API_VERSION),
        secret=made.secret,
    )


def _answer(told: list[Told], url: str, chosen: Settings, *, as_json: bool) -> None:
    if as_json:
        print_json({"url": url, "destinations": told})
    else:
        _print(told, chosen)


def _print(told: list[Told], chosen: Settings) -> None:
    print_table(
        ["events", "id", "what", "API version", "#types"],
        [(one.style, one.destination_id, one.what, one.api_version, len(one.types)) for one in told],
    )
    for one in told:
        for wrong in one.differences:
            print_words(f"{one.style}: {wrong.aspect}: {shown(wrong.text)} → {wrong.remedy}")
    secrets = [one.secret for one in told if one.secret]
    if len(chosen.webhook_secrets) < sum(one.destination_id is not None and not one.secret for one in told):
        print_words("Stripe tells a secret once, at creation: where you lack one, reveal it in Stripe's Dashboard")
    if not secrets:
        return
    print_words("Stripe tells a secret once. For every door and whoever runs meterpost:")
    click.echo(f"STRIPE_WEBHOOK_SECRETS={','.join(secrets)}")
    if chosen.webhook_secrets:
        print_words(f"{len(chosen.webhook_secrets)} set already: add the new ones behind them, separated by commas")
