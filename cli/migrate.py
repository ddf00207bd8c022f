"""`meterpost migrate`: the ledger's schema, forward only."""

import click
import psycopg

from cli.exits import FINDINGS, OK
from cli.ledger import connected
from cli.output import json_option, print_json, print_words
from service import settings
from service.ledger import LedgerUnavailable
from service.migrate import migrate, pending
from service.redaction import scrub

EPILOG = """\b
Examples:
  meterpost migrate
  meterpost migrate --check && echo "up to date"
"""


@click.command(epilog=EPILOG)
@click.option("--check", "is_check", is_flag=True, help="Change nothing; exit 3 when the ledger is behind.")
@json_option
def command(*, is_check: bool, as_json: bool) -> int:
    """Bring the ledger's schema up to date. Any number of these may run at once."""
    return _check(as_json=as_json) if is_check else _migrate(as_json=as_json)


def _check(*, as_json: bool) -> int:
    with connected() as connection:
        behind = pending(connection)
    _say({"pending": behind}, "; ".join(behind) or "the ledger is up to date", as_json=as_json)
    return FINDINGS if behind else OK


def _migrate(*, as_json: bool) -> int:
    chosen = settings.load()
    chosen.require("DATABASE_URL")
    try:
        names = migrate(chosen.database_url)
    except psycopg.OperationalError as away:
        raise LedgerUnavailable(scrub(f"{LedgerUnavailable.__doc__}\n{away}")) from away
    _say({"migrated": names}, f"ran {', '.join(names)}" if names else "the ledger is up to date", as_json=as_json)
    return OK


def _say(answer: dict[str, list[str]], words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print_words(words)
