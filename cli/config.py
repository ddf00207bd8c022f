"""`meterpost config`: every setting, its value, and who decided it."""

import click

from cli.exits import OK
from cli.output import json_option, print_json, print_table
from service import settings, variables

EPILOG = """\b
Examples:
  meterpost config
  meterpost config --json
  meterpost config --example > .env
"""


@click.command(epilog=EPILOG)
@click.option("--example", "as_example", is_flag=True, help="Print a .env in which every setting is a comment.")
@json_option
def command(*, as_example: bool, as_json: bool) -> int:
    """Show every setting, its value and where it comes from: the environment, .env or the default.

    Secrets are masked. Wrong settings are an error that names all of them (exit code 2).
    """
    if as_example:
        click.echo(variables.example(), nl=False)
        return OK
    settings.load()
    effective = variables.effective()
    if as_json:
        print_json({"settings": effective})
    else:
        print_table(
            ["setting", "value", "from", "meaning"],
            [(one.name, one.value, one.source, one.meaning) for one in effective],
        )
    return OK
