"""`meterpost dead drain`: many letters retried one by one, paced, each in a transaction of its own.

What is done is done when its line is printed, and Ctrl-C stops between two. A dry run does the same and rolls each
back, so what it says is what would happen.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import click
from rich.progress import Progress

from cli.exits import FINDINGS, INTERRUPTED, OK
from cli.interrupts import noted
from cli.ledger import committing, writing
from cli.letters import filter_options, line_of, wanted_of
from cli.ordering import order_of, order_options
from cli.output import json_option, print_json, print_words, stderr, stdout
from cli.restores import looking
from meterpost.rows import Units
from service import settings
from service.ledger.actions import Order
from service.ledger.answers import Answer, Declined, Ordered
from service.ledger.connection import Transaction
from service.ledger.desk import DeadLetter, Wanted, dead_totals, every_dead_letter
from service.ledger.overview import ledger_time
from service.ledger.remedies import retry
from service.letters import read_letter_id
from service.ratecard.chosen import units_of
from service.timing import Timing

ANSWERS_MAX = 1_000  # told in JSON; the counts are of all
RATE = re.compile(r"([1-9][0-9]{0,3})/(s|min)")
SECONDS = {"s": 1, "min": 60}
EPILOG = """\b
Examples:
  meterpost dead drain --class refused --reason "the meter is active again" --dry-run
  meterpost dead drain --class refused --meter api_requests --rate 5/s --reason "the meter is active again"
  meterpost dead drain --class quarantined --reason-like "too old" --rate 100/min --reason INC-42
"""


class RateParameter(click.ParamType["timedelta"]):
    """`5/s` as the time between two."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = RATE.fullmatch(str(value))
        if found is None:
            self.fail("give how many a second or a minute, such as 5/s or 100/min", param, ctx)
        return timedelta(seconds=SECONDS[found[2]]) / int(found[1])


@dataclass(slots=True, kw_only=True)
class Drained:
    """What became of the letters so far."""

    counts: Counter[str] = field(default_factory=Counter)
    answers: list[Answer] = field(default_factory=list)  # the first ANSWERS_MAX
    is_interrupted: bool = False

    def add(self, answer: Answer) -> None:
        self.counts[type(answer).__name__.lower()] += 1
        if len(self.answers) < ANSWERS_MAX:
            self.answers.append(answer)


@click.command(epilog=EPILOG)
@filter_options(is_class_required=True)
@click.option("--rate", "wait", type=RateParameter(), default="10/s", show_default=True, help="At most so many.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Change nothing; say what would happen to each.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask at a terminal.")
@order_options
@json_option
def drain(  # noqa: PLR0913  # one parameter an option of the command
    *,
    of_class: str,
    customer: str | None,
    meter: str | None,
    like: str | None,
    since: datetime | timedelta | None,
    wait: timedelta,
    is_dry: bool,
    is_sure: bool,
    reason: str,
    actor: str | None,
    as_json: bool,
) -> int:
    """Retry every letter of a class that fits, paced, the longest waiting first.

    Each is retried as `dead retry` would, and on its own: Ctrl-C stops between two (exit code
    130). What comes to the desk meanwhile is left there. Exit code 3 where some could not be retried.
    """
    chosen, order = settings.load(), order_of(actor, reason)
    with writing() as tx, looking(tx, chosen) as look:
        now = ledger_time(tx)
        wanted = wanted_of(of_class=of_class, customer=customer, meter=meter, like=like, since=since, now=now)
        letters = sum(total.letters for total in dead_totals(tx, wanted))
        if not is_dry and not is_sure and stderr().is_terminal:
            click.confirm(f"retry {letters:,} letters?", abort=True, err=True)
        drainer = Drainer(
            tx,
            order,
            look=look,
            timing=chosen.timing,
            units=units_of(chosen),
            wait=wait,
            is_dry=is_dry,
            is_silent=as_json,
        )
        drained = drainer.drain(every_dead_letter(tx, wanted, until=now), letters=letters)
    return _answer(drained, wanted=wanted, is_dry=is_dry, as_json=as_json)


class Drainer:
    def __init__(
        self,
        tx: Transaction,
        order: Order,
        *,
        look: Callable[[], None],
        timing: Timing,
        units: Units,
        wait: timedelta,
        is_dry: bool,
        is_silent: bool,
    ) -> None:
        self._tx = tx
        self._order = order
        self._look = look
        self._timing = timing
        self._units = units
        self._wait_s = 0.0 if is_dry else wait.total_seconds()
        self._is_dry = is_dry
        self._is_silent = is_silent

    def drain(self, found: Iterator[DeadLetter], *, letters: int) -> Drained:
        drained = Drained()
        with noted() as interrupts, _watched(letters) as progress:
            for number, one in enumerate(found):
                if interrupts.wait(self._wait_s if number else 0):
                    drained.is_interrupted = True
                    break
                self._say(drained, self._retry(one))
                progress.advance(progress.task_ids[0])
        return drained

    def _retry(self, one: DeadLetter) -> Answer:
        with committing(self._tx, is_dry=self._is_dry):
            self._look()
            ordered = Ordered(tx=self._tx, letter=read_letter_id(one.letter), order=self._order)
            return retry(ordered, timing=self._timing, units=self._units)

    def _say(self, drained: Drained, answer: Answer) -> None:
        drained.add(answer)
        if not self._is_silent:
            click.echo(f"{'would: ' if self._is_dry else ''}{line_of(answer)}")


@contextmanager
def _watched(letters: int) -> Iterator[Progress]:
    """A bar for who watches while the lines go elsewhere; at a terminal the lines are the progress."""
    console = stderr()
    is_hidden = stdout().is_terminal or not console.is_terminal
    with Progress(
        console=console,
        disable=is_hidden,
        transient=True,
        redirect_stdout=False,  # or the answer would go where the bar is drawn
        redirect_stderr=False,
    ) as progress:
        progress.add_task("draining", total=letters)
        yield progress


def _answer(drained: Drained, *, wanted: Wanted, is_dry: bool, as_json: bool) -> int:
    counts = {name: drained.counts[name] for name in ("acted", "unneeded", "declined")}
    if as_json:
        told = [asdict(answer) | {"is_declined": isinstance(answer, Declined)} for answer in drained.answers]
        print_json({"dry_run": is_dry, "interrupted": drained.is_interrupted, **counts, "answers": told})
    else:
        would = "would be " if is_dry else ""
        text = (
            f"{counts['acted']:,} {would}retried, {counts['unneeded']:,} had moved on, {counts['declined']:,} cannot be"
        )
        print_words(f"{wanted.class_}: {text}{'; interrupted' if drained.is_interrupted else ''}")
    if drained.is_interrupted:
        return INTERRUPTED
    return FINDINGS if counts["declined"] else OK
