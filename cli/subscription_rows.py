"""The good rows of a file of subscriptions, each with its id; the bad ones are kept apart with their reasons.

As with files of usage, a row that tells no id gets one made of what it says and of its number among those that say the
same: the same file again, grown or saved otherwise, tells the same rows, and makes nothing twice. For that, and to find
two lines that are about the same customer and price, some 500 bytes a row are kept in memory.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from cli.csv_rows import BadLine
from cli.importing import BAD_LINES_MAX, PROGRESS_ROWS, ROW_ID_HASH_BYTES, Advance
from cli.subscription_calls import calls_of
from cli.subscription_files import File, Line, RejectedLine
from meterpost.reading import Refusal
from meterpost.subscription import SubscriptionRow, read_subscription
from meterpost.subscription_limits import warnings_of

UNNUMBERED = "unnumbered"
WARNINGS_MAX = 100  # listed; the count is of all
TWIN = "line {} has the same customer and price: one of both will be blocked, unless both say allow_duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """What a person should know of a row that goes all the same."""

    line: int
    warning: str


@dataclass(slots=True, kw_only=True)
class Found:
    """What a file says, as far as it is read, and a part of the answer in JSON."""

    rows: int = 0  # good ones, each once
    repeated: int = 0  # lines that tell one of them again, under its id
    bad: int = 0
    warned: int = 0
    calls: int = 0  # to Stripe, at most, if none of these rows is known yet
    bad_lines: list[BadLine] = field(default_factory=list)  # the first BAD_LINES_MAX
    warnings: list[Warned] = field(default_factory=list)  # the first WARNINGS_MAX

    def add_bad(self, line: BadLine) -> None:
        self.bad += 1
        if self.bad <= BAD_LINES_MAX:
            self.bad_lines.append(line)

    def add_warning(self, line: int, warning: str) -> None:
        self.warned += 1
        if self.warned <= WARNINGS_MAX:
            self.warnings.append(Warned(line=line, warning=warning))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is read: whose rows these are by default, and what is done about a bad one."""

    source: str
    import_name: str
    found: Found
    reject: Callable[[RejectedLine], object]
    advance: Advance


def good_rows(file: File, reading: Reading) -> Iterator[SubscriptionRow]:
    """Every good row once, in the file's order."""
    memory = _Memory()
    for number, line in enumerate(file.lines):
        if number % PROGRESS_ROWS == 0:
            reading.advance()
        read = line if isinstance(line, RejectedLine) else _read(line, file, reading=reading, memory=memory)
        match read:
            case RejectedLine():
                reading.found.add_bad(BadLine(line=read.line, column=read.column, reason=read.reason))
                reading.reject(read)
            case SubscriptionRow():
                reading.found.rows += 1
                reading.found.calls += calls_of(read)
                yield read
            case None:
                reading.found.repeated += 1


def arguments_of(row: SubscriptionRow) -> dict[str, Any]:
    """As the client's stream takes it."""
    told = {"source": row.source, "row_id": row.row_id, "import_name": row.import_name}
    return row.said | told


class _Memory:
    """What earlier lines said, as digests."""

    def __init__(self) -> None:
        self.told: Counter[bytes] = Counter()  # contents that had no id
        self.lines: dict[int, tuple[int, int]] = {}  # by row id: its line and content
        self.twins: dict[int, tuple[int, bool]] = {}  # by customer and price: the first line, and whether it is meant


def _read(line: Line, file: File, *, reading: Reading, memory: _Memory) -> SubscriptionRow | RejectedLine | None:
    """None: told before, by a line of the same id."""
    now = datetime.now(UTC)
    usual = {"source": reading.source, "row_id": UNNUMBERED}
    row = read_subscription(usual | dict(line.said) | {"import_name": reading.import_name}, now=now)
    if isinstance(row, Refusal):
        return _rejected(line, row.reason, column=file.column_of(row.field))
    content = row.content_hash
    if "row_id" not in line.said:
        row = replace(row, row_id=_number(content[:ROW_ID_HASH_BYTES], memory.told))
    first = memory.lines.setdefault(hash((row.source, row.row_id)), (line.line, hash(content)))
    if first[0] != line.line:
        if first[1] == hash(content):
            return None
        reason = f"line {first[0]} tells this id with other content; give each row its own"
        return _rejected(line, reason, column=file.column_of("row_id"))
    _warn(row, line.line, reading=reading, memory=memory, now=now)
    return row


def _number(content: bytes, told: Counter[bytes]) -> str:
    told[content] += 1
    return f"{content.hex()}-{told[content]}"


def _warn(row: SubscriptionRow, line: int, *, reading: Reading, memory: _Memory, now: datetime) -> None:
    for warning in warnings_of(row, now):
        reading.found.add_warning(line, warning)
    first, is_meant = memory.twins.setdefault(hash((row.customer, row.price)), (line, row.allow_duplicate))
    if first != line and not (is_meant and row.allow_duplicate):
        reading.found.add_warning(line, TWIN.format(first))


def _rejected(line: Line, reason: str, *, column: str) -> RejectedLine:
    return RejectedLine(line=line.line, column=column, reason=reason, cells=line.cells)
