"""The error file of subscriptions: what was rejected, in the columns in which it came, ready to be corrected.

It is imported as it is. A row that the ledger has gets an id of its own and the one that it replaces; a line that never
got so far keeps what it said. What was not corrected fails once more, and nothing is made twice.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Final

from cli.exits import Failed
from cli.output import plain, shown
from cli.subscription_cells import BETWEEN, write_cell
from cli.subscription_columns import NOWHERE, PARTIAL, Place, place_of
from cli.subscription_files import TEXT_COLUMN, File, Format, RejectedLine
from meterpost.rules import ROW_ID_LENGTH_MAX
from meterpost.subscription import FIELDS
from service.ledger.signups_shown import RejectedSignup

NAMED: Final = ("row_id", "source", "replaces")  # columns that every error file has
TOLD: Final = (  # and these, which are for persons and not for us
    "rejected_line",
    "rejected_column",
    "rejected_reason",
    "rejected_by_stripe",
    TEXT_COLUMN,
)
NUMBERED: Final = re.compile(r"(.*)~([1-9][0-9]{0,5})", re.DOTALL)
OWN_ENDING: Final = re.compile(r"(\.[0-9]+)?\.rejected$")


class Rejects:
    """Writes one error file; `rows` so far, and those that do not fit its columns."""

    def __init__(self, stream: IO[str], columns: Mapping[str, Place], *, kind: Format, source: str = "") -> None:
        self.rows = 0
        self.unfit = 0
        self._stream = stream
        self._kind = kind
        self._source = source
        self._columns = {name: place for name, place in columns.items() if place is not NOWHERE}
        fields = {place.field for place in self._columns.values()}
        self._columns |= {name: Place(field=name) for name in NAMED if name not in fields}
        self._csv = csv.DictWriter(
            stream, [*self._columns, *TOLD], restval="", extrasaction="ignore", lineterminator="\n"
        )

    def reject(self, line: RejectedLine) -> None:
        """A bad line of the file, as it stands there."""
        cells = dict(line.cells)
        name = next((name for name in (*cells, *self._columns) if place_of(name) == Place(field="source")), "source")
        if not str(cells.get(name) or "").strip() and self._source:
            cells[name] = self._source
        told = {"rejected_line": line.line, "rejected_column": line.column, "rejected_reason": line.reason}
        self._write(cells | told)

    def add(self, signup: RejectedSignup) -> None:
        """A row of the ledger, to be told again."""
        said = signup.said | {
            "row_id": next_row_id(signup.row_id),
            "source": signup.source,
            "replaces": signup.row_id,
        }
        told = {"rejected_reason": signup.reason or "", "rejected_by_stripe": words_of(signup)}
        if self._kind == "ndjson":
            self._write(said | told)
        elif self._fits(said):
            self._write({name: _cell(said, place) for name, place in self._columns.items()} | told)
        else:
            self.unfit += 1

    def _write(self, cells: Mapping[str, object]) -> None:
        if self._kind == "ndjson":
            kept = {name: value for name, value in cells.items() if value not in ("", None)}
            self._stream.write(json.dumps(kept, default=plain) + "\n")  # escaped: JSON can say what UTF-8 cannot
        else:
            if self.rows == 0:
                self._csv.writeheader()
            self._csv.writerow(cells)
        self.rows += 1

    def _fits(self, said: Mapping[str, object]) -> bool:
        places = set(self._columns.values())
        return all(
            Place(field=field) in places
            or (isinstance(value, Mapping) and all(Place(field=field, part=part) in places for part in value))
            for field, value in said.items()
        )


def next_row_id(row_id: str) -> str:
    """`x`, `x~2`, `x~3`: of each correction its own."""
    found = NUMBERED.fullmatch(row_id)
    base, number = (found[1], int(found[2]) + 1) if found else (row_id, 2)
    following = f"{base}~{number}"
    if len(following) <= ROW_ID_LENGTH_MAX:
        return following
    return f"{hashlib.sha256(base.encode()).hexdigest()[:32]}~{number}"


def words_of(signup: RejectedSignup) -> str:
    """What Stripe said when it refused the row; empty where it was not Stripe."""
    if signup.step is None:
        return ""
    told = (signup.step, f"status {signup.status}", signup.code, f"request {signup.request_id}")
    return shown(f"{signup.detail or 'no words'} ({', '.join(filter(None, told))})")


def columns_of(signups: Iterator[RejectedSignup]) -> dict[str, Place]:
    """The fields that these rows tell, as columns."""
    told: set[str] = set()
    for signup in signups:
        told |= signup.said.keys()
    return {field: Place(field=field) for field in FIELDS if field in told}


@contextmanager
def rejects_beside(name: str, file: File, *, path: Path | None, source: str) -> Iterator[tuple[Rejects, Path]]:
    """An error file that is new, beside the file of this name; taken away again where nothing was rejected.

    Raises Failed where none can be written: before anything is published, and not after it.
    """
    chosen, stream = _create(path) if path is not None else _create_beside(name, file.format)
    rejects = None
    try:
        with stream:
            rejects = Rejects(stream, file.columns, kind=file.format, source=source)
            yield rejects, chosen
    finally:
        if rejects is None or not rejects.rows:
            chosen.unlink(missing_ok=True)


def _create_beside(name: str, kind: Format) -> tuple[Path, IO[str]]:
    beside = Path("stdin" if name in ("-", "<stdin>", "") else name)
    stem = OWN_ENDING.sub("", beside.stem)
    for number in count(1):
        path = beside.with_name(f"{stem}.rejected.{kind}" if number == 1 else f"{stem}.{number}.rejected.{kind}")
        if not path.exists():
            break
    return _create(path)


def _create(path: Path) -> tuple[Path, IO[str]]:
    try:
        # A new one: what a person is correcting is never written over. Bytes that were no UTF-8 stay what they were.
        return path, path.open("x", encoding="utf-8", errors="surrogateescape", newline="")
    except OSError as refused:
        reason = f"no error file can be written at {path}: {refused.strerror}; give another with --errors"
        raise Failed(reason) from refused


def _cell(said: Mapping[str, object], place: Place) -> str:
    value = said.get(place.field)
    if place.part is not None:
        assert place.field in PARTIAL, "only these have parts"
        value = value.get(place.part) if isinstance(value, Mapping) else None
    return "" if value is None else write_cell(value, between=BETWEEN.get(place.field, "="))
