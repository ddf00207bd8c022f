"""`meterpost subscriptions list` and `imports`: which subscriptions stand where, and with which files they came."""

from dataclasses import asdict
from itertools import chain
from typing import Any

import click

from cli.exits import OK
from cli.ledger import reading
from cli.output import json_option, print_json, print_table, print_words
from service import settings
from service.ledger.signups_shown import ListedSignup, Wanted, signup_imports, signups_listed

SIGNUPS_MAX = 1_000  # a page; more is for --json and a loop
IMPORTS_MAX = 100
REASON_SHOWN_MAX = 60
STATES = ("due", "unknown", "held", "created", "refused", "blocked", "conflict", "replaced")
LIST_EPILOG = """\b
Examples:
  meterpost subscriptions list --import spring --state refused,blocked
  meterpost subscriptions list --unpaid
  meterpost subscriptions list --customer cus_NffrFeUfNV2Hib --json | jq -r '.subscriptions[].subscription'

States: due, unknown (asked for again), held (looked for at Stripe), created; refused (by Stripe), blocked (by the guard
or by what it replaces) and conflict need a person; replaced was corrected by another row.
"""
IMPORTS_EPILOG = """\b
Examples:
  meterpost subscriptions imports
  meterpost subscriptions imports --json | jq -r '.imports[0].import_name'
"""


class States(click.ParamType[tuple[str, ...]]):
    """Some of the states, with commas between them."""

    name = "states"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        states = tuple(str(value).split(","))
        for state in states:
            if state not in STATES:
                self.fail(f"{state!r} is none of {', '.join(STATES)}", param, ctx)
        return states


@click.command("list", epilog=LIST_EPILOG, short_help="List subscriptions: what became of each, and why.")
@click.option("--import", "import_name", help="The import's name.")
@click.option(
    "--state", "states", type=States(), multiple=True, help="One, or several with commas between them, or given again."
)
@click.option("--unpaid", "is_unpaid", is_flag=True, help="Only those made whose first invoice is not paid.")
@click.option("--customer", help="The customer's id, cus_…")
@click.option("--limit", type=click.IntRange(1, SIGNUPS_MAX), default=50, show_default=True, help="How many a page.")
@click.option("--after", type=click.IntRange(0), default=0, help="Where the last page ended, as it said.")
@json_option
def list_signups(  # one parameter an option of the command
    *,
    import_name: str | None,
    states: tuple[tuple[str, ...], ...],
    is_unpaid: bool,
    customer: str | None,
    limit: int,
    after: int,
    as_json: bool,
) -> int:
    """List subscriptions that were told, the oldest first: what became of each, and why."""
    wanted = Wanted(
        account=settings.load().account,
        import_name=import_name,
        customer=customer,
        states=tuple(chain.from_iterable(states)) or None,
        is_unpaid=is_unpaid,
    )
    with reading() as tx:
        found = signups_listed(tx, wanted, after=after, signups_max=limit + 1)
    page = found[:limit]
    following = page[-1].signup_id if len(found) > limit else None
    if as_json:
        print_json(
            {"subscriptions": [{"id": f"su-{one.signup_id}", **asdict(one)} for one in page], "after": following}
        )
        return OK
    print_table(["id", "row", "customer", "price", "state", "subscription", "Stripe says", "reason"], map(_cells, page))
    if following:
        print_words(f"more: add --after {following}")
    if not page:
        print_words("none fits")
    return OK


@click.command(epilog=IMPORTS_EPILOG, short_help="List the imports, and what became of each.")
@json_option
def imports(*, as_json: bool) -> int:
    """List the files that subscriptions came with, the newest first: their names, and what became of their rows."""
    with reading() as tx:
        found = signup_imports(tx, settings.load().account, imports_max=IMPORTS_MAX)
    if as_json:
        print_json({"imports": found})
        return OK
    rows = [
        (one.import_name, one.recorded_at, one.signups, one.created, one.unpaid or None, one.waiting, one.dead or None)
        for one in found
    ]
    print_table(["name", "since", "#rows", "#created", "#unpaid", "#waiting", "#to correct"], rows)
    return OK


def _cells(one: ListedSignup) -> tuple[object, ...]:
    state = "discarded" if one.is_discarded else one.state
    reason = _short(one.reason or "")
    return f"su-{one.signup_id}", one.row_id, one.customer, one.price, state, one.subscription, one.status, reason


def _short(reason: str) -> str:
    return reason if len(reason) <= REASON_SHOWN_MAX else f"{reason[: REASON_SHOWN_MAX - 1]}…"
