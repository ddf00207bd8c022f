"""What a call of the client can raise: the row was refused, or the queue does not have it."""

from __future__ import annotations

from collections.abc import Sequence


class MeterpostError(Exception):
    """Either of the two below."""


class RowRefused(MeterpostError):
    """The row breaks a rule and was not published. Repeating the call does not help; correct the field."""

    def __init__(self, field: str, reason: str, *, row_id: str | None) -> None:
        super().__init__(f"{field}: {reason} (row {row_id})" if row_id else f"{field}: {reason}")
        self.field = field
        self.reason = reason
        self.row_id = row_id


class NotPublished(MeterpostError):
    """The queue did not confirm that it has the rows; it may have them all the same.

    Repeat the call with the same `row_ids`: a row that is told twice is billed once.
    """

    def __init__(self, row_ids: Sequence[str], *, cause: Exception) -> None:
        super().__init__(
            f"the queue did not confirm {len(row_ids)} row(s), the first {row_ids[0]}:"
            f" {type(cause).__name__}: {cause};"
            " repeat the call with the same row ids: told twice, a row is billed once"
        )
        self.row_ids = tuple(row_ids)
        self.cause = cause
