"""What the meters counted: the readings of each (meter, customer), and their aggregation.

Readings are kept one by one and ordered by time, not in buckets: summaries ask by the minute, billing periods by the
second, and a cancellation must find the one it takes back.
"""

from bisect import bisect_left, bisect_right, insort_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from operator import attrgetter

from sandbox.memory import Memory
from sandbox.metering.dimensions import Dimensions
from sandbox.wire import EXACT

RECEIPT_WINDOW_S = 86_400
"""How long after its receipt Stripe lets a meter event be cancelled."""
WINDOW_S = {"hour": 3_600, "day": 86_400}

_at = attrgetter("timestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    timestamp: int
    received_at: int
    order: int
    identifier: str
    value: Decimal
    cancelled_at: int | None = None


@dataclass(slots=True, kw_only=True)
class Receipt:
    """Where a received reading is counted, for as long as it may be cancelled."""

    meter: str
    customer: str
    reading: Reading
    taken_as: str
    """The name under which its identifier is taken."""
    is_cancelled: bool = False
    """Whether its cancellation was asked for, carried out or not."""


class Usage:
    def __init__(self) -> None:
        self._readings: defaultdict[tuple[str, str], list[Reading]] = defaultdict(list)
        self._receipts: Memory[Receipt] = Memory()
        self._order = 0
        self.dimensions = Dimensions()

    def next_order(self) -> int:
        """The place of a reading among all received: decides ties of time."""
        self._order += 1
        return self._order

    def add(self, receipt: Receipt, *, event_name: str) -> None:
        """Counts the reading from now on; its receipt is found by the event name and the identifier."""
        reading, readings = receipt.reading, self._readings[receipt.meter, receipt.customer]
        if not readings or readings[-1].timestamp <= reading.timestamp:
            readings.append(reading)
        else:
            insort_right(readings, reading, key=_at)
        receipt_name = f"{event_name}\0{reading.identifier}"
        self._receipts.keep(receipt_name, receipt, now=reading.received_at, window_s=RECEIPT_WINDOW_S)

    def receipt(self, identifier: str, *, event_name: str, now: int) -> Receipt | None:
        """Of the event that was last received under this identifier; None where that is a day ago, or never was."""
        return self._receipts.recall(f"{event_name}\0{identifier}", now=now, window_s=RECEIPT_WINDOW_S)

    def cancel(self, receipt: Receipt, *, now: int) -> None:
        """Counts the reading no longer; it stays, because aggregation sees its end as late as it saw its receipt."""
        readings = self._readings[receipt.meter, receipt.customer]
        start = bisect_left(readings, receipt.reading.timestamp, key=_at)
        end = bisect_right(readings, receipt.reading.timestamp, key=_at)
        readings[start:end] = [
            replace(each, cancelled_at=now) if each.order == receipt.reading.order else each
            for each in readings[start:end]
        ]

    def between(self, start: int, end: int, *, meter: str, customer: str) -> Sequence[Reading]:
        """The readings of [start, end), oldest first, and the cancelled among them."""
        readings = self._readings.get((meter, customer), [])
        return readings[bisect_left(readings, start, key=_at) : bisect_left(readings, end, key=_at)]


def visible(readings: Iterable[Reading], *, until: int) -> list[Reading]:
    """Those that count for who has seen all that came until then: receipts and cancellations."""
    return [
        reading
        for reading in readings
        if reading.received_at <= until and (reading.cancelled_at is None or reading.cancelled_at > until)
    ]


def aggregated(readings: Iterable[Reading], formula: str) -> Decimal:
    match formula:
        case "count":
            return Decimal(sum(1 for _ in readings))
        case "last":
            return max(readings, key=lambda reading: (reading.timestamp, reading.order), default=NOTHING).value
        case _:
            return reduce(EXACT.add, (reading.value for reading in readings), Decimal(0))


def latest_per_window(readings: Iterable[Reading], window: str) -> list[Reading]:
    """For meters of pre-aggregated usage: in each hour or day the last *received* reading replaces the others."""
    kept: dict[int, Reading] = {}
    for reading in sorted(readings, key=attrgetter("order")):
        kept[reading.timestamp // WINDOW_S[window]] = reading
    return list(kept.values())


NOTHING = Reading(timestamp=0, received_at=0, order=0, identifier="", value=Decimal(0))
