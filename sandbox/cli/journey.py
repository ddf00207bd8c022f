"""A jump of the clock as the command line asks for it: however long it takes, it tells where it has got to."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import click

from sandbox.cli.client import ask, ask_patiently
from sandbox.wire import JsonObject

PATIENCE_S = 24 * 3_600
"""A jump over years carries out all that falls due, and waits for every delivery on the way to be answered."""
PROGRESS_S = 2.0


def travel(url: str, *, tell: Callable[[str], None], progress_s: float = PROGRESS_S, **way: Any) -> JsonObject:
    """The clock at the journey's end; ClickException as of `ask`. Until then `tell` hears the date now and then."""
    has_ended = Event()

    def report() -> None:
        with suppress(click.ClickException):  # the journey's own call finds the same, and tells it
            while not has_ended.wait(progress_s):
                tell(date(ask(url, "GET", "clock")["now"]))

    Thread(target=report, daemon=True).start()
    try:
        return ask_patiently(url, "POST", "clock", patience_s=PATIENCE_S, **way)
    finally:
        has_ended.set()


def date(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
