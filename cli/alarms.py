"""`meterpost alarms`: what is wrong with money now, what it is worth, and who has seen it."""

import re
from typing import Any

import click

from cli.alarms_shown import columns_of, lines_of, row_of, told_alarm
from cli.exits import FAILURE, OK, Failed
from cli.ledger import committing, reading, writing
from cli.ordering import order_of, order_options
from cli.output import json_option, print_json, print_table, print_words, shown
from service import settings
from service.alarm_calls import Receiver
from service.alarm_posts import REMEDIES, test_body
from service.alarms import KINDS
from service.ledger.actions import actions_on
from service.ledger.alarm_posts import alarm_posts_of, write_acknowledged
from service.ledger.alarms import Alarm, acknowledge_alarm, alarms, name_of, waive_alarm
from service.ledger.connection import Transaction
from service.ledger.overview import ledger_time

ALARMS_MAX = 9_999  # a page
ALARM = re.compile(r"(?:al-)?([0-9]{1,18})")
LIST_EPILOG = """\b
Examples:
  meterpost alarms list
  meterpost alarms list --kind late --all
  meterpost alarms list --json | jq '.alarms[] | select(.is_urgent)'
"""
SHOW_EPILOG = """\b
Examples:
  meterpost alarms show al-7
  meterpost alarms show al-7 --json | jq .alarm.money
"""
ACKNOWLEDGE_EPILOG = """\b
Examples:
  meterpost alarms acknowledge al-7 --reason "the subscription is being backdated, INC-42"
"""
WAIVE_EPILOG = """\b
Examples:
  meterpost alarms waive al-7 --reason "billed by hand as ii_1Abc, INC-42"
"""
TEST_EPILOG = """\b
Examples:
  meterpost alarms test
"""


