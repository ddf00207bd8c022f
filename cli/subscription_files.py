"""A file of subscriptions, line by line: CSV with a header, or NDJSON; lines that begin with # are skipped.

Whatever stands there becomes what a line says, or a bad line with its column and the reason, and nothing of it ends the
reading: a quote that nobody closed costs a thousand lines and is said.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import TextIOWrapper
from typing import BinaryIO, Final, Literal, NoReturn

from cli.csv_rows import HeaderRefused
from cli.subscription_cells import CellRefused
from cli.subscription_columns import INSTANTS, NOWHERE, Place, place_of, places_of, read_cell

Format = Literal["csv", "ndjson"]

LINE_CHARS_MAX: Final = 100_000  # the longest good row has some 40,000: metadata alone may be 26,000
ROW_LINES_MAX: Final = 1_000  # of a row with line breaks in its cells; one that goes on has a quote that is not closed
TOO_LONG: Final = f"is longer than {LINE_CHARS_MAX:,} characters"
UNCLOSED: Final = "a quote is opened here and not closed"
NO_UTF8: Final = "is not UTF-8; save the file as UTF-8"
TEXT_COLUMN: Final = "rejected_text"  # of a line that has no columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a line says, by field; and `cells`, as the file itself has it."""

    line: int
    said: Mapping[str, object]
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedLine:
    """A line that is no row. `column` is empty where the line as a whole is wrong."""

    line: int
    column: str
    reason: str
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is read of a file: `columns` of CSV as it spells them, each with what it tells."""

    format: Format
    columns: Mapping[str, Place]
    lines: Iterator[Line | RejectedLine]

    def column_of(self, field: str) -> str:
        """How the file calls the column of a field."""
        return next((name for name, place in self.columns.items() if place == Place(field=field)), field)


def format_of(name: str) -> Format:
    return "ndjson" if name.lower().endswith((".ndjson", ".jsonl")) else "csv"


def open_rows(file: BinaryIO, kind: Format) -> File:
    """Raises HeaderRefused. Who opened the file closes it, when the lines are read."""
    # Bytes that are no UTF-8 become surrogates: one bad line, not a dead file.
    text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    physical = _Physical(text)
    if kind == "ndjson":
        return File(format=kind, columns={}, lines=_detached(text, _ndjson(physical)))
    try:
        rows = csv.reader(physical, strict=True)
        header = _header(rows)
        columns = dict(zip(header, places_of(header), strict=True))
    except HeaderRefused:
        text.detach()
        raise
    return File(format=kind, columns=columns, lines=_detached(text, _csv(rows, physical, columns=columns)))


def _detached(text: TextIOWrapper, lines: Iterator[Line | RejectedLine]) -> Iterator[Line | RejectedLine]:
    try:
        yield from lines
    finally:
        text.detach()  # the file is its opener's to close


class _Physical:
    """The lines of a text: counted, none too long, and without comments where a row may begin."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self.number = 0  # of the line that came last
        self.began_at = 0  # the row's first
        self._is_beginning = True

    def begin(self) -> None:
        self._is_beginning = True

    def __iter__(self) -> "_Physical":
        return self

    def __next__(self) -> str:
        line = self._next()
        while self._is_beginning and line.startswith("#"):
            line = self._next()
        if self._is_beginning:
            self.began_at, self._is_beginning = self.number, False
        if self.number - self.began_at >= ROW_LINES_MAX:
            raise csv.Error(UNCLOSED)
        return line

    def _next(self) -> str:
        line = self._text.readline(LINE_CHARS_MAX)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) < LINE_CHARS_MAX or line.endswith(("\n", "\r")):
            return line
        while rest := self._text.readline(LINE_CHARS_MAX):
            if rest.endswith(("\n", "\r")):
                break
        return TOO_LONG + "\n"


def _header(rows: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip() for name in next(filter(None, rows), [])]
    except csv.Error as broken:
        raise HeaderRefused(f"the header is not CSV: {broken}") from broken
    if not header:
        raise HeaderRefused("the file is empty: its first line names the columns; see meterpost subscriptions template")
    if any("\0" in name or not _is_utf8(name) for name in header):
        raise HeaderRefused(f"the header {NO_UTF8}")
    return header


