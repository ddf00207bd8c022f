"""Rows that are published together, at the end of a `with` block and in one round trip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Self, TypeVar, Unpack

from meterpost.errors import RowRefused
from meterpost.row_ids import new_row_id
from meterpost.rows import MESSAGE_ROWS_MAX, UsageRow
from meterpost.subscription import SubscriptionFields, SubscriptionRow

Row = TypeVar("Row", UsageRow, SubscriptionRow)


class Batch:
    """1 to 1,000 rows of either kind, made by `Meterpost.batch()`."""

    def __init__(
        self,
        *,
        read: Callable[[Mapping[str, object]], UsageRow],
        read_subscription: Callable[[Mapping[str, object]], SubscriptionRow],
        publish: Callable[[Sequence[UsageRow | SubscriptionRow]], None],
    ) -> None:
        self._read = read
        self._read_subscription = read_subscription
        self._publish = publish
        self._rows: list[UsageRow | SubscriptionRow] = []

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
        said = {"customer": customer, "meter": meter, "value": value, "occurred_at": occurred_at, "source": source}
        said |= {} if unit is None else {"unit": unit}
        return self._add(self._read, said, row_id=row_id)

    def subscription(
        self,
        customer: str,
        price: str,
        *,
        row_id: str | None = None,
        source: str = "app",
        **more: Unpack[SubscriptionFields],
    ) -> str:
        """As `Meterpost.subscription`, but the row is published at the end of the block."""
        said = {"customer": customer, "price": price, "source": source, **more}
        return self._add(self._read_subscription, said, row_id=row_id)

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

    def _add(
        self, read: Callable[[Mapping[str, object]], Row], said: Mapping[str, object], *, row_id: str | None
    ) -> str:
        if len(self._rows) == MESSAGE_ROWS_MAX:
            raise RowRefused(
                "rows", f"a batch carries at most {MESSAGE_ROWS_MAX:,} rows; begin another one", row_id=row_id
            )
        row = read({**said, "row_id": new_row_id() if row_id is None else row_id})
        self._rows.append(row)
        return row.row_id
