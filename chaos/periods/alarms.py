"""The open alarms about units, as the ledger has them, and the sums that a judge wants of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from chaos.periods.place import Place
from chaos.periods.story import Span

ALARMS = """
SELECT kind, customer, stretch_start, units, amount, amount_rounded FROM alarm
WHERE cleared_at IS NULL AND kind = ANY(%s)
"""
MISSING = ("late", "differs", "straddling")  # each has units that an invoice lacks
KINDS = ["unbilled", "discarded", "closing", "trial", *MISSING]


@dataclass(frozen=True, slots=True)
class Alarm:
    """`amount` and `amount_rounded` in cents; None: no price is known."""

    kind: str
    customer: str
    start: datetime | None
    units: Decimal
    amount: Decimal | None
    amount_rounded: int | None

    def is_worth(self, cents: int) -> bool:
        """So much a unit, exactly and as people see it."""
        return self.amount == self.amount_rounded == self.units * cents


def open_alarms(place: Place) -> list[Alarm]:
    return [Alarm(*row) for row in place.ask(ALARMS, KINDS)]


def of_span(alarms: Iterable[Alarm], place: Place, span: Span) -> list[Alarm]:
    return [alarm for alarm in alarms if (alarm.customer, alarm.start) == (span.customer, place.at(span.start))]


def units_by_kind(alarms: Iterable[Alarm]) -> Counter[str]:
    found = Counter[str]()
    for alarm in alarms:
        found[alarm.kind] += int(alarm.units)
    return found


def missing(units: Counter[str]) -> int:
    return sum(units[kind] for kind in MISSING)