def _csv(
    rows: Iterator[list[str]], physical: _Physical, *, columns: Mapping[str, Place]
) -> Iterator[Line | RejectedLine]:
    while True:
        physical.begin()
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as broken:
            yield RejectedLine(line=physical.began_at, column="", reason=_not_csv(broken, physical), cells={})
            continue
        if any(cell.strip() for cell in cells):
            yield _read_cells(cells, line=physical.began_at, columns=columns)


def _not_csv(broken: csv.Error, physical: _Physical) -> str:
    if physical.number == physical.began_at:
        return f"is not CSV: {broken}"
    lost = f"the lines {physical.began_at} to {physical.number} could not be told apart and are left out"
    return f"is not CSV: {UNCLOSED}; {lost}"


def _read_cells(cells: Sequence[str], *, line: int, columns: Mapping[str, Place]) -> Line | RejectedLine:
    original = dict(zip(columns, cells, strict=False))
    if any(TOO_LONG in cell for cell in cells):
        return RejectedLine(line=line, column="", reason=TOO_LONG, cells={})
    if len(cells) != len(columns):
        reason = f"has {len(cells)} columns where the header has {len(columns)}"
        # Not as cells: what is half a row must not become a whole one because nobody corrected it.
        return RejectedLine(line=line, column="", reason=reason, cells={TEXT_COLUMN: ",".join(cells)})
    said: dict[str, object] = {}
    for name, cell in original.items():
        try:
            _add(said, columns[name], cell.strip())
        except CellRefused as refused:
            return RejectedLine(line=line, column=name, reason=str(refused), cells=original)
    return Line(line=line, said=said, cells=original)


def _add(said: dict[str, object], place: Place, cell: str) -> None:
    """Raises CellRefused. An empty cell says nothing."""
    if not cell or place is NOWHERE:
        return
    if not _is_utf8(cell):
        raise CellRefused(NO_UTF8)
    if place.part is None:
        said[place.field] = read_cell(place.field, cell)
        return
    parts = said.setdefault(place.field, {})
    assert isinstance(parts, dict), "the header tells a field as a whole or in parts"
    parts[place.part] = cell


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _ndjson(physical: _Physical) -> Iterator[Line | RejectedLine]:
    for text in physical:
        if text.strip():
            yield _read_json(text, line=physical.number)
        physical.begin()


def _read_json(text: str, *, line: int) -> Line | RejectedLine:
    try:
        told = json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_object)
    except CellRefused as twice:
        return RejectedLine(line=line, column="", reason=str(twice), cells={TEXT_COLUMN: text.rstrip("\r\n")})
    except (ValueError, ArithmeticError, RecursionError):
        reason = _not_json(text)
        return RejectedLine(line=line, column="", reason=reason, cells={TEXT_COLUMN: text.rstrip("\r\n")})
    if not isinstance(told, dict):
        reason = "is not an object with the fields of a subscription; NDJSON is one object a line"
        return RejectedLine(line=line, column="", reason=reason, cells={TEXT_COLUMN: text.rstrip("\r\n")})
    said: dict[str, object] = {}
    for name, value in told.items():
        place = place_of(name)
        if place is NOWHERE or value is None:
            continue
        field = place.field if place is not None and place.part is None else name
        if field in said:
            return RejectedLine(line=line, column=name, reason=f"{field} is told twice; give it once", cells=told)
        is_instant = field in INSTANTS and isinstance(value, str | int) and not isinstance(value, bool)
        said[field] = read_cell(field, str(value)) if is_instant else value
    return Line(line=line, said=said, cells=told)


def _not_json(text: str) -> str:
    if text.startswith(TOO_LONG):
        return TOO_LONG
    if not _is_utf8(text):
        return NO_UTF8
    is_cut = not text.endswith(("\n", "\r"))
    return f"is not JSON{'; the file ends within it' if is_cut else ''}"


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    told = dict(pairs)
    if len(told) < len(pairs):
        raise CellRefused("tells one name twice; give it once")
    return told


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
