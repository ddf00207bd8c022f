"""What the meters counted: the readings of each (meter, customer), and their aggregation.

Readings are kept one by one and ordered by time, not in buckets: summaries ask by the minute, billing periods by the
second, and a cancellation must find the one it takes back.
"""

from bisect import bisect_left, insort_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import attrgetter

from sandbox.wire import EXACT

WINDOW_S = {"hour": 3_600, "day": 86_400}

_at = attrgetter("timestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    timestamp: int
    received_at: int
    order: int
    identifier: str
    value: Decimal


class Usage:
    def __init__(self) -> None:
        self._readings: defaultdict[tuple[str, str], list[Reading]] = defaultdict(list)
        self._order = 0

    def next_order(self) -> int:
        """The place of a reading among all received: decides ties of time."""
        self._order += 1
        return self._order

    def add(self, reading: Reading, *, meter: str, customer: str) -> None:
        insort_right(self._readings[meter, customer], reading, key=_at)

    def between(self, start: int, end: int, *, meter: str, customer: str) -> Sequence[Reading]:
        """The readings of [start, end), oldest first."""
        readings = self._readings.get((meter, customer), [])
        return readings[bisect_left(readings, start, key=_at) : bisect_left(readings, end, key=_at)]


def visible(readings: Iterable[Reading], *, received_until: int) -> list[Reading]:
    return [reading for reading in readings if reading.received_at <= received_until]


def aggregated(readings: Iterable[Reading], formula: str) -> Decimal:
    match formula:
        case "count":
            return Decimal(sum(1 for _ in readings))
        case "last":
            return max(readings, key=lambda reading: (reading.timestamp, reading.order), default=NOTHING).value
        case _:
            return reduce(EXACT.add, (reading.value for reading in readings), Decimal(0))


def latest_per_window(readings: Iterable[Reading], window: str | None) -> list[Reading]:
    """For meters of pre-aggregated usage: in each hour or day the last *received* reading replaces the others."""
    if window is None:
        return list(readings)
    kept: dict[int, Reading] = {}
    for reading in sorted(readings, key=attrgetter("order")):
        kept[reading.timestamp // WINDOW_S[window]] = reading
    return list(kept.values())


NOTHING = Reading(timestamp=0, received_at=0, order=0, identifier="", value=Decimal(0))
