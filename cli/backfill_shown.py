"""`meterpost backfill preview` and `show`: what closing would change, and what became of the rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

import click

from cli.exits import FINDINGS, OK, Failed
from cli.ledger import reading
from cli.output import instant, json_option, print_json, print_table, print_words, shown, watched
from service import settings
from service.currencies import money
from service.ledger.actions import actions_on
from service.ledger.backfill_preview import Standing, lookalikes, standings, total
from service.ledger.backfills import Backfill, backfills, reasons
from service.ledger.connection import Transaction

UNBILLED = "no subscription is known that bills its time"
PREVIEW_EPILOG = """\b
Examples:
  meterpost backfill preview march-outage
  meterpost backfill preview march-outage --json | jq '.changes[] | select(.customer == "cus_NffrFeUfNV2Hib")'
"""
SHOW_EPILOG = """\b
Examples:
  meterpost backfill show march-outage
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What would change for a customer and meter. `amount` is in the currency's minor unit; None: no price is known."""

    customer: str
    meter: str
    rows: int
    units: Decimal
    since: datetime
    until: datetime
    amount: int | None
    currency: str | None
    is_revertible: bool

    @property
    def money(self) -> str | None:
        return None if self.amount is None or self.currency is None else money(self.amount, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Rows that would not be billed, and why. Those without a subscription are recorded all the same."""

    customer: str
    meter: str
    reason: str
    rows: int
    units: Decimal


@click.command(epilog=PREVIEW_EPILOG)
@click.argument("name")
@json_option
def preview(*, name: str, as_json: bool) -> int:
    """Show what closing the backfill NAME would change now, by customer and meter, and what would not be billed.

    The exit code is 3 where something would not be billed, or looks like what is recorded already.
    """
    chosen = settings.load()
    with reading() as tx:
        backfill = _find(tx, chosen.account, name)
        with watched() as progress:
            task = progress.add_task("reading", total=backfill.staged)
            found = standings(tx, backfill, advance=lambda rows: progress.advance(task, rows))
        alike = lookalikes(tx, backfill, timing=chosen.timing)
    changes, problems = list(_changes(found)), list(_problems(found))
    if as_json:
        print_json({"backfill": backfill, "changes": changes, "problems": problems, "lookalikes": alike})
    else:
        _print(changes, problems, alike=alike)
        if not changes:
            print_words(_nothing(backfill))
    return FINDINGS if problems or alike else OK


@click.command(epilog=SHOW_EPILOG)
@click.argument("name")
@json_option
def show(*, name: str, as_json: bool) -> int:
    """Show the backfill NAME: what became of its rows, why some do not count, and what persons did."""
    account = settings.load().account
    with reading() as tx:
        backfill = _find(tx, account, name)
        why, actions = reasons(tx, backfill), actions_on(tx, f"backfill {name}")
    if as_json:
        print_json({"backfill": backfill, "reasons": why, "actions": actions})
        return OK
    click.echo(f"{name} is {backfill.state}; opened {instant(backfill.opened_at)} by {shown(backfill.opened_by)}")
    click.echo(
        f"  {backfill.rows:,} rows: {backfill.staged:,} staged, {backfill.recorded:,} recorded, of these"
        f" {backfill.reverted:,} taken back"
    )
    for one in why:
        click.echo(f"  {one.rows:,} rows, {shown(one.units)} units, {one.state.replace('_', ' ')}: {shown(one.reason)}")
    for action in reversed(actions):
        click.echo(f"  {instant(action.acted_at)}  {action.verb} by {shown(action.actor)}: {shown(action.reason)}")
    return OK


def _find(tx: Transaction, account: str, name: str) -> Backfill:
    found = backfills(tx, account, name=name)
    if not found:
        raise Failed(f"there is no backfill {name}; see meterpost backfill list")
    return found[0]


def _changes(found: Iterable[Standing]) -> Iterator[Change]:
    good = [one for one in found if one.standing == "recorded"]
    for (customer, meter), group in groupby(good, key=lambda one: (one.customer, one.meter)):
        some = list(group)
        amount, currency = _worth(some)
        yield Change(
            customer=customer,
            meter=meter,
            rows=sum(one.rows for one in some),
            units=total(some),
            since=min(one.since for one in some),
            until=max(one.until for one in some),
            amount=amount,
            currency=currency,
            is_revertible=all(one.formula == "sum" for one in some),
        )


def _worth(some: list[Standing]) -> tuple[int | None, str | None]:
    """Of all stretches together; None where one's price is not known, or they differ in currency."""
    worths = [one.worth for one in some]
    known = [worth for worth in worths if worth is not None]
    currencies = {currency for _, currency in known}
    if len(known) < len(worths) or len(currencies) != 1:
        return None, None
    return sum(amount for amount, _ in known), currencies.pop()


def _problems(found: Iterable[Standing]) -> Iterator[Problem]:
    for one in found:
        reason = one.reason if one.standing != "recorded" else None if one.is_billed else UNBILLED
        if reason is not None:
            yield Problem(customer=one.customer, meter=one.meter, reason=reason, rows=one.rows, units=one.units)


def _print(changes: list[Change], problems: list[Problem], *, alike: int) -> None:
    columns = ["customer", "meter", "#rows", "#units", "since", "until", "#money"]
    print_table(
        columns,
        [(one.customer, one.meter, one.rows, one.units, one.since, one.until, one.money) for one in changes],
    )
    if problems:
        print_words("what would not be billed:")
        rows = [(one.customer, one.meter, one.rows, one.units, one.reason) for one in problems]
        print_table(["customer", "meter", "#rows", "#units", "reason"], rows)
    if alike:
        print_words(f"{alike:,} rows say exactly what recorded rows of other ids say: they may have been told before")
    if meters := sorted({one.meter for one in changes if not one.is_revertible}):
        print_words(f"no entry takes back what these count, so that they could not be reverted: {', '.join(meters)}")


def _nothing(backfill: Backfill) -> str:
    if backfill.state in {"open", "closing"}:
        return "closing it would record nothing"
    return f"it is {backfill.state}, and has nothing to record any more: see meterpost backfill show {backfill.name}"
