"""`meterpost backfill close` and `revert`: many bounded transactions, each whole, so that any of them may be the last.

Asked again after a crash or Ctrl-C, either goes on where it was: what is done is written down with what it did.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.progress import Progress

from cli.exits import FINDINGS, INTERRUPTED, OK, Failed
from cli.interrupts import Interrupts, noted
from cli.ledger import committing, writing
from cli.ordering import order_of, order_options
from cli.output import json_option, print_json, print_words, stderr
from service import settings
from service.ledger.actions import Order
from service.ledger.backfill_steps import Step, record_some, take_back_corrected, take_back_some
from service.ledger.backfills import Backfill, Locked, backfills, begin, finish, lock_backfill
from service.ledger.connection import Transaction
from service.timing import Timing

CLOSE_EPILOG = """\b
Examples:
  meterpost backfill close march-outage --reason "the rows of INC-42"
"""
REVERT_EPILOG = """\b
Examples:
  meterpost backfill revert march-outage --reason "the export was of the wrong month"
"""
Take = Callable[[Locked], Step]


class Run:
    """One backfill on its way from a state to the next, step by step."""

    def __init__(self, tx: Transaction, account: str, name: str, *, timing: Timing) -> None:
        self._tx = tx
        self._account = account
        self._name = name
        self._timing = timing
        self.counts: Counter[str] = Counter()
        self.is_interrupted = False

    @property
    def backfill(self) -> Backfill:
        found = backfills(self._tx, self._account, name=self._name)
        if not found:
            raise Failed(f"there is no backfill {self._name}; see meterpost backfill list")
        return found[0]

    def begin(self, state: str, *, before: str, order: Order) -> None:
        """What somebody has begun goes on. Raises Failed where it is not its turn."""
        with committing(self._tx):
            locked = self._lock()
            if locked.state == before:
                begin(self._tx, locked, state, order=order)
            elif locked.state != state:
                raise Failed(f"the backfill {self._name} is {locked.state}; see meterpost backfill show {self._name}")

    def record(self) -> None:
        """Every staged row, and then it is closed."""
        backfill = self.backfill
        with noted() as interrupts, _watched("closing", backfill.staged) as progress:
            while (step := self._step(lambda locked: record_some(self._tx, locked, timing=self._timing))).place:
                self._count(step, progress)
                if self._stops(interrupts):
                    return
        self._finish("closed", before="closing")

    def take_back(self) -> None:
        """Every entry, then what corrected meter events as a whole; and where nothing waits, it is reverted."""
        with noted() as interrupts, _watched("reverting", self.backfill.recorded) as progress:
            after = 0
            while place := (step := self._step(self._taking(after))).place:
                after = place
                self._count(step, progress)
                if self._stops(interrupts):
                    return
            while (step := self._step(self._taking_corrected)).place is not None:
                self.counts += step.counts
        if not self.counts["waiting"]:
            self._finish("reverted", before="reverting")

    def _taking(self, after: int) -> Take:
        return lambda locked: take_back_some(self._tx, locked, after=after, timing=self._timing)

    def _taking_corrected(self, locked: Locked) -> Step:
        return take_back_corrected(self._tx, locked, timing=self._timing)

    def _step(self, take: Take) -> Step:
        with committing(self._tx):
            return take(self._lock())

    def _finish(self, state: str, *, before: str) -> None:
        with committing(self._tx):
            locked = self._lock()
            if locked.state == before:
                finish(self._tx, locked, state)

    def _lock(self) -> Locked:
        locked = lock_backfill(self._tx, self._account, self._name)
        if locked is None:
            raise Failed(f"there is no backfill {self._name}; see meterpost backfill list")
        return locked

    def _count(self, step: Step, progress: Progress) -> None:
        self.counts += step.counts
        progress.advance(progress.task_ids[0], sum(step.counts.values()) - step.counts["moved"])

    def _stops(self, interrupts: Interrupts) -> bool:
        self.is_interrupted = interrupts.wait(0)
        return self.is_interrupted


@click.command(epilog=CLOSE_EPILOG)
@click.argument("name")
@order_options
@json_option
def close(*, name: str, reason: str, actor: str | None, as_json: bool) -> int:
    """Record the rows of the backfill NAME: from then on they count.

    What cannot be billed is left out with the reason, as `backfill preview` says it. Stopped in the middle, it goes on
    when it is asked again. An empty backfill stays open.
    """
    chosen = settings.load()
    with writing() as tx:
        run = Run(tx, chosen.account, name, timing=chosen.timing)
        _require_rows(run.backfill)
        if run.backfill.state != "closed":
            run.begin("closing", before="open", order=order_of(actor, reason))
            run.record()
        backfill = run.backfill
    left = backfill.duplicates + backfill.conflicts + backfill.left_out
    text = f"{backfill.recorded:,} rows recorded, {left:,} left out (see meterpost backfill show {name})"
    return _answer(run, backfill, text=text, as_json=as_json)


@click.command(epilog=REVERT_EPILOG)
@click.argument("name")
@order_options
@json_option
def revert(*, name: str, reason: str, actor: str | None, as_json: bool) -> int:
    """Take back what the closed backfill NAME has filled in, with all that corrected it since.

    Each entry is taken back by one in its own period, or in the period of now where its invoice is final. What may or
    may not count waits: then the exit code is 3, and you ask again. What no entry can take back is kept, and said.
    """
    chosen = settings.load()
    with writing() as tx:
        run = Run(tx, chosen.account, name, timing=chosen.timing)
        if run.backfill.state != "reverted":
            run.begin("reverting", before="closed", order=order_of(actor, reason))
            run.take_back()
        backfill = run.backfill
    told = [f"{backfill.reverted:,} of {backfill.recorded:,} rows taken back"]
    told += (
        [f"{run.counts['moved']:,} of them in the period of now, as their invoice is final"]
        if run.counts["moved"]
        else []
    )
    told += [f"{backfill.kept:,} kept (see meterpost backfill show {name})"] if backfill.kept else []
    told += [f"{run.counts['waiting']:,} wait until it is known whether they count: ask again"] * bool(
        run.counts["waiting"]
    )
    return _answer(run, backfill, text=", ".join(told), as_json=as_json)


def _require_rows(backfill: Backfill) -> None:
    """Closed with nothing in it, a backfill's name would be spent. No lock is needed, as no row is ever unstaged."""
    if backfill.state == "open" and backfill.rows == 0:
        name = backfill.name
        raise Failed(f"the backfill {name} has no rows yet: fill it with meterpost backfill add {name} FILE")


def _answer(run: Run, backfill: Backfill, *, text: str, as_json: bool) -> int:
    if as_json:
        print_json({"interrupted": run.is_interrupted, "moved": run.counts["moved"], "backfill": backfill})
    else:
        print_words(f"{backfill.name} is {backfill.state}: {text}")
    if run.is_interrupted:
        print_words("interrupted; asked again, it goes on where it was")
        return INTERRUPTED
    return FINDINGS if run.counts["waiting"] else OK


@contextmanager
def _watched(word: str, rows: int) -> Iterator[Progress]:
    console = stderr()
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        progress.add_task(word, total=rows)
        yield progress
