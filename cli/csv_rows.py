"""Stripe's CSV template as usage rows: parsed line by line, each bad row with its line, its column and the reason.

Source: the Dashboard's upload of meter events; columns `timestamp, event_name, payload_stripe_customer_id,
payload_value`, timestamps as yyyy-MM-dd, yyyy-MM-dd'T'HH:mm:ssZ (such as +0530) or epoch seconds.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import Any, BinaryIO, Final

COLUMNS: Final = {
    "timestamp": "occurred_at",
    "event_name": "meter",
    "payload_stripe_customer_id": "customer",
    "payload_value": "value",
}
UNIT: Final = "unit"  # a column that the template lacks, and that may be left out
COLUMN_OF: Final = {field: column for column, field in COLUMNS.items()}
LINE_CHARS_MAX: Final = 10_000  # the longest good row is below 400
TOO_LONG: Final = f"is longer than {LINE_CHARS_MAX} characters"

_EPOCH: Final = re.compile(r"\d{1,12}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


class HeaderRefused(Exception):
    """The file's first line is not the template's; nothing was published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRow:
    """One line of the file: the arguments of `usage()`, and where they stood."""

    line: int
    customer: str
    meter: str
    value: str
    occurred_at: datetime
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that is no row. `column` is empty where the line as a whole is wrong."""

    line: int
    column: str
    reason: str


def read_rows(file: BinaryIO) -> Iterator[CsvRow | BadLine]:
    """Every line after the header, in order. Raises HeaderRefused before the first."""
    # Bytes that are no UTF-8 become surrogates, which the rules of every field refuse: one bad row, not a dead file.
    text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    lines = csv.reader(_bounded(text), strict=True)
    columns = _read_header(lines)
    yield from _read_lines(lines, columns)
    text.detach()  # the file is its opener's to close


def read_timestamp(text: str) -> datetime:
    """One of the template's three formats, or ISO 8601 with an offset. A date is its first second in UTC."""
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text), UTC)
    if _DATE.fullmatch(text):
        return datetime.fromisoformat(f"{text}T00:00:00+00:00")
    instant = datetime.fromisoformat(text)
    if instant.utcoffset() is None:
        raise ValueError(text)
    return instant.astimezone(UTC)


def _bounded(text: TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LINE_CHARS_MAX):
        if len(line) < LINE_CHARS_MAX or line.endswith("\n"):
            yield line
            continue
        while rest := text.readline(LINE_CHARS_MAX):
            if rest.endswith("\n"):
                break
        yield TOO_LONG + "\n"  # one line for one, so that the numbers of those behind it stay right


def _read_header(lines: Iterator[list[str]]) -> Sequence[str]:
    try:
        columns = [name.strip() for name in next(lines, [])]
    except csv.Error as broken:
        raise HeaderRefused(f"the first line is not CSV: {broken}") from broken
    wanted = ",".join(COLUMNS)
    for name in columns:
        is_known = name in COLUMNS or name == UNIT
        if not is_known or columns.count(name) > 1:
            said = "is there twice" if is_known else "is not known"
            raise HeaderRefused(f"line 1: the column {name!r} {said}; the columns are {wanted}, and {UNIT} if you like")
    if missing := COLUMNS.keys() - columns:
        raise HeaderRefused(f"line 1: {', '.join(sorted(missing))} is missing; the columns are {wanted}")
    return columns


def _read_lines(lines: Any, columns: Sequence[str]) -> Iterator[CsvRow | BadLine]:
    while True:
        line = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as broken:
            yield BadLine(line=line, column="", reason=f"is not CSV: {broken}")
            continue
        if cells:
            if len(cells) != len(columns) and TOO_LONG not in cells:
                reason = f"has {len(cells)} columns where the header has {len(columns)}"
                yield BadLine(line=line, column="", reason=reason)
                continue
            yield _read_row(dict(zip(columns, cells, strict=False)), line=line)


def _read_row(said: dict[str, str], *, line: int) -> CsvRow | BadLine:
    if TOO_LONG in said.values():
        return BadLine(line=line, column="", reason=TOO_LONG)
    try:
        occurred_at = read_timestamp(said["timestamp"].strip())
    except (ValueError, OverflowError, OSError):
        reason = "is none of yyyy-MM-dd, yyyy-MM-dd'T'HH:mm:ssZ (such as 2026-03-01T12:00:00+0530) and epoch seconds"
        return BadLine(line=line, column="timestamp", reason=reason)
    return CsvRow(
        line=line,
        customer=said["payload_stripe_customer_id"].strip(),
        meter=said["event_name"].strip(),
        value=said["payload_value"].strip(),
        occurred_at=occurred_at,
        unit=said.get(UNIT, "").strip() or None,
    )
