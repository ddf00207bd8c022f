"""Rows that are published together, at the end of a `with` block and in one round trip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Self

from meterpost.errors import RowRefused
from meterpost.row_ids import new_row_id
from meterpost.rows import MESSAGE_ROWS_MAX, UsageRow


class Batch:
    """1 to 1,000 rows, made by `Meterpost.batch()`."""

    def __init__(
        self,
        *,
        read: Callable[[Mapping[str, object]], UsageRow],
        publish: Callable[[Sequence[UsageRow]], None],
    ) -> None:
        self._read = read
        self._publish = publish
        self._rows: list[UsageRow] = []

    @property
    def row_ids(self) -> tuple[str, ...]:
        return tuple(row.row_id for row in self._rows)

    def usage(
        self,
        customer: str,
        meter: str,
        value: int | str | Decimal,
        *,
        occurred_at: datetime | str | None = None,
        row_id: str | None = None,
        source: str = "app",
        unit: str | None = None,
    ) -> str:
        """As `Meterpost.usage`, but the row is published at the end of the block."""
        if len(self._rows) == MESSAGE_ROWS_MAX:
            raise RowRefused(
                "rows", f"a batch carries at most {MESSAGE_ROWS_MAX:,} rows; begin another one", row_id=row_id
            )
        said = {"customer": customer, "meter": meter, "value": value, "occurred_at": occurred_at, "source": source}
        said |= {} if unit is None else {"unit": unit}
        row = self._read(said | {"row_id": new_row_id() if row_id is None else row_id})
        self._rows.append(row)
        return row.row_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        if raised is not None:
            return
        if not self._rows:
            raise RowRefused("rows", "a batch carries at least one row; leave it out when there is none", row_id=None)
        self._publish(self._rows)