class AlarmParameter(click.ParamType[int]):
    """al-7, or 7."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = ALARM.fullmatch(str(value))
        if found is None:
            self.fail(f"{str(value)[:60]!r} is no alarm; write al-7, as meterpost alarms list shows it", param, ctx)
        return int(found[1])


@click.group()
def command() -> None:
    """List, show and acknowledge what is wrong with money: usage on its way to no invoice."""


@command.command("list", epilog=LIST_EPILOG)
@click.option("--all", "with_cleared", is_flag=True, help="Also those that were cleared, the newest first.")
@click.option("--kind", type=click.Choice([kind.name for kind in KINDS]), help="Only this kind.")
@click.option("--limit", type=click.IntRange(1, ALARMS_MAX), default=100, show_default=True, help="How many.")
@json_option
def list_alarms(*, with_cleared: bool, kind: str | None, limit: int, as_json: bool) -> int:
    """List what is wrong now: the urgent first, then what is nearest to its deadline. What is mended clears itself."""
    account = settings.load().account
    with reading() as tx:
        now = ledger_time(tx)
        found = alarms(tx, account, with_cleared=with_cleared, kind=kind, alarms_max=limit + 1)
    listed = found[:limit]
    if as_json:
        print_json({"alarms": [told_alarm(one) for one in listed], "has_more": len(found) > limit})
        return OK
    print_table(columns_of(with_cleared=with_cleared), [row_of(one, now=now) for one in listed])
    if len(found) > limit:
        print_words(f"there are more: add --limit, or --kind with one of {', '.join(one.name for one in KINDS)}")
    if not listed:
        print_words("nothing is wrong with money, as far as anybody has looked; see meterpost doctor")
    return OK


@command.command("show", epilog=SHOW_EPILOG)
@click.argument("alarm_id", metavar="ID", type=AlarmParameter())
@json_option
def show(*, alarm_id: int, as_json: bool) -> int:
    """Show all that is known of alarm ID: figures, money, what to do, who saw it, and what was posted of it."""
    account = settings.load().account
    with reading() as tx:
        found = _require(tx, account, alarm_id)
        actions, posts = actions_on(tx, name_of(alarm_id)), alarm_posts_of(tx, alarm_id)
    if as_json:
        print_json({"alarm": told_alarm(found), "actions": actions, "posts": posts})
        return OK
    for line in lines_of(found, actions=actions, posts=posts):
        click.echo(line)
    return OK


@command.command("acknowledge", epilog=ACKNOWLEDGE_EPILOG)
@click.argument("alarm_id", metavar="ID", type=AlarmParameter())
@order_options
@json_option
def acknowledge(*, alarm_id: int, reason: str, actor: str | None, as_json: bool) -> int:
    """Say that somebody has seen alarm ID and sees to it.

    It stays open until it is wrong no more, and clears by itself then. Said twice, the first stands.
    """
    account, order = settings.load().account, order_of(actor, reason)
    with writing() as tx, committing(tx):
        is_new = acknowledge_alarm(tx, account, alarm_id, order=order)
        if is_new:
            write_acknowledged(tx, account, alarm_id)
        found = _require(tx, account, alarm_id)
    if as_json:
        print_json({"done": is_new, "alarm": told_alarm(found)})
    else:
        print_words(_answer(found, is_new=is_new))
    return OK


@command.command("waive", epilog=WAIVE_EPILOG)
@click.argument("alarm_id", metavar="ID", type=AlarmParameter())
@order_options
@json_option
def waive(*, alarm_id: int, reason: str, actor: str | None, as_json: bool) -> int:
    """Live with what alarm ID says: these rows and units, and no others.

    It clears with the next look, within seconds. Where its figures change, it is an alarm again.
    """
    account, order = settings.load().account, order_of(actor, reason)
    with writing() as tx, committing(tx):
        found = _require(tx, account, alarm_id)
        _require_waivable(found)
        is_new = waive_alarm(tx, account, alarm_id, order=order)
    if as_json:
        print_json({"done": is_new, "alarm": told_alarm(found)})
    else:
        answer = "waived; it clears within seconds" if is_new else "nothing to do: it is waived as it is, or cleared"
        print_words(f"{name_of(alarm_id)}  {answer}")
    return OK


@command.command("test", epilog=TEST_EPILOG)
@json_option
def test(*, as_json: bool) -> int:
    """Post a test alarm to METERPOST_ALARM_URL, signed like any other, and show the answer (exit code 1: not taken)."""
    chosen = settings.load()
    chosen.require("METERPOST_ALARM_URL")
    receiver = Receiver(chosen)
    told = receiver.post(test_body())
    if as_json:
        print_json({"is_taken": told.is_taken, "status": told.status, "answer": told.text, "receiver": receiver.host})
    elif told.is_taken:
        print_words(f"{receiver.host} took it: {told.status} {shown(told.text)}")
    else:
        print_words(f"{receiver.host} did not take it: {shown(told.reason)}")
    return OK if told.is_taken else FAILURE


def _require(tx: Transaction, account: str, alarm_id: int) -> Alarm:
    found = alarms(tx, account, alarm_ids=[alarm_id])
    if not found:
        raise Failed(f"there is no alarm {name_of(alarm_id)}; see meterpost alarms list --all")
    return found[0]


def _require_waivable(found: Alarm) -> None:
    waivable = [kind.name for kind in KINDS if kind.is_waivable]
    if found.kind not in waivable:
        remedy = REMEDIES.get(found.kind, "see meterpost alarms show")
        raise Failed(f"what is {found.kind} is not waived, as only {', '.join(waivable)} are; {remedy}")


def _answer(found: Alarm, *, is_new: bool) -> str:
    name = name_of(found.alarm_id)
    if is_new:
        return f"{name}  acknowledged; it clears by itself once it is mended"
    if found.state == "cleared":
        return f"{name}  nothing to do: it is cleared"
    return f"{name}  nothing to do: {shown(found.acknowledged_by)} has acknowledged it"
