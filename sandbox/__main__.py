"""The command `meterpost-sandbox`: a local Stripe in a second.

What serves is imported when it is asked for, and only then: every other command speaks to a sandbox that runs, and
answers at once.
"""

from importlib import import_module

import click

from sandbox.cli.accounts import key, reset
from sandbox.cli.controls import audit, clock, fault, settings
from sandbox.cli.webhooks import webhook

SERVE = "serve"


class _Commands(click.Group):
    """With `serve` among them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([SERVE, *super().list_commands(ctx)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != SERVE:
            return super().get_command(ctx, cmd_name)
        command: click.Command = import_module("sandbox.cli.serve").serve
        return command


@click.group(cls=_Commands)
def main() -> None:
    """A faithful local Stripe, with faults and a clock of its own."""


for _command in (clock, fault, webhook, audit, settings, key, reset):
    main.add_command(_command)


if __name__ == "__main__":
    main()
