"""What becomes of the subscriptions of one file, asked of the ledger: counts, rate and time left, until all is settled.

The file is not needed, and whoever looks may stop and look again: nothing of the work is done here.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice, repeat

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from cli.interrupts import Interrupts
from cli.ledger import reading
from cli.output import age, print_words, stderr
from service.ledger import LedgerUnavailable
from service.ledger.signups_shown import FoundRow, PublishedRow, signups_by_state, signups_of_rows

WAITING = ("due", "unknown")
DEAD = ("refused", "blocked", "conflict")
UNPAID = ("incomplete", "incomplete_expired")  # created, and their first invoice is not paid
SETTLED = ("created", *UNPAID, *DEAD, "replaced", "discarded")
ROWS_A_QUESTION = 1_000
QUESTIONS_A_LOOK = 20
FAST_LOOKS = 4  # at first: most files are short
RATE_OVER_S = 30
STILL_S = 30  # without any change, and something is waiting
LINE_EVERY_S = 10  # where no terminal shows a bar


@dataclass(frozen=True, slots=True, order=True)
class KnownElsewhere:
    """Rows of this file that the ledger had already, with another file or none. `state` empty: rows of usage."""

    import_name: str
    state: str


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the ledger said last of an import, and what it did not have by then."""

    states: dict[str, int] = field(default_factory=dict)
    elsewhere: Counter[KnownElsewhere] = field(default_factory=Counter)
    told_otherwise: int = 0  # under the id of a row that says another thing, which counts
    quarantined: int = 0
    on_queue: int = 0

    @property
    def settled(self) -> int:
        return sum(self.states.get(state, 0) for state in SETTLED)

    @property
    def waiting(self) -> int:
        return self.on_queue + sum(self.states.get(state, 0) for state in WAITING)

    @property
    def dead(self) -> int:
        return self.quarantined + self.told_otherwise + sum(self.states.get(state, 0) for state in DEAD)

    @property
    def held(self) -> int:
        return self.states.get("held", 0)


class Watched:
    """One import of an account. `rows` are what was published now, and not yet looked for."""

    def __init__(self, account: str, name: str, rows: Sequence[PublishedRow] = ()) -> None:
        self.seen = Seen(on_queue=len(rows))
        self._account = account
        self._name = name
        remaining = iter(rows)
        self._unseen: deque[list[PublishedRow]] = deque()
        while some := list(islice(remaining, ROWS_A_QUESTION)):
            self._unseen.append(some)

    def look(self) -> None:
        """Raises LedgerUnavailable."""
        with reading() as tx:
            for _ in range(QUESTIONS_A_LOOK):
                if not self._unseen:
                    break
                found = signups_of_rows(tx, self._account, self._unseen[0])
                known = {(one.source, one.row_id) for one in found}
                self._unseen[0] = [row for row in self._unseen[0] if (row.source, row.row_id) not in known]
                for one in found:
                    self._note(one)
                if self._unseen[0]:
                    break  # records come in the order of the queue, so those behind it are not there either
                self._unseen.popleft()
            self.seen.on_queue = sum(map(len, self._unseen))
            self.seen.states = signups_by_state(tx, self._account, self._name)

    def _note(self, found: FoundRow) -> None:
        if found.is_quarantined:
            self.seen.quarantined += 1
        elif not found.is_alike:
            self.seen.told_otherwise += 1
        elif found.import_name != self._name:
            self.seen.elsewhere[KnownElsewhere(found.import_name or "", found.state or "")] += 1


class Pace:
    """How fast it goes, by the last half minute."""

    def __init__(self) -> None:
        self._told: deque[tuple[float, int]] = deque()
        self._moved_at = time.monotonic()
        self._counts: tuple[int, int] = (-1, -1)
        self._warned: set[str] = set()

    def note(self, seen: Seen) -> None:
        now = time.monotonic()
        self._told.append((now, seen.settled))
        while now - self._told[0][0] > RATE_OVER_S:
            self._told.popleft()
        if self._counts != (seen.settled, seen.on_queue):
            self._counts, self._moved_at = (seen.settled, seen.on_queue), now
        elif seen.waiting and now - self._moved_at > STILL_S:
            self.warn(f"nothing has moved for {STILL_S} s: see meterpost status and meterpost doctor")

    def warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            print_words(text)

    def words(self, seen: Seen) -> str:
        (first_at, first), (last_at, last) = self._told[0], self._told[-1]
        if last <= first or last_at <= first_at or not seen.waiting:
            return ""
        a_second = (last - first) / (last_at - first_at)
        return f", {a_second:,.1f}/s, {age(int(seen.waiting / a_second) + 1)} left"


Show = Callable[[Seen, Pace], None]


def follow(watched: Watched, interrupts: Interrupts, *, interval_s: float) -> bool:
    """Until nothing waits any more (True), or until Ctrl-C."""
    pace = Pace()
    waits = chain((interval_s / 2**times for times in range(FAST_LOOKS, 0, -1)), repeat(interval_s))
    with _shown() as show:
        while True:
            try:
                watched.look()
            except LedgerUnavailable as away:
                pace.warn(f"{away}; asking again")
            else:
                pace.note(watched.seen)
                show(watched.seen, pace)
                if watched.seen.waiting == 0:
                    return True
            if interrupts.wait(next(waits)):
                return False


def words_of(seen: Seen) -> str:
    """The counts that are not zero, and how many still wait."""
    counts = [f"{count:,} {state}" for state, count in seen.states.items() if state not in WAITING and count]
    counts += [f"{seen.quarantined:,} quarantined"] if seen.quarantined else []
    counts += [f"{seen.told_otherwise:,} told otherwise"] if seen.told_otherwise else []
    waiting = seen.waiting - seen.on_queue
    counts += [f"{waiting:,} waiting"] if waiting else []
    counts += [f"{seen.on_queue:,} on the queue"] if seen.on_queue else []
    return ", ".join(counts) or "nothing new"


@contextmanager
def _shown() -> Iterator[Show]:
    """A bar at a terminal; elsewhere a line now and then, for logs."""
    console = stderr()
    if not console.is_terminal:
        yield _Lines().show
        return
    with Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda seen, pace: _redraw(progress, task, seen=seen, pace=pace)


def _redraw(progress: Progress, task: TaskID, *, seen: Seen, pace: Pace) -> None:
    settled = seen.settled + seen.held
    text = f"{words_of(seen)}{pace.words(seen)}"
    progress.update(task, total=settled + seen.waiting, completed=settled, description=text)


class _Lines:
    def __init__(self) -> None:
        self._next_at = 0.0

    def show(self, seen: Seen, pace: Pace) -> None:
        if time.monotonic() >= self._next_at and seen.waiting:
            self._next_at = time.monotonic() + LINE_EVERY_S
            print_words(f"{words_of(seen)}{pace.words(seen)}")
