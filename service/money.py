"""What an alarm is worth: what its stretch costs as a whole, less what it would cost without the alarm's units.

So tiers, packages and rounding have their say: of usage within the included units nothing is missing from the invoice.
What no stretch bills is rated alone: by the rate card, else by its meter's only active price. Where no price is known,
or not whole yet, no money is told rather than a guess. Pure.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from service.ledger.alarms import Unrated, Worth
from service.mirrors.catalog import price_facts
from service.rating import EXACT, NOTHING, Terms, rate, terms_of

RATE_CARD = "rate card"
Card = Callable[[str], Terms | None]
"""The rate card's terms of a meter; None: it has none."""


def no_card(_: str) -> None:
    """Where there is no rate card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """What a stretch bills, with the alarm's units and without them."""

    whole: Decimal
    rest: Decimal


def worth(unrated: Unrated, *, card: Card = no_card) -> Worth | None:
    """None: no price is known."""
    found = _terms(unrated, card)
    if found is None:
        return None
    terms, rated_by = found
    quantities = quantities_of(unrated)
    whole, rest = rate(terms, quantities.whole), rate(terms, quantities.rest)
    return Worth(
        amount=EXACT.subtract(whole.exact, rest.exact),
        amount_rounded=whole.amount - rest.amount,
        currency=terms.currency,
        rated_by=rated_by,
    )


def quantities_of(unrated: Unrated) -> Quantities:
    """Stripe bills sums of values, or how many meter events there are, or the last value of a period.

    Of the last value, the stretch without an alarm's usage has the last of what lies outside of its times; where that
    is nothing, what the question took for the units is missing from it.
    """
    match unrated.formula:
        case "last" if unrated.has_stretch:
            whole = unrated.newest or NOTHING
            rest = unrated.newest_without
            return Quantities(whole=whole, rest=EXACT.subtract(whole, unrated.units) if rest is None else rest)
        case "count":
            whole = Decimal(unrated.entries)
        case _:
            whole = unrated.total
    if not unrated.has_stretch:
        return Quantities(whole=unrated.units, rest=NOTHING)
    return Quantities(whole=whole, rest=EXACT.subtract(whole, unrated.units))


def unread_prices(unrated: Iterable[Unrated]) -> set[str]:
    """Prices that these are rated by, and of which the ledger has nothing, or not all."""
    wanted = [one for one in unrated if one.price is not None]
    return {one.price for one in wanted if one.price is not None and _price_terms(one) is None}


def _terms(unrated: Unrated, card: Card) -> tuple[Terms, str] | None:
    """The stretch's price; where none bills the units, what they would cost."""
    of_card = None if unrated.has_stretch else card(unrated.meter)
    if of_card is not None:
        return of_card, RATE_CARD
    terms = _price_terms(unrated)
    return None if terms is None or unrated.price is None else (terms, unrated.price)


def _price_terms(unrated: Unrated) -> Terms | None:
    return None if unrated.price_object is None else terms_of(price_facts(unrated.price_object))
