"""A file of rows onto the queue: streamed, a thousand rows a message, the bad ones kept apart with their reasons.

A row's id is made of what the row says, not of where it stands or of the bytes around it: a file that grew, or was
saved again with other line ends, tells the same ids for the rows that it had, and only what is new counts. Nor does a
crash on the way matter: the same file again publishes the same ids. The price is about 100 bytes of memory a row, to
number those that say the same.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import BinaryIO

from rich.progress import Progress

from cli.csv_rows import COLUMN_OF, BadLine, CsvRow, read_rows
from cli.output import stderr
from meterpost import Meterpost
from meterpost.rows import NO_UNITS, Refusal, Units, UsageRow, read_row

BAD_LINES_MAX = 100  # listed; a file with more is wrong as a whole, and the count says so
PROGRESS_ROWS = 1_000  # between two looks at how far we are
ROW_ID_HASH_BYTES = 16  # of what a row says: no two contents share 128 bits

Advance = Callable[[], None]


@dataclass(slots=True, kw_only=True)
class Imported:
    """What became of a file, and the shape of the answer in JSON."""

    published: int = 0
    bad: int = 0
    bad_lines: list[BadLine] = field(default_factory=list)  # the first BAD_LINES_MAX

    def add_bad(self, line: BadLine) -> None:
        self.bad += 1
        if self.bad <= BAD_LINES_MAX:
            self.bad_lines.append(line)


def import_rows(meterpost: Meterpost, file: BinaryIO, *, source: str, units: Units = NO_UNITS) -> Imported:
    """Publish every good row of the file. Raises HeaderRefused before anything is published, or NotPublished.

    A row that tells another unit than `units` has of its meter is bad.
    """
    imported = Imported()
    with watched_file(file) as advance:
        good = _good_rows(read_rows(file), source=source, imported=imported, units=units, advance=advance)
        imported.published = meterpost.publish_many(good)
    return imported


def _good_rows(
    rows: Iterator[CsvRow | BadLine], *, source: str, imported: Imported, units: Units, advance: Advance
) -> Iterator[dict[str, object]]:
    told: Counter[bytes] = Counter()
    for number, row in enumerate(rows):
        if number % PROGRESS_ROWS == 0:
            advance()
        if isinstance(row, BadLine):
            imported.add_bad(row)
            continue
        said = say_row(row, source=source)
        now = datetime.now(UTC)
        read = read_row(said, sent_at=now, now=now, units=units)
        if isinstance(read, Refusal):
            imported.add_bad(BadLine(line=row.line, column=COLUMN_OF.get(read.field, read.field), reason=read.reason))
        else:
            yield said | {"row_id": number_row(read, told)}


def number_row(row: UsageRow, told: Counter[bytes]) -> str:
    """The id of a row: what it says, as read, and the how many-eth of the file it is to say so.

    Without its unit, so that a file that gets this column later tells the same rows, and bills nothing again.
    """
    content = replace(row, unit=None).content_hash[:ROW_ID_HASH_BYTES]
    told[content] += 1
    return f"{content.hex()}-{told[content]}"


def say_row(row: CsvRow, *, source: str) -> dict[str, object]:
    unit = {} if row.unit is None else {"unit": row.unit}
    return unit | {
        "customer": row.customer,
        "meter": row.meter,
        "value": row.value,
        "occurred_at": row.occurred_at,
        "row_id": "unnumbered",  # its id is made of what is read
        "source": source,
    }


@contextmanager
def watched_file(file: BinaryIO) -> Iterator[Advance]:
    """A progress bar over the file's bytes, where somebody watches and the file is no pipe."""
    console = stderr()
    is_hidden = not (console.is_terminal and file.seekable())
    with Progress(console=console, disable=is_hidden, transient=True) as progress:
        task = progress.add_task("importing", total=None if is_hidden else _size(file))
        yield (lambda: None) if is_hidden else (lambda: progress.update(task, completed=file.tell()))


def _size(file: BinaryIO) -> int:
    """Without moving in it: whoever reads may have begun."""
    place = file.tell()
    size = file.seek(0, 2)
    file.seek(place)
    return size
