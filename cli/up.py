"""`meterpost up`: every process of the Procfile on this machine, and whatever servers the settings do not name.

With a key of Stripe's the embedded servers keep their files in `.meterpost/`. Without one a sandbox stands in, whose
books end with the command; then the ledger's do as well, because a ledger without the books it was written against
would wait for ever for a confirmation.
"""

import signal
from dataclasses import dataclass
from pathlib import Path

import click

from cli.exits import INTERRUPTED, OK
from cli.interrupts import noted
from cli.output import json_option, print_json, print_words
from local.demo_shop import open_shop
from local.parent import end_with_parent
from local.place import free_port
from local.stack import Stack
from service import settings
from service.settings import Settings

DATA = Path(".meterpost")
LOGS = DATA / "up"
EPILOG = """\b
Examples:
  meterpost up
  STRIPE_SECRET_KEY=sk_test_… STRIPE_WEBHOOK_SECRETS=whsec_… meterpost up
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """What runs, and the shape of the answer in JSON."""

    webhook_url: str | None  # None: no secret is set, so the door stays closed
    is_sandbox: bool
    settings: dict[str, str]  # to put into .env, so that the other commands find what was started here
    customers: dict[str, str]  # in the sandbox: a customer for each meter


@click.command(epilog=EPILOG)
@json_option
def command(*, as_json: bool) -> int:
    """Run everything on this machine until Ctrl-C (exit code 130).

    PostgreSQL and Valkey are started unless DATABASE_URL, BROKER_URL and REDIS_URL name others, and a sandbox stands in
    for Stripe unless STRIPE_SECRET_KEY is set. With --json the processes' lines go to files in .meterpost/up/.
    """
    end_with_parent()
    chosen = settings.load()
    is_sandbox, data_dir = not chosen.stripe_secret_key, DATA if chosen.stripe_secret_key else None
    with noted(signal.SIGTERM) as interrupts, Stack(data_dir=data_dir, with_sandbox=is_sandbox) as stack:
        up = _open_shop(stack) if is_sandbox else _meet_stripe(stack, chosen)
        stack.migrate()
        stack.start({} if up.webhook_url else {"web": 0}, log_dir=LOGS if as_json else None)
        _answer(up, as_json=as_json)
        interrupts.wait()
        print_words("stopping")
    return INTERRUPTED if interrupts.by is signal.SIGINT else OK


def _open_shop(stack: Stack) -> Up:
    webhook_url = _webhook_url(stack)
    stack.env.setdefault("METERPOST_TIMING", "fast")  # to see a row confirmed in seconds
    shop = open_shop(stack.env["STRIPE_SECRET_KEY"], api_base=stack.env["STRIPE_API_BASE"], webhook_url=webhook_url)
    stack.env["STRIPE_WEBHOOK_SECRETS"] = shop.webhook_secrets
    return Up(
        webhook_url=webhook_url,
        is_sandbox=True,
        settings=_settings(stack),
        customers={sold.meter: sold.customer for sold in (shop.units, shop.file)},
    )


def _meet_stripe(stack: Stack, chosen: Settings) -> Up:
    webhook_url = _webhook_url(stack)
    return Up(
        webhook_url=webhook_url if chosen.webhook_secrets else None,
        is_sandbox=False,
        settings=_settings(stack),
        customers={},
    )


def _webhook_url(stack: Stack) -> str:
    port = stack.env.setdefault("PORT", str(free_port()))
    return f"http://127.0.0.1:{port}/stripe/webhook"


def _settings(stack: Stack) -> dict[str, str]:
    names = ("DATABASE_URL", "BROKER_URL", "REDIS_URL", "METERPOST_TIMING")  # those judge by the workers' times
    of_sandbox = ("STRIPE_SECRET_KEY", "STRIPE_API_BASE", "STRIPE_METER_EVENTS_BASE", "STRIPE_WEBHOOK_SECRETS")
    wanted = (*names, *(of_sandbox if "sandbox" in stack.servers else ()))
    return {name: stack.env[name] for name in wanted if name in stack.env}


def _answer(up: Up, *, as_json: bool) -> None:
    if as_json:
        print_json(up)
        return
    print_words("everything is running; Ctrl-C ends it. For the other commands, in another terminal:")
    for name, value in up.settings.items():
        click.echo(f"export {name}={value}")
    for meter, customer in up.customers.items():
        print_words(f"try: meterpost usage add {customer} {meter} 3")
    print_words(f"webhooks: {up.webhook_url or 'closed, because STRIPE_WEBHOOK_SECRETS is not set'}")
