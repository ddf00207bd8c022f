"""What usage that no subscription bills would cost by itself: the same money as its alarm tells."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from service.figures import NOTHING
from service.ledger.alarms import Unrated
from service.ledger.connection import Transaction, fetch_one
from service.ledger.correcting import Money, Target
from service.money import Card, worth


@dataclass(frozen=True, slots=True)
class _Priced:
    """`price` None: no price of its meter is the only one."""

    meter: str
    formula: str
    price: str | None
    price_object: dict[str, Any] | None


def unbilled_money(tx: Transaction, target: Target, *, before: Decimal, after: Decimal, card: Card) -> Money | None:
    """Of so many units before a correction and after it; None: no price is known."""
    ids = {"meter_event_id": target.meter_event_id, "entry_id": target.entry_id}
    priced = fetch_one(tx, _Priced, "price_of_unbilled", **ids)
    if priced is None:
        return None
    worths = [worth(_unrated(priced, units), card=card) for units in (before, after)]
    found = [one for one in worths if one is not None]
    if len(found) < len(worths):
        return None
    return Money(before=found[0].amount_rounded, after=found[1].amount_rounded, currency=found[0].currency)


def _unrated(priced: _Priced, units: Decimal) -> Unrated:
    return Unrated(
        alarm_id=0,
        meter=priced.meter,
        formula=priced.formula,
        units=units,
        price=priced.price,
        price_object=priced.price_object,
        has_stretch=False,
        total=NOTHING,
        entries=0,
        newest=None,
        newest_without=None,
    )
