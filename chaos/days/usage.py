"""What customers use: rows on meters of every formula, at all hours, and an independent sum of them."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from chaos.days.works import Works

FORMULAS = {"tokens": "sum", "exports": "count", "seats": "last"}
SHARE_WITH = {"tokens": 1.0, "exports": 0.25, "seats": 0.2}  # of the customers, who has which meter
TOLD_AGAIN_SHARE = 0.1  # of the batches: the application did not hear that the first was taken
CORRECTION_SHARE = 0.03
BUCKET = timedelta(minutes=5)
HOUR_S = 3600

Lane = tuple[str, str]  # customer, meter


@dataclass(slots=True, kw_only=True)
class Usage:
    """`told` is the producers' own count: units by customer, meter and the hour's start in Unix seconds."""

    works: Works
    chance: Random
    lanes: list[Lane] = field(default_factory=list)
    told: defaultdict[tuple[str, str, int], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    rows: int = 0
    _last: dict[Lane, datetime] = field(default_factory=dict)

    def prepare(self, *, customers: int) -> None:
        """Meters and customers at Stripe."""
        for meter, formula in FORMULAS.items():
            asked = {"display_name": meter, "event_name": meter, "default_aggregation": {"formula": formula}}
            self.works.stripe.v1.billing.meters.create(asked)  # type: ignore[arg-type]
        for number in range(customers):
            customer = self.works.stripe.v1.customers.create({"name": f"customer {number}"}).id
            self.lanes += [(customer, meter) for meter in FORMULAS if self.chance.random() < SHARE_WITH[meter]]

    def publish(self, rows: int, *, since: datetime, until: datetime) -> None:
        """So many rows of that time, in one batch, and sometimes the same batch again."""
        batch = [row for _ in range(rows) if (row := self._row(since, until)) is not None]
        for _ in range(2 if self.chance.random() < TOLD_AGAIN_SHARE else 1):
            self.works.client.publish_many(batch)

    def _row(self, since: datetime, until: datetime) -> dict[str, object] | None:
        customer, meter = self.chance.choice(self.lanes)
        at = since + (until - since) * self.chance.random()
        if meter == "seats" and not self._is_later_bucket((customer, meter), at):
            return None  # two of a bucket are one figure at Stripe: which one is not what is tried here
        value = self._value(meter)
        self.rows += 1
        self.told[customer, meter, int(at.timestamp()) // HOUR_S * HOUR_S] += value
        row_id = f"row-{self.rows}"
        return {"customer": customer, "meter": meter, "value": value, "occurred_at": at, "row_id": row_id}

    def _value(self, meter: str) -> int:
        value = self.chance.randint(1, 1000)
        return -value if meter == "tokens" and self.chance.random() < CORRECTION_SHARE else value

    def _is_later_bucket(self, lane: Lane, at: datetime) -> bool:
        bucket = at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % BUCKET
        is_later = bucket > self._last.get(lane, datetime.min.replace(tzinfo=at.tzinfo))
        if is_later:
            self._last[lane] = bucket
        return is_later
