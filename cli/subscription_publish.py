"""A file of subscriptions onto the queue, or only looked at; and what the ledger says of it afterwards."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from cli.importing import watched_file
from cli.interrupts import Interrupts
from cli.ledger import reading
from cli.subscription_calls import calls_of
from cli.subscription_files import File, RejectedLine
from cli.subscription_follow import ROWS_A_QUESTION, KnownElsewhere, Seen, Watched, follow
from cli.subscription_rejects import Rejects
from cli.subscription_rows import Found, Reading, arguments_of, good_rows
from meterpost import Meterpost
from meterpost.subscription import SubscriptionRow
from service.ledger import LedgerUnavailable
from service.ledger.signups_shown import FoundRow, PublishedRow, every_rejected, signups_of_rows
from service.settings import Settings

LOOK_EVERY_S = 1.0
STEM_CHARS_MAX = 80  # of an import's name; the instant takes the rest
UNFIT = re.compile(r"[^\w.+=@-]")  # for a name that is typed at a shell


@dataclass(slots=True, kw_only=True)
class Imported:
    """What became of a file so far, and the shape of the answer in JSON.

    `known` are rows that the ledger had before, with the files that they came with (`import_name` empty: with none).
    """

    import_name: str
    found: Found = field(default_factory=Found)
    published: int = 0
    known: list[tuple[KnownElsewhere, int]] = field(default_factory=list)
    told_otherwise: int = 0
    quarantined: int = 0
    on_queue: int = 0
    states: dict[str, int] = field(default_factory=dict)
    is_settled: bool = False
    rejected: int = 0
    rejected_file: str | None = None
    is_unfit: bool = False  # of what was rejected, something has fields that the file has no column for


@dataclass(frozen=True, slots=True, kw_only=True)
class Importing:
    """One run of the command."""

    chosen: Settings
    file: BinaryIO
    opened: File
    source: str
    imported: Imported

    def dry_run(self) -> None:
        """Publish nothing; count what is known to the ledger, where there is one, and what Stripe would be asked."""
        known: Counter[KnownElsewhere] = Counter()
        calls = 0
        rows = self._rows(lambda _: None)
        while some := list(islice(rows, ROWS_A_QUESTION)):
            found = self._known(some)
            alike = (one for one in found.values() if one.is_alike)
            known.update(KnownElsewhere(one.import_name or "", one.state or "") for one in alike)
            self.imported.told_otherwise += sum(not one.is_alike for one in found.values())
            calls += sum(calls_of(row) for row in some if (row.source, row.row_id) not in found)
        self.imported.found.calls = calls
        self.imported.known = sorted(known.items())

    def can_be_watched(self) -> bool:
        """Whether there is a ledger to ask. Raises Failed, before anything is published, where it is not up to date."""
        if self.chosen.database_url:
            with suppress(LedgerUnavailable), reading():  # one that is away is waited for
                pass
        return bool(self.chosen.database_url)

    def publish(self, rejects: Rejects, interrupts: Interrupts) -> list[PublishedRow]:
        """Every good row; these are the ids. Raises NotPublished, or KeyboardInterrupt between two messages."""
        rows: list[PublishedRow] = []

        def told() -> Iterator[dict[str, object]]:
            for row in self._rows(rejects.reject):
                interrupts.stop_here()
                rows.append(_published(row))
                yield arguments_of(row)

        with Meterpost(self.chosen.broker_url) as meterpost:
            self.imported.published = meterpost.publish_subscriptions(told())
        self.imported.on_queue = len(rows)
        return rows

    def watch(self, rows: list[PublishedRow], interrupts: Interrupts) -> None:
        """Until nothing of it waits, or until Ctrl-C."""
        watched = Watched(self.chosen.account, self.imported.import_name, rows)
        self.imported.is_settled = follow(watched, interrupts, interval_s=LOOK_EVERY_S)
        self._note(watched.seen)

    def reject_refused(self, rejects: Rejects) -> None:
        """What Stripe refused of it so far, or the guard blocked. Raises LedgerUnavailable."""
        with reading() as tx:
            for signup in every_rejected(tx, self.chosen.account, self.imported.import_name):
                rejects.add(signup)
        self.imported.is_unfit = rejects.unfit > 0

    def _note(self, seen: Seen) -> None:
        self.imported.states = seen.states
        self.imported.known = sorted(seen.elsewhere.items())
        self.imported.told_otherwise = seen.told_otherwise
        self.imported.quarantined, self.imported.on_queue = seen.quarantined, seen.on_queue

    def _rows(self, reject: Callable[[RejectedLine], object]) -> Iterator[SubscriptionRow]:
        with watched_file(self.file) as advance:
            how = Reading(
                source=self.source,
                import_name=self.imported.import_name,
                found=self.imported.found,
                reject=reject,
                advance=advance,
            )
            yield from good_rows(self.opened, how)

    def _known(self, rows: list[SubscriptionRow]) -> dict[tuple[str, str], FoundRow]:
        if not self.chosen.database_url:
            return {}
        try:
            with reading() as tx:
                found = signups_of_rows(tx, self.chosen.account, [*map(_published, rows)])
        except LedgerUnavailable:
            return {}
        return {(one.source, one.row_id): one for one in found if not one.is_quarantined}


def _published(row: SubscriptionRow) -> PublishedRow:
    return PublishedRow(source=row.source, row_id=row.row_id, content_hash=row.content_hash)


def name_of(file_name: str, *, now: datetime) -> str:
    """The import's, where none is told: another one each time, because what a row says has no part in it."""
    stem = "stdin" if file_name in ("-", "<stdin>", "") else Path(file_name).name
    return f"{UNFIT.sub('_', stem)[:STEM_CHARS_MAX]}@{now:%Y%m%dT%H%M%SZ}"
