"""What Stripe's final invoices bill, as Stripe lists them. A final one never changes, so each is read once."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from chaos.periods.place import Place
from chaos.periods.story import Span

Key = tuple[str, int, int]
"""Customer, price in cents, and the second at which the line's period starts."""


@dataclass(kw_only=True)
class Invoices:
    """`units` and `cents` of all that are final."""

    place: Place
    units: Counter[Key] = field(default_factory=Counter)
    cents: int = 0
    _read: set[str] = field(default_factory=set)

    def read_on(self) -> None:
        """Read those that became final since."""
        for invoice in self.place.v1.invoices.list({"limit": 100}).auto_paging_iter():
            if invoice.status == "draft" or invoice.id in self._read:
                continue
            self._read.add(invoice.id)
            self.cents += invoice.total
            for line in invoice.lines.data:
                if line.period.start < line.period.end:
                    price = int(Decimal(line.pricing.unit_amount_decimal))
                    self.units[invoice.customer, price, line.period.start] += int(line.quantity)

    def of(self, span: Span) -> int | None:
        """The units that it is billed for; None: its invoice is not final."""
        return self.units.get(key_of(self.place, span))


def key_of(place: Place, span: Span) -> Key:
    return span.customer, span.cents, int(place.at(span.start).timestamp())
