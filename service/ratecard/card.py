"""A rate card as we know it once it is read: a rate a metric, with the terms by which Stripe will bill it.

Amounts in the file are in the currency itself (dollars), as on a page of prices; here they are in its minor unit, as
Stripe has them. Included units are a first tier without a price.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from service.currencies import minor_digits, to_minor
from service.ratecard.rules import RESETS
from service.ratecard.schema import PROBLEMS_MAX, Problem, path_of, read_fields
from service.ratecard.trees import BYTES_MAX, FORMATS, Unreadable, read_tree
from service.rating import NOTHING, Mode, Package, Rounding, Terms, Tier

MINOR_PLACES_MAX = 12  # Stripe's limit of decimal places, in cents
Said = Mapping[str, Any]


class CardRefused(Exception):
    """The file is no rate card; `problems` are all that was found, each with its path and its remedy."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one metric costs. `metric` is the meter's event_name, `interval` Stripe's."""

    metric: str
    unit: str
    formula: str
    display_name: str
    product: str
    reset: str
    included: int
    terms: Terms
    lookup_key: str
    typical: tuple[Decimal, ...]

    @property
    def interval(self) -> tuple[str, int]:
        return RESETS[self.reset]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    rates: tuple[Rate, ...]

    @property
    def units(self) -> dict[str, str]:
        """By metric, in what usage is counted."""
        return {rate.metric: rate.unit for rate in self.rates}

    def rate_of(self, metric: str) -> Rate | None:
        return next((rate for rate in self.rates if rate.metric == metric), None)


def load(path: Path) -> RateCard:
    """The card that stands in this file, by its ending TOML or YAML. Raises CardRefused."""
    if path.suffix not in FORMATS:
        raise CardRefused([Problem(path="", text=f"{path.name} is not called {', '.join(FORMATS)}; rename it")])
    try:
        with path.open("rb") as file:
            body = file.read(BYTES_MAX + 1)
    except OSError as wrong:
        raise CardRefused([Problem(path="", text=f"{path} cannot be read: {wrong.strerror}")]) from None
    return parse(body, suffix=path.suffix)


def parse(body: bytes, *, suffix: str) -> RateCard:
    """Raises CardRefused with all that is wrong, and nothing else, whatever the bytes are."""
    try:
        read = read_fields(read_tree(body, suffix=suffix))
    except Unreadable as wrong:
        raise CardRefused([Problem(path="", text=str(wrong))]) from None
    problems = [*read.problems, *_twice(read.said), *_currencies(read.said), *_too_fine(read.said)]
    if problems:
        raise CardRefused(problems[:PROBLEMS_MAX])
    return RateCard(rates=tuple(_rate(metric, read.said) for metric in read.said["metrics"]))


def _rate(metric: Said, card: Said) -> Rate:
    display_name = metric["display_name"] or metric["metric"]
    currency, lookup_key = _currency(metric, card), _lookup_key(metric, card)
    assert currency, "a card without mistakes says one"
    assert lookup_key, "and all that a key is made of"
    return Rate(
        metric=metric["metric"],
        unit=metric["unit"],
        formula=metric["formula"],
        display_name=display_name,
        product=metric["product"] or display_name,
        reset=metric["reset"] or card["reset"],
        included=metric["included"],
        terms=_terms(metric, currency=currency),
        lookup_key=lookup_key,
        typical=tuple(metric["typical"]),
    )


def _terms(metric: Said, *, currency: str) -> Terms:
    free = (Tier(up_to=metric["included"]),) if metric["included"] else ()
    if metric["tiers"] is not None:
        tiers = tuple(_tier(tier, currency=currency) for tier in metric["tiers"])
        return Terms(currency=currency, mode=Mode(metric["mode"]), tiers=(*free, *tiers))
    amount = to_minor(metric["price"], currency)
    if free:
        return Terms(currency=currency, mode=Mode.GRADUATED, tiers=(*free, Tier(up_to=None, unit_amount=amount)))
    size = metric["package"]
    package = None if size is None else Package(size=size, rounding=Rounding(metric["rounding"]))
    return Terms(currency=currency, unit_amount=amount, package=package)


def _tier(tier: Said, *, currency: str) -> Tier:
    return Tier(
        up_to=tier["up_to"],
        unit_amount=to_minor(tier["price"] or NOTHING, currency),
        flat_amount=to_minor(tier["flat"] or NOTHING, currency),
    )


def _twice(card: Said) -> Iterator[Problem]:
    """A metric has one rate, and a price one lookup key."""
    metrics, keys = dict[str, int](), dict[str, int]()
    for number, metric in _metrics(card):
        name, key = metric.get("metric"), _lookup_key(metric, card)
        if name is not None and (first := metrics.setdefault(name, number)) != number:
            text = f"{name} is in metrics[{first}] already; write one rate a metric"
            yield Problem(path=path_of(("metrics", number, "metric")), text=text)
        elif key is not None and (first := keys.setdefault(key, number)) != number:
            text = f"is that of metrics[{first}] already; write another one"
            yield Problem(path=path_of(("metrics", number, "lookup_key")), text=text)


def _currencies(card: Said) -> Iterator[Problem]:
    for number, metric in _metrics(card):
        if _currency(metric, card) == "":
            text = "is missing here and for the whole card; write one, such as usd"
            yield Problem(path=path_of(("metrics", number, "currency")), text=text)


def _too_fine(card: Said) -> Iterator[Problem]:
    """Amounts with more decimal places than Stripe takes."""
    for number, metric in _metrics(card):
        places_max = MINOR_PLACES_MAX + minor_digits(_currency(metric, card) or "")
        for parts, amount in _amounts(metric, ("metrics", number)):
            exponent = 0 if amount is None else amount.as_tuple().exponent
            if isinstance(exponent, int) and -exponent > places_max:
                text = f"has more than {places_max} decimal places, which Stripe refuses; round it"
                yield Problem(path=path_of(parts), text=text)


def _metrics(card: Said) -> Iterator[tuple[int, Said]]:
    """Also of a card with mistakes, whose wrong fields are missing."""
    yield from enumerate(card.get("metrics", ()))


def _amounts(metric: Said, parts: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Decimal | None]]:
    yield (*parts, "price"), metric.get("price")
    for number, tier in enumerate(metric.get("tiers") or ()):
        for name in ("price", "flat"):
            yield (*parts, "tiers", number, name), tier.get(name)


def _currency(metric: Said, card: Said) -> str | None:
    """Empty: there is none; None: the one that is written is wrong."""
    if metric.get("currency"):
        return str(metric["currency"])
    return None if "currency" not in metric or "currency" not in card else str(card["currency"] or "")


def _lookup_key(metric: Said, card: Said) -> str | None:
    """Its own, or one made of what a price is for; another amount needs another key, as prices never change.

    None: something of it is wrong.
    """
    if metric.get("lookup_key"):
        return str(metric["lookup_key"])
    currency, reset = _currency(metric, card), metric.get("reset") or card.get("reset")
    if currency is None or reset is None or not {"lookup_key", "metric", "reset"} <= set(metric):
        return None
    return f"{metric['metric']}_{reset}_{currency}"
