"""The front door: finds the command, runs it, and turns how it ended into a sentence and an exit code.

A command's file is imported when it is asked for, and only then, so that `meterpost --help` answers at once.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

import click

from cli.exits import FAILURE, INTERRUPTED, OK, USAGE, exit_code

COMMANDS = {
    "demo": "Run the main job end to end on this machine, and prove that every unit was billed once.",
    "up": "Run everything on this machine until Ctrl-C.",
    "doctor": "Say what is missing or unsafe, with the remedy.",
    "status": "Show what stands at each step, and how old the oldest of it is.",
    "alarms": "What is wrong with money: usage on its way to no invoice, and what it is worth.",
    "dead": "The desk: list, show, retry, discard and drain what needs a person.",
    "events": "What Stripe told us: list, show, replay, follow, catch up with what was not pushed.",
    "webhooks": "Set up Stripe's two webhook endpoints, check them, and try one's own door.",
    "strangers": "List what the door refused: a few requests of each hour and reason.",
    "correct": "Take a row or a meter event back, or change how much it says, and preview what that changes.",
    "late": "Usage whose invoice was final without it: list, carry into the open period, waive.",
    "pause": "Send nothing more, of the account or of one meter, until resumed.",
    "resume": "Take back a pause.",
    "reconcile": "After a restore of the ledger: compare it with Stripe's books, and confirm.",
    "usage": "Report usage: one row, or a file of rows.",
    "subscriptions": "Make subscriptions at Stripe from a file, each once, and follow what became of each.",
    "backfill": "Rows as a unit: stage, preview, close and revert them.",
    "row": "Tell a row's whole story.",
    "meter": "List the meters at Stripe, or create one.",
    "ratecard": "What each metric costs: check the rate card, show it, create at Stripe what is missing.",
    "migrate": "Bring the ledger's schema up to date.",
    "config": "Show every setting, its value and where it comes from.",
}
HELP = {"-h", "--help", "--version"}
EPILOG = """\b
Examples:
  meterpost demo
  meterpost doctor
  meterpost usage add cus_NffrFeUfNV2Hib api_requests 3
  meterpost status --json

Exit codes: 0 ok, 1 failure, 2 usage or settings, 3 findings, 130 ended by Ctrl-C.
"""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(version("meterpost-service"), prog_name="meterpost")
def meterpost() -> None:
    """Usage in, invoices right: bills every reported unit at Stripe exactly once."""


def main() -> None:
    """The entry point of the command `meterpost`."""
    if not HELP & {*sys.argv}:
        import_module("service.logs").configure(process="cli", log_format="auto")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. A failure that nobody expected is raised."""
    try:
        code = meterpost.main(list(arguments), prog_name="meterpost", standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as misused:
        misused.show()
        return USAGE if isinstance(misused, click.UsageError) else FAILURE
    except BrokenPipeError:
        # Whoever read us has left, as `head` does; the flush at exit must not complain about it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except Exception as error:  # noqa: BLE001  # raised again unless it is an expected one
        return _explain(error)
    return code if isinstance(code, int) else OK


def _explain(error: Exception) -> int:
    code = exit_code(error)
    if code is None:
        raise error
    scrub = import_module("service.redaction").scrub
    click.echo(f"error: {scrub(str(error))}", err=True)
    return code
