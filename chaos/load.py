"""The load: what producers report, a function of the seed alone, so that anybody can add it up again.

Rows come in batches. A batch is told as a whole to be safe, or not yet. One row in a hundred is told twice with the
same id, and now and then a row is none. A batch speaks of a few customers and of one bucket of one hour, and the hours
pass as the run does, so that a run of any size makes a few thousand meter events.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Self

BATCH_ROWS = 100
CUSTOMERS_A_BATCH = 4
HOURS = 24
BATCHES_A_BAD_ROW = 20
BUCKET_S = 300
SOURCE = "chaos"
BAD = '{"schema": "usage.1", "sent_at": "%s", "rows": [{"row_id": "bad-%d", "value": "a lot"}]}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    seed: int
    batches: int
    customers: tuple[str, ...]
    meter: str
    begins_at: int  # the first hour's start, Unix seconds

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        """From JSON."""
        return cls(**{**told, "customers": tuple(told["customers"])})

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def new_rows(self, batch: int) -> list[dict[str, Any]]:
        """The rows that this batch alone is the first to tell, as arguments of `usage()`."""
        chance = Random(f"{self.seed}/{batch}")
        customers = chance.sample(self.customers, CUSTOMERS_A_BATCH)
        hour = self.begins_at + 3600 * (batch * HOURS // self.batches)
        start = datetime.fromtimestamp(hour + BUCKET_S * chance.randrange(3600 // BUCKET_S), UTC)
        return [
            {
                "customer": chance.choice(customers),
                "meter": self.meter,
                "value": chance.choice(("1", "2", "3", "5", "7", "0.5")),
                "occurred_at": start + timedelta(seconds=chance.randrange(BUCKET_S)),
                "row_id": f"row-{batch * BATCH_ROWS + number}",
                "source": SOURCE,
            }
            for number in range(BATCH_ROWS)
        ]

    def rows(self, batch: int) -> list[dict[str, Any]]:
        """The batch as it is published: one row is told again that an earlier batch told."""
        return self.new_rows(batch) + (self.new_rows(batch - 1)[:1] if batch else [])

    def bad_message(self, batch: int) -> bytes | None:
        """A message that is published beside the batch and carries a row that is none."""
        if batch % BATCHES_A_BAD_ROW:
            return None
        return (BAD % (datetime.fromtimestamp(self.begins_at, UTC).isoformat(), batch)).encode()

    def units(self, batches: Iterable[int]) -> dict[tuple[str, str, int], Decimal]:
        """What these batches told, by customer, meter and hour, as `judge` takes it."""
        units: defaultdict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
        for batch in batches:
            for row in self.new_rows(batch):
                instant = int(row["occurred_at"].timestamp())
                units[row["customer"], row["meter"], instant - instant % 3600] += Decimal(row["value"])
        return units
