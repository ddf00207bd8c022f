"""A file of rows for a backfill: CSV as Stripe's template has it, or NDJSON of usage rows, read line by line.

A row that tells no id is named as an imported one is, by what it says. How old a row is does not matter here: the
preview says what can no longer be billed.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from io import TextIOWrapper
from typing import BinaryIO, NoReturn

from marshmallow import ValidationError

from cli.csv_rows import COLUMN_OF, LINE_CHARS_MAX, TOO_LONG, BadLine, CsvRow, read_rows
from cli.importing import number_row, say_row
from meterpost.rows import Refusal, Units, UsageRow, read_row
from meterpost.rules import read_occurred_at

UNNUMBERED = "unnumbered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one line of a file says."""

    line: int
    said: dict[str, object]
    is_csv: bool


def read_file(file: BinaryIO, *, name: str, source: str, units: Units) -> Iterator[UsageRow | BadLine]:
    """NDJSON where the name ends so, else CSV. Raises HeaderRefused before the first."""
    lines = _ndjson(file) if name.endswith((".ndjson", ".jsonl")) else _csv(file, source=source)
    told: Counter[bytes] = Counter()
    for line in lines:
        yield line if isinstance(line, BadLine) else _read(line, source=source, units=units, told=told)


def _read(line: Line, *, source: str, units: Units, told: Counter[bytes]) -> UsageRow | BadLine:
    is_numbered = "row_id" in line.said and not line.is_csv
    said = {"source": source, "row_id": UNNUMBERED} | line.said
    now = _now(said)
    row = read_row(said, sent_at=None, now=now, units=units)
    if isinstance(row, Refusal):
        column = COLUMN_OF.get(row.field, row.field) if line.is_csv else row.field
        return BadLine(
            line=line.line, column=column, reason=row.reason.replace("the message has no readable", "it has no")
        )
    return row if is_numbered else replace(row, row_id=number_row(row, told))


def _now(said: dict[str, object]) -> datetime:
    """The time of an old row stands for now, so that it is read."""
    now = datetime.now(UTC)
    with suppress(ValidationError):
        return min(now, read_occurred_at(said.get("occurred_at")))
    return now


def _csv(file: BinaryIO, *, source: str) -> Iterator[Line | BadLine]:
    for row in read_rows(file):
        match row:
            case CsvRow():
                yield Line(line=row.line, said=say_row(row, source=source), is_csv=True)
            case BadLine():
                yield row


def _ndjson(file: BinaryIO) -> Iterator[Line | BadLine]:
    text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="\n")
    number = 0
    while line := text.readline(LINE_CHARS_MAX):
        number += 1
        if len(line) == LINE_CHARS_MAX and not line.endswith("\n"):
            _skip(text)
            yield BadLine(line=number, column="", reason=TOO_LONG)
        elif line.strip():
            yield _parse(line, number=number)
    text.detach()  # the file is its opener's to close


def _skip(text: TextIOWrapper) -> None:
    while rest := text.readline(LINE_CHARS_MAX):
        if rest.endswith("\n"):
            return


def _parse(line: str, *, number: int) -> Line | BadLine:
    try:
        said = json.loads(line, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, ArithmeticError, RecursionError) as unreadable:
        return BadLine(line=number, column="", reason=f"is not JSON: {type(unreadable).__name__}")
    if not isinstance(said, dict):
        return BadLine(line=number, column="", reason="is not an object with the fields of a usage row")
    return Line(line=number, said=said, is_csv=False)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
