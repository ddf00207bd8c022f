"""What late usage is worth: on the invoice that missed it, and in the period of now, where tiers may say otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from service.ledger.alarms import Unrated
from service.ledger.connection import Transaction, fetch
from service.ledger.late import METER_EVENTS_MAX, LateId
from service.money import worth


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """By how much an invoice differs, in the currency's minor unit."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LateWorth:
    """`missed`: what its own invoice lacks; `carried`: what the period of now would cost more; None: not known."""

    missed: Amount | None
    carried: Amount | None


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch that bills the usage, with all that it bills then."""

    is_now: bool
    meter: str
    formula: str
    units: Decimal
    price: str
    price_object: dict[str, Any] | None
    total: Decimal
    entries: int
    newest: Decimal | None
    newest_without: Decimal | None

    def unrated(self) -> Unrated:
        told = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "is_now"}
        return Unrated(alarm_id=0, has_stretch=True, **told)


def late_worth(tx: Transaction, account: str, late: LateId) -> LateWorth:
    """As it stands now, before anything is decided."""
    asked = {"account": account, "meter_events_max": METER_EVENTS_MAX, **late.parameters()}
    spans = fetch(tx, _Span, "late_worths", **asked)
    now = [span for span in spans if span.is_now and span.formula != "last"]  # which nobody carries
    return LateWorth(missed=_amount([span for span in spans if not span.is_now]), carried=_amount(now))


def _amount(spans: Sequence[_Span]) -> Amount | None:
    try:
        worths = [worth(span.unrated()) for span in spans]
    except ArithmeticError:
        return None  # more digits than any amount has: not known, rather than rounded
    found = [one for one in worths if one is not None]
    if not spans or len(found) < len(worths) or len({one.currency for one in found}) > 1:
        return None
    return Amount(amount=sum(one.amount_rounded for one in found), currency=found[0].currency)
