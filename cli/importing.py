"""A file of rows onto the queue: streamed, a thousand rows a message, the bad ones kept apart with their reasons.

A crash on the way leaves a part published; importing the same file again publishes the same row ids, so nothing counts
twice.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, cast

from rich.progress import Progress

from cli.csv_rows import COLUMN_OF, BadLine, CsvRow, content_hash, read_rows
from cli.output import stderr
from meterpost import Meterpost
from meterpost.rows import Refusal, read_row

BAD_LINES_MAX = 100  # listed; a file with more is wrong as a whole, and the count says so
PROGRESS_ROWS = 1_000  # between two looks at how far we are

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


def import_rows(meterpost: Meterpost, file: BinaryIO, *, source: str) -> Imported:
    """Publish every good row of the file. Raises HeaderRefused before anything is published, or NotPublished."""
    imported = Imported()
    with _rewindable(file) as rewindable, _watched(rewindable) as advance:
        rows = read_rows(rewindable, prefix=content_hash(rewindable))
        good = _good_rows(rows, source=source, imported=imported, advance=advance)
        imported.published = meterpost.publish_many(good)
    return imported


def _good_rows(
    rows: Iterator[CsvRow | BadLine], *, source: str, imported: Imported, advance: Advance
) -> Iterator[dict[str, object]]:
    for number, row in enumerate(rows):
        if number % PROGRESS_ROWS == 0:
            advance()
        if isinstance(row, BadLine):
            imported.add_bad(row)
            continue
        said = _say(row, source=source)
        now = datetime.now(UTC)
        read = read_row(said, sent_at=now, now=now)
        if isinstance(read, Refusal):
            imported.add_bad(BadLine(line=row.line, column=COLUMN_OF.get(read.field, read.field), reason=read.reason))
        else:
            yield said


def _say(row: CsvRow, *, source: str) -> dict[str, object]:
    return {
        "customer": row.customer,
        "meter": row.meter,
        "value": row.value,
        "occurred_at": row.occurred_at,
        "row_id": row.row_id,
        "source": source,
    }


@contextmanager
def _rewindable(file: BinaryIO) -> Iterator[BinaryIO]:
    """The file itself, or a copy on disk of what comes through a pipe: row ids need its hash before its first row."""
    if file.seekable():
        yield file
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        yield cast("BinaryIO", copy)


@contextmanager
def _watched(file: BinaryIO) -> Iterator[Advance]:
    """A progress bar over the file's bytes, where somebody watches."""
    console = stderr()
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("importing", total=_size(file))
        yield lambda: progress.update(task, completed=file.tell())


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size
