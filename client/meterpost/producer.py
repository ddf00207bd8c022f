"""Step 1: call → message on the queue. What an application imports.

A call that returns has its rows on the queue, and they will be billed once or stand before a person. A call that
raises `NotPublished`, or dies, may have put them there or not; repeated with the same row ids it bills nothing twice.
Nothing is kept in memory between calls, so there is nothing to flush and nothing to lose.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from types import TracebackType
from typing import Final, Self, TypeVar, Unpack

from meterpost.batch import Batch
from meterpost.errors import NotPublished, RowRefused
from meterpost.publisher import PUBLISH_DEADLINE_S, Publisher
from meterpost.row_ids import new_row_id
from meterpost.rows import MESSAGE_ROWS_MAX, Refusal, UsageRow, encode_message, encode_subscriptions, read_row
from meterpost.subscription import SubscriptionFields, SubscriptionRow, read_new_subscription, read_subscription

ROUND_TRIP_ROWS_MAX: Final = 10 * MESSAGE_ROWS_MAX  # of a stream: enough to hide the round trip, a few megabytes
Row = TypeVar("Row", UsageRow, SubscriptionRow)


class Meterpost:
    """Reports what customers used, and whom to subscribe, onto the queue from which Stripe is told exactly once.

    >>> meterpost = Meterpost("redis://localhost:6379/0")        # or Meterpost.from_env(), which reads BROKER_URL
    >>> meterpost.usage("cus_NffrFeUfNV2Hib", "api_requests", 3)
    '01932f6e-7a11-7c02-9d5b-0d1f6a4c2e90'
    >>> meterpost.usage("cus_NffrFeUfNV2Hib", "gigabytes", "0.25", row_id="export-17", source="exports")
    'export-17'
    >>> with meterpost.batch() as batch:                         # 1 to 1,000 rows, one round trip
    ...     for export in exports:
    ...         batch.usage(export.customer, "exports", 1, row_id=export.id)
    >>> meterpost.subscription("cus_NffrFeUfNV2Hib", "price_1MoBy5Lk", trial_days=14, row_id="signup-17")
    'signup-17'

    A row is known by its `row_id` within its `source`: told twice, it is billed, or subscribed, once. Give an id of
    your own (the request's, the export's) where the call may be repeated after a crash; else one is made and returned.

    RowRefused    the row breaks a rule; nothing was published. Says the field, what was wrong and what to write.
    NotPublished  the queue did not confirm within `deadline_s`; repeat the call with the `row_ids` it carries.

    One object serves all threads, and survives a fork. It keeps connections; `close()` ends them.
    """

    def __init__(self, broker_url: str, *, account: str = "default", deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        """`deadline_s` bounds the repeated attempts of a call whose reply was lost or whose queue is away."""
        self._account = account
        self._publisher = Publisher(broker_url, deadline_s=deadline_s)

    @classmethod
    def from_env(cls) -> Self:
        """The queue that the environment's BROKER_URL names."""
        broker_url = os.environ.get("BROKER_URL")
        if not broker_url:
            raise ValueError("BROKER_URL is not set; say where the queue is, such as redis://localhost:6379/0")
        return cls(broker_url)

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
        """Publish one row and return its id.

        customer     Stripe's id of the customer, `cus_…`
        meter        the meter's event_name at Stripe
        value        how much: an int or a decimal string, at most 15 significant digits and 12 decimal places;
                     negative to correct. Never a float
        occurred_at  when: an aware datetime or ISO 8601 with an offset, at most 34 days ago; now if left out
        row_id       1 to 100 printable characters; a time-ordered one is made if left out
        source       who numbers these ids, 1 to 50 characters
        unit         what `value` counts, such as "seconds": refused where the rate card says another unit; not checked
                     if left out
        """
        said = {"customer": customer, "meter": meter, "value": value, "occurred_at": occurred_at, "source": source}
        said |= {} if unit is None else {"unit": unit}
        row = self._read(said | {"row_id": new_row_id() if row_id is None else row_id})
        self._publish([row])
        return row.row_id

    def subscription(
        self,
        customer: str,
        price: str,
        *,
        row_id: str | None = None,
        source: str = "app",
        **more: Unpack[SubscriptionFields],
    ) -> str:
        """Publish one row of a subscription that is to be made, and return its id.

        customer  Stripe's id of the customer, `cus_…`
        price     Stripe's id of a metered price, `price_…`
        row_id    as of `usage()`, and in one space with it: no two rows of a source share an id
        more      what else is told, such as `trial_days=14`: every field of docs/subscriptions.md. What is left out is
                  Stripe's default

        The subscription is made once, however often the row is told; what may not be told together is refused here, and
        an anchor or an end that has passed.
        """
        said = {"customer": customer, "price": price, "source": source, **more}
        row = self._read_new({**said, "row_id": new_row_id() if row_id is None else row_id})
        self._publish([row])
        return row.row_id

    def batch(self) -> Batch:
        """Many rows of either kind in one round trip: `with meterpost.batch() as batch: batch.usage(…)`.

        Bad rows are refused at their call. Leaving the block publishes all rows or raises NotPublished; leaving it
        by an exception publishes none.
        """
        return Batch(read=self._read, read_subscription=self._read_new, publish=self._publish)

    def publish_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Publish a stream of rows, each the arguments of `usage()` by name, and return how many there were.

        Messages of 1,000 rows, ten in a round trip. Every row must bring its row_id: when the stream breaks off,
        what came before is published, and only the same ids make it safe to send the whole stream again.
        """
        return self._publish_stream(map(self._read, rows), rows_max=ROUND_TRIP_ROWS_MAX)

    def publish_subscriptions(self, rows: Iterable[Mapping[str, object]]) -> int:
        """As `publish_many`, of subscription rows: each the arguments of `subscription()` by name.

        A stream may be sent again as a whole, so an anchor or an end that has passed breaks it off nowhere: of a row
        that is new it is refused before its creation.
        """
        # Rows with all the metadata that Stripe takes are a hundred times as long as rows of usage.
        return self._publish_stream(map(self._read_subscription, rows), rows_max=MESSAGE_ROWS_MAX)

    def close(self) -> None:
        """End the connections. Nothing is waiting in memory, so nothing is lost by not calling it."""
        self._publisher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, said: Mapping[str, object]) -> UsageRow:
        now = datetime.now(UTC)
        return _good(read_row({"account": self._account, **said}, sent_at=now, now=now), said)

    def _read_subscription(self, said: Mapping[str, object]) -> SubscriptionRow:
        return _good(read_subscription({"account": self._account, **said}, now=datetime.now(UTC)), said)

    def _read_new(self, said: Mapping[str, object]) -> SubscriptionRow:
        return _good(read_new_subscription({"account": self._account, **said}, now=datetime.now(UTC)), said)

    def _publish_stream(self, rows: Iterator[Row], *, rows_max: int) -> int:
        published = 0
        while read := list(islice(rows, rows_max)):
            self._publish(read)
            published += len(read)
        return published

    def _publish(self, rows: Sequence[UsageRow | SubscriptionRow]) -> None:
        sent_at = datetime.now(UTC)
        usage = [row for row in rows if isinstance(row, UsageRow)]
        signups = [row for row in rows if isinstance(row, SubscriptionRow)]
        messages = [usage[n : n + MESSAGE_ROWS_MAX] for n in range(0, len(usage), MESSAGE_ROWS_MAX)]
        bodies = [encode_message(message, sent_at=sent_at) for message in messages]
        if signups:
            bodies += encode_subscriptions(signups, sent_at=sent_at)
        failure = self._publisher.publish(bodies)
        if failure is not None:
            raise NotPublished([row.row_id for row in rows], cause=failure) from failure


def _good(row: Row | Refusal, said: Mapping[str, object]) -> Row:
    """Raises RowRefused."""
    if isinstance(row, Refusal):
        row_id = said.get("row_id")
        raise RowRefused(row.field, row.reason, row_id=row_id if isinstance(row_id, str) else None)
    return row
