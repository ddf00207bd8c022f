"""`meterpost backfill`: rows that count only once somebody saw what they change, and that are taken back together."""

import re
from typing import Any

import click

from cli.backfill_add import add
from cli.backfill_run import close, revert
from cli.backfill_shown import preview, show
from cli.exits import OK, Failed
from cli.ledger import committing, reading, writing
from cli.ordering import actor_option, order_of
from cli.output import json_option, print_json, print_table, print_words
from service import settings
from service.ledger.backfills import backfills, open_backfill

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
OPEN_EPILOG = """\b
Examples:
  meterpost backfill open march-outage
  meterpost backfill add march-outage rows.csv
  meterpost backfill preview march-outage
  meterpost backfill close march-outage --reason "INC-42"
"""
LIST_EPILOG = """\b
Examples:
  meterpost backfill list
  meterpost backfill list --json | jq -r '.backfills[] | select(.state == "open").name'
"""


class NameParameter(click.ParamType[str]):
    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if NAME.fullmatch(str(value)) is None:
            self.fail(
                f"{str(value)[:60]!r}: give 1 to 40 of a-z, 0-9, dot, dash and _, such as march-outage", param, ctx
            )
        return str(value)


@click.group()
def command() -> None:
    """Stage, preview, close and revert rows as a unit."""


for one in (add, preview, close, revert, show):
    command.add_command(one)


@command.command("open", epilog=OPEN_EPILOG)
@click.argument("name", type=NameParameter())
@actor_option
@json_option
def open_one(*, name: str, actor: str | None, as_json: bool) -> int:
    """Open the backfill NAME, to be filled with `backfill add`. Nothing of it counts until it is closed."""
    account = settings.load().account
    with writing() as tx, committing(tx):
        is_new = open_backfill(tx, account, name, actor=order_of(actor, "to be filled").actor)
        (found,) = backfills(tx, account, name=name)
    if not is_new and found.state != "open":
        raise Failed(f"the backfill {name} is {found.state}: a backfill is filled once, give another name")
    if as_json:
        print_json({"is_new": is_new, "backfill": found})
    else:
        print_words(f"{name} is open" if is_new else f"{name} is open already, with {found.rows:,} rows")
    return OK


@command.command("list", epilog=LIST_EPILOG)
@json_option
def list_backfills(*, as_json: bool) -> int:
    """List all backfills, the oldest first, with how many of their rows stand where."""
    account = settings.load().account
    with reading() as tx:
        found = backfills(tx, account)
    if as_json:
        print_json({"backfills": found})
        return OK
    columns = ["name", "state", "#rows", "#staged", "#recorded", "#left out", "#reverted", "opened", "by"]
    rows = [
        (
            one.name,
            one.state,
            one.rows,
            one.staged,
            one.recorded,
            one.duplicates + one.conflicts + one.left_out,
            one.reverted,
            one.opened_at,
            one.opened_by,
        )
        for one in found
    ]
    print_table(columns, rows)
    if not found:
        print_words("there is no backfill")
    return OK
