"""`meterpost late`: usage whose invoice was final without it, and what a person decides of it."""

from collections.abc import Callable
from typing import Any

import click

from cli.alarms_shown import money_of
from cli.exits import OK
from cli.ledger import committing, reading, writing
from cli.letters import line_of, print_answer
from cli.ordering import order_of, order_options
from cli.output import json_option, print_json, print_table, print_words
from service import settings
from service.currencies import money
from service.ledger.actions import Order
from service.ledger.alarms import Alarm, alarms
from service.ledger.answers import Acted, Answer
from service.ledger.late import LateId, LateUsage, NoLateId, carry, late_usage, read_late_id, waive
from service.ledger.late_worth import Amount, LateWorth, late_worth

Decide = Callable[..., Answer]
LIST_EPILOG = """\b
Examples:
  meterpost late list
  meterpost late list --json | jq -r '.late[].subject'
"""
CARRY_EPILOG = """\b
Examples:
  meterpost late carry in_1Abc/cus_NffrFeUfNV2Hib/api_requests --reason "an outage of ours, INC-42" --dry-run
  meterpost late carry me-123 --reason "agreed with the customer"
"""
WAIVE_EPILOG = """\b
Examples:
  meterpost late waive me-123 --reason "not worth a line"
  meterpost late waive in_1Abc/cus_NffrFeUfNV2Hib/api_requests --reason "an outage of ours, INC-42"
"""


class LateParameter(click.ParamType[LateId]):
    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> LateId:
        try:
            return read_late_id(str(value))
        except NoLateId as unreadable:
            self.fail(str(unreadable), param, ctx)


def dry_run_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--dry-run`: the run itself, rolled back."""
    return click.option("--dry-run", "is_dry", is_flag=True, help="Change nothing; say what would happen.")(command)


@click.group()
def command() -> None:
    """List, carry and waive usage whose invoice was final without it."""


@command.command("list", epilog=LIST_EPILOG)
@json_option
def list_late(*, as_json: bool) -> int:
    """List what is late, one line an invoice and lane, the longest final first.

    The money is that of its alarm: empty until it is rated, and where no price is known.
    """
    account = settings.load().account
    with reading() as tx:
        found = late_usage(tx, account)
        worth = {one.subject: one for one in alarms(tx, account, kind="late")}
    if as_json:
        print_json({"late": [_told(one, worth.get(one.subject)) for one in found]})
        return OK
    rows = [
        (one.subject, one.rows, one.units, _money(worth.get(one.subject)), one.since, one.until, one.said)
        for one in found
    ]
    print_table(["id", "#rows", "#units", "#money", "since", "until", "said"], rows)
    if not found:
        print_words("nothing is late")
    return OK


@command.command("carry", epilog=CARRY_EPILOG)
@click.argument("late", metavar="ID", type=LateParameter())
@dry_run_option
@order_options
@json_option
def carry_late(*, late: LateId, is_dry: bool, reason: str, actor: str | None, as_json: bool) -> int:
    """Bill ID with the period of now: one entry for each of its meter events, once, whoever asks again.

    ID is a meter event (me-123), or all of an invoice and lane as `late list` shows it.
    """
    return _decide(carry, late, order=order_of(actor, reason), is_dry=is_dry, as_json=as_json)


@command.command("waive", epilog=WAIVE_EPILOG)
@click.argument("late", metavar="ID", type=LateParameter())
@dry_run_option
@order_options
@json_option
def waive_late(*, late: LateId, is_dry: bool, reason: str, actor: str | None, as_json: bool) -> int:
    """Leave ID unbilled for good. It stays on the books with the reason."""
    return _decide(waive, late, order=order_of(actor, reason), is_dry=is_dry, as_json=as_json)


def _decide(decide: Decide, late: LateId, *, order: Order, is_dry: bool, as_json: bool) -> int:
    chosen = settings.load()
    with writing() as tx, committing(tx, is_dry=is_dry):
        worth = late_worth(tx, chosen.account, late)  # as it stands before
        answer = decide(tx, chosen.account, late, order=order, timing=chosen.timing)
    if isinstance(answer, Acted):
        _print_acted(answer, worth, as_json=as_json)
    else:
        print_answer(answer, as_json=as_json)
    if is_dry:
        print_words("a dry run: nothing was changed")
    return OK


def _print_acted(answer: Acted, worth: LateWorth, *, as_json: bool) -> None:
    if as_json:
        print_json({"done": True, "answer": answer, "money": worth})
        return
    print_words(line_of(answer))
    print_words(f"missing on its invoice: {_in_words(worth.missed)}")
    if answer.after == "carried":
        print_words(f"billed in the period of now: {_in_words(worth.carried)}")


def _in_words(amount: Amount | None) -> str:
    return "no price is known" if amount is None else money(amount.amount, amount.currency)


def _told(one: LateUsage, alarm: Alarm | None) -> dict[str, object]:
    """Amounts in the currency's minor unit: exact, and by how much an invoice differs."""
    keys = ("subject", "invoice", "customer", "meter", "item", "price", "rows", "units", "since", "until", "said")
    amounts = ("amount", "amount_rounded", "currency")
    return {key: getattr(one, key) for key in keys} | {key: getattr(alarm, key, None) for key in amounts}


def _money(alarm: Alarm | None) -> str | None:
    return None if alarm is None else money_of(alarm)
