"""`meterpost subscriptions`: metered subscriptions from files, each made at Stripe once, and what became of each."""

import click

from cli.subscription_errors import errors
from cli.subscription_import import follow_import, import_file
from cli.subscription_list import imports, list_signups
from cli.subscription_retry import retry_failed
from cli.subscription_show import show
from cli.subscription_template import template


@click.group()
def command() -> None:
    """Make metered subscriptions at Stripe, each once: from a file, and what became of each row."""


for one in (template, import_file, follow_import, errors, retry_failed, list_signups, imports, show):
    command.add_command(one)
