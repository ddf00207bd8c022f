"""What closing a backfill would change: its rows by customer, meter, stretch and reason, and what that costs.

Read page by page, so that no statement is long however many the rows are; what is kept of them is a line each group.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from service.figures import NOTHING
from service.ledger.backfills import Backfill
from service.ledger.connection import Transaction, fetch, fetch_one
from service.mirrors.catalog import price_facts
from service.rating import rate, terms_of
from service.timing import Timing

ROWS_A_PAGE = 5_000
STRETCHES_A_PAGE = 500
Advance = Callable[[int], None]
StretchKey = tuple[str, str, datetime]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a stretch bills without the backfill."""

    item: str
    price: str
    starts_at: datetime
    price_object: dict[str, Any] | None
    total: Decimal
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Rows of a customer and meter that would share a fate, and the stretch that would bill them."""

    customer: str
    meter: str
    formula: str | None  # None: the meter is not known
    standing: str  # the state that they would have
    reason: str | None
    item: str | None  # None: no subscription is known that bills them
    price: str | None
    starts_at: datetime | None
    rows: int
    units: Decimal
    since: datetime
    until: datetime
    place: int
    stretch: Stretch | None = None

    @property
    def is_billed(self) -> bool:
        return self.item is not None

    @property
    def worth(self) -> tuple[int, str] | None:
        """By how much the stretch costs more, in the currency's minor unit; None: no price is known."""
        price = None if self.stretch is None else self.stretch.price_object
        terms = None if price is None else terms_of(price_facts(price))
        if terms is None or self.stretch is None or self.formula not in {"sum", "count"}:
            return None
        before = self.stretch.total if self.formula == "sum" else Decimal(self.stretch.entries)
        more = self.units if self.formula == "sum" else Decimal(self.rows)
        return rate(terms, before + more).amount - rate(terms, before).amount, terms.currency

    def __add__(self, other: "Standing") -> "Standing":
        return replace(
            self,
            rows=self.rows + other.rows,
            units=self.units + other.units,
            since=min(self.since, other.since),
            until=max(self.until, other.until),
        )


@dataclass(frozen=True, slots=True)
class _Alike:
    rows: int
    place: int | None  # None: the page is empty


def standings(tx: Transaction, backfill: Backfill, *, advance: Advance) -> list[Standing]:
    """By customer and meter, what would be recorded first. `advance` is told of rows as they are read."""
    found: dict[object, Standing] = {}
    for one in _read(tx, backfill, advance=advance):
        key = (one.customer, one.meter, one.formula, one.standing, one.reason, one.item, one.price, one.starts_at)
        found[key] = found[key] + one if key in found else one
    known = _stretches(tx, backfill, list(found.values()))
    told = [replace(one, stretch=known.get((one.item, one.price, one.starts_at))) for one in found.values()]
    return sorted(told, key=lambda one: (one.customer, one.meter, one.standing != "recorded", one.since))


def lookalikes(tx: Transaction, backfill: Backfill, *, timing: Timing) -> int:
    """How many rows say exactly what a recorded row of another id says."""
    asked = {"backfill_id": backfill.backfill_id, "rows_max": ROWS_A_PAGE, "bucket": timing.bucket}
    rows, after = 0, 0
    while (page := fetch_one(tx, _Alike, "lookalikes", **asked, after=after)) is not None and page.place is not None:
        rows, after = rows + page.rows, page.place
    return rows


def total(some: Sequence[Standing]) -> Decimal:
    return sum((one.units for one in some), NOTHING)


def _read(tx: Transaction, backfill: Backfill, *, advance: Advance) -> Iterator[Standing]:
    asked = {"backfill_id": backfill.backfill_id, "rows_max": ROWS_A_PAGE}
    after = 0
    while page := fetch(tx, Standing, "backfill_preview", **asked, after=after):
        yield from page
        after = max(one.place for one in page)
        advance(sum(one.rows for one in page))


def _stretches(tx: Transaction, backfill: Backfill, some: Sequence[Standing]) -> dict[object, Stretch]:
    keys: list[StretchKey] = sorted(
        {
            (one.item, one.price, one.starts_at)
            for one in some
            if one.item is not None and one.price is not None and one.starts_at is not None
        }
    )
    found: dict[object, Stretch] = {}
    for start in range(0, len(keys), STRETCHES_A_PAGE):
        page = keys[start : start + STRETCHES_A_PAGE]
        asked = {
            "items": [key[0] for key in page],
            "prices": [key[1] for key in page],
            "starts": [key[2] for key in page],
        }
        for one in fetch(tx, Stretch, "stretches_filled", account=backfill.account, **asked):
            found[one.item, one.price, one.starts_at] = one
    return found
