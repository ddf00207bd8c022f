"""`meterpost webhooks`: Stripe's two destinations for our door, made or checked; and an event to try the door with."""

import click

from cli.webhooks_send import send
from cli.webhooks_setup import setup


@click.group()
def command() -> None:
    """Set up Stripe's two webhook endpoints, check them, and try one's own door."""


command.add_command(setup)
command.add_command(send)
