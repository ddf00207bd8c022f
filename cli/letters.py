"""How the commands of the desk read their arguments, and how they answer an order."""

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, TypeVar, assert_never

import click

from cli.csv_rows import read_timestamp
from cli.exits import Failed
from cli.output import print_json, print_words, shown
from service.corrections import Correction
from service.ledger.answers import Acted, Answer, Declined, Unneeded
from service.ledger.desk import CLASSES, DeadLetter, Total, Wanted
from service.letters import LetterId, NoLetter, read_letter_id

AGE = re.compile(r"([1-9][0-9]{0,4})(min|h|d)")
UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
Command = TypeVar("Command", bound=Callable[..., Any])


class LetterParameter(click.ParamType[LetterId]):
    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> LetterId:
        try:
            return read_letter_id(str(value))
        except NoLetter as unreadable:
            self.fail(str(unreadable), param, ctx)


class SinceParameter(click.ParamType["datetime | timedelta"]):
    """An instant, or an age that the ledger's clock makes one."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | timedelta:
        if found := AGE.fullmatch(str(value)):
            return int(found[1]) * UNITS[found[2]]
        try:
            return read_timestamp(str(value))
        except (ValueError, OverflowError, OSError):
            self.fail("give an age such as 30min, 2h or 7d, or an instant such as 2026-03-01T12:00:00Z", param, ctx)


class FieldParameter(click.ParamType[tuple[str, str]]):
    name = "field=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return (str(value[0]), str(value[1]))
        name, equals, text = str(value).partition("=")
        if not equals or not name:
            self.fail(f"{str(value)[:60]!r} is no field=value; write for example value=1.5", param, ctx)
        return name, text


def filter_options(*, is_class_required: bool) -> Callable[[Command], Command]:
    """Which letters: all of these that are given must fit."""

    def add(command: Command) -> Command:
        for option in (
            click.option("--since", type=SinceParameter(), help="On the desk since then or later: 2h, 7d, an instant."),
            click.option("--reason-like", "like", help="A part of the reason, in capitals or not."),
            click.option("--meter", help="The meter's event_name."),
            click.option("--customer", help="The customer's id, cus_…"),
            click.option(
                "--class", "of_class", type=click.Choice(list(CLASSES)), required=is_class_required, help="What kind."
            ),
        ):
            command = option(command)
        return command

    return add


def wanted_of(
    *,
    of_class: str | None,
    customer: str | None,
    meter: str | None,
    like: str | None,
    since: datetime | timedelta | None,
    now: datetime,
) -> Wanted:
    not_before = now - since if isinstance(since, timedelta) else since
    return Wanted(class_=of_class, customer=customer, meter=meter, reason=like, not_before=not_before)


def correction_of(set_to: tuple[tuple[str, str], ...], left_out: tuple[str, ...]) -> Correction:
    return Correction(set_to=dict(set_to), left_out=frozenset(left_out))


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """Raises Failed where it cannot be done: nothing was changed, and the text says what can be."""
    if isinstance(answer, Declined):
        raise Failed(f"{answer.letter}: {answer.text}")
    if as_json:
        print_json({"done": isinstance(answer, Acted), "answer": answer})
    else:
        print_words(line_of(answer))


def line_of(answer: Answer) -> str:
    match answer:
        case Acted():
            return f"{answer.letter}  {answer.before} → {answer.after}: {shown(answer.text)}"
        case Unneeded():
            return f"{answer.letter}  nothing to do: {shown(answer.text)}"
        case Declined():
            return f"{answer.letter}  cannot be done: {shown(answer.text)}"
        case _ as never:
            assert_never(never)


def told_letter(told: DeadLetter | Total) -> dict[str, object]:
    """For JSON: `class` is a word of Python's, and so no name of a field here."""
    return {name.removesuffix("_"): value for name, value in asdict(told).items()}
