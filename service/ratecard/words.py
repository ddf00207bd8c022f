"""A rate in words and in examples: what support reads out, and what a difference to Stripe is told by. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from service.currencies import exact_money
from service.ratecard.card import Rate
from service.rating import Mode, Rounding, Terms, Tier, rate

TYPICAL = Decimal(1_000)  # where the card names no usage that is typical


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What a period with so much usage costs: `amount` as an invoice asks it, in the currency's minor unit."""

    usage: Decimal
    what: str
    amount: int
    exact: Decimal


def examples(priced: Rate, asked: Iterable[Decimal] = ()) -> list[Example]:
    """What is `asked`; or nothing, one unit, each edge and the unit behind it, and what the card calls typical."""
    wanted = dict[Decimal, str]()
    for usage, what in [(usage, "asked") for usage in asked] or _usual(priced):
        wanted.setdefault(usage, what)
    return [_example(priced.terms, usage, what) for usage, what in sorted(wanted.items())]


def terms_in_words(terms: Terms) -> str:
    if terms.mode is None:
        amount = exact_money(terms.unit_amount, terms.currency)
        if terms.package is None:
            return f"{amount} a unit"
        begun = "each begun" if terms.package.rounding is Rounding.UP else "each whole"
        return f"{amount} for {begun} {terms.package.size:,}"
    tiers = "; ".join(_tier_in_words(tier, terms.currency) for tier in terms.tiers)
    return f"{terms.mode}: {tiers}" if terms.mode is Mode.VOLUME or len(terms.tiers) > 1 else tiers


def _tier_in_words(tier: Tier, currency: str) -> str:
    reach = "beyond" if tier.up_to is None else f"to {tier.up_to:,}"
    flat = f" and {exact_money(tier.flat_amount, currency)}" if tier.flat_amount else ""
    return f"{reach} {exact_money(tier.unit_amount, currency)} a unit{flat}"


def _usual(priced: Rate) -> Iterator[tuple[Decimal, str]]:
    yield Decimal(0), "nothing"
    yield Decimal(1), "one unit"
    if priced.included:
        yield Decimal(priced.included), "what is included"
        yield Decimal(priced.included + 1), "one unit more"
    for end in (tier.up_to for tier in priced.terms.tiers if tier.up_to is not None):
        yield Decimal(end), f"the tier to {end:,}"
        yield Decimal(end + 1), "one unit more"
    if priced.terms.package is not None:
        yield Decimal(priced.terms.package.size), "one package"
        yield Decimal(priced.terms.package.size + 1), "one unit more"
    for usage in priced.typical or (TYPICAL,):
        yield usage, "typical"


def _example(terms: Terms, usage: Decimal, what: str) -> Example:
    rated = rate(terms, usage)
    return Example(usage=usage, what=what, amount=rated.amount, exact=rated.exact)
