"""What every command that changes something is told: who wants it, and why. Both are kept for ever."""

import os
import pwd
import socket
from collections.abc import Callable
from typing import Any, TypeVar

import click
from marshmallow import ValidationError

from meterpost.rules import read_meter
from service.ledger.actions import Order
from service.ledger.pauses import ALL_METERS

ACTOR_CHARS_MAX = 200
REASON_CHARS_MAX = 1_000
Command = TypeVar("Command", bound=Callable[..., Any])


class Sentence(click.ParamType[str]):
    """Some printable characters; they go into the ledger and onto screens."""

    name = "text"

    def __init__(self, *, chars_max: int) -> None:
        self._chars_max = chars_max

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not 1 <= len(text) <= self._chars_max or not text.isprintable():
            self.fail(f"say it in 1 to {self._chars_max:,} printable characters on one line", param, ctx)
        return text


def order_options(command: Command) -> Command:
    """`--reason`, which is required, and `--actor`."""
    reason = click.option(
        "--reason", required=True, type=Sentence(chars_max=REASON_CHARS_MAX), help="Why; kept with the action for ever."
    )
    return reason(actor_option(command))


def actor_option(command: Command) -> Command:
    return click.option(
        "--actor",
        type=Sentence(chars_max=ACTOR_CHARS_MAX),
        help="Who wants it; by default the system's user and host.",
    )(command)


def meter_option(meaning: str) -> Callable[[Command], Command]:
    """`--meter`: one by its name, all if left out."""
    return click.option("--meter", default=ALL_METERS, callback=_read_meter, help=meaning)


def order_of(actor: str | None, reason: str) -> Order:
    return Order(actor=actor or _user_and_host(), reason=reason)


def _read_meter(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        return value if value == ALL_METERS else read_meter(value)
    except ValidationError as refused:
        raise click.BadParameter("; ".join(map(str, refused.messages))) from None


def _user_and_host() -> str:
    """By the system's word, not by the environment's, which anybody may set."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's user often has no name
        user = f"uid-{os.geteuid()}"
    return f"{user}@{socket.gethostname()}"[:ACTOR_CHARS_MAX]
