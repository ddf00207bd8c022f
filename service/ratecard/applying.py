"""A rate card beside Stripe: what is there, what is missing and can be created, what differs and is left alone.

Created is only what is missing, the meter first, then the product, then the price. Each has a name that Stripe keeps
unique, so a crash between two creations, or an answer that was lost, leaves a part that the next run finds. A price
never changes at Stripe, nor does a meter's formula: what differs is said and never replaced, because subscriptions bill
by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from service.meters import Meter, differences
from service.ratecard.card import Rate, RateCard
from service.ratecard.words import terms_in_words
from service.rating import terms_of
from service.stripe_catalog import StripeCatalog, StripePrice, WantedPrice

PRODUCT_ID_LENGTH_MAX = 100
METERED = "metered"
NEVER_CHANGES = "a price never changes: give the rate another lookup_key, apply, and move the subscriptions to it"


class Stripe(Protocol):
    """As much of the gateway as is asked here."""

    catalog: StripeCatalog

    def list_meters(self) -> list[Meter]: ...


class State(StrEnum):
    EXISTS = "exists"
    MISSING = "missing"
    CREATED = "created"
    DIFFERS = "differs"  # and cannot be changed, or is not ours to change
    WAITS = "waits"  # for the meter to be set right


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A meter, product or price of the card at Stripe, and the shape of one item of `parts` in JSON."""

    metric: str
    kind: str
    name: str  # by which it is found: event_name, id or lookup key
    state: State
    stripe_id: str | None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A rate, and what Stripe has of it. `has_product` None: nobody asked, as there is a price."""

    rate: Rate
    meter: Meter | None
    price: StripePrice | None
    has_product: bool | None

    @property
    def parts(self) -> list[Part]:
        product = () if self.has_product is None else (self._product,)
        return [self._meter, *product, self._price]

    @property
    def _meter(self) -> Part:
        wrong = meter_differences(self.rate, self.meter)
        part = self._part("meter", self.rate.metric)
        if self.meter is None:
            return part
        state = State.DIFFERS if wrong else State.EXISTS
        return replace(part, state=state, stripe_id=self.meter.stripe_id, text="; ".join(wrong))

    @property
    def _product(self) -> Part:
        part = self._part("product", product_id_of(self.rate))
        return replace(part, state=State.EXISTS, stripe_id=part.name) if self.has_product else part

    @property
    def _price(self) -> Part:
        part = self._part("price", self.rate.lookup_key)
        if self.price is None:
            if meter_differences(self.rate, self.meter):
                return replace(part, state=State.WAITS, text="its meter must be set right first")
            return replace(part, text=terms_in_words(self.rate.terms))
        part = replace(part, state=State.EXISTS, stripe_id=self.price.price_id)
        if wrong := price_differences(self.rate, self.price, self.meter):
            return replace(part, state=State.DIFFERS, text="; ".join([*wrong, NEVER_CHANGES]))
        return part

    def _part(self, kind: str, name: str) -> Part:
        return Part(metric=self.rate.metric, kind=kind, name=name, state=State.MISSING, stripe_id=None)


def compare(card: RateCard, stripe: Stripe) -> list[Compared]:
    """Every rate beside what Stripe has. Only reads."""
    meters = {meter.event_name: meter for meter in stripe.list_meters()}
    found = stripe.catalog.list_prices([rate.lookup_key for rate in card.rates])
    prices = {price.lookup_key: price for price in found}
    unpriced = [product_id_of(rate) for rate in card.rates if rate.lookup_key not in prices]
    products = stripe.catalog.product_ids(unpriced)
    return [
        Compared(
            rate=rate,
            meter=meters.get(rate.metric),
            price=prices.get(rate.lookup_key),
            has_product=None if rate.lookup_key in prices else product_id_of(rate) in products,
        )
        for rate in card.rates
    ]


def create_missing(compared: Compared, stripe: Stripe) -> Iterator[Part]:
    """The parts of a rate, each as it is once it is there; what is missing is created on the way."""
    meter = compared.meter or _created_meter(compared.rate, stripe.catalog)
    after = replace(compared, meter=meter)
    yield _as_created(after.parts[0], compared.parts[0])
    if after.price is None and not meter_differences(after.rate, meter):
        if not after.has_product:
            _create_product(after.rate, stripe.catalog)
            after = replace(after, has_product=True)
        yield _as_created(after.parts[1], compared.parts[1])
        after = replace(after, price=_created_price(after.rate, meter, stripe.catalog))
        yield _as_created(after.parts[2], compared.parts[2])
    else:
        yield from after.parts[1:]


def meter_differences(rate: Rate, meter: Meter | None) -> list[str]:
    return [] if meter is None else differences(meter, formula=rate.formula)


def price_differences(rate: Rate, price: StripePrice, meter: Meter | None) -> list[str]:
    facts, terms = price.facts, terms_of(price.facts)
    wrong = list[str]()
    if terms != rate.terms:
        at_stripe = "nothing that we can read" if terms is None else f"{terms_in_words(terms)} in {terms.currency}"
        wrong.append(f"it asks {at_stripe}, the card {terms_in_words(rate.terms)} in {rate.terms.currency}")
    if (facts.interval, facts.interval_count) != rate.interval:
        told = f"{facts.interval_count or ''} {facts.interval or 'none'}".strip()
        wrong.append(f"its interval is {told}, the card's reset {rate.reset}")
    if facts.usage_type != METERED or meter is None or facts.meter_stripe_id != meter.stripe_id:
        wrong.append(f"it bills another meter than {rate.metric}")
    if facts.is_active is False:
        wrong.append("it is archived")
    return wrong


def product_id_of(rate: Rate) -> str:
    made = f"meterpost_{rate.metric}"
    return made if len(made) <= PRODUCT_ID_LENGTH_MAX else f"meterpost_{sha256(rate.metric.encode()).hexdigest()}"


def _created_meter(rate: Rate, catalog: StripeCatalog) -> Meter:
    return catalog.create_meter(rate.metric, formula=rate.formula, display_name=rate.display_name)


def _create_product(rate: Rate, catalog: StripeCatalog) -> None:
    catalog.create_product(product_id_of(rate), name=rate.product, unit=rate.unit)


def _created_price(rate: Rate, meter: Meter, catalog: StripeCatalog) -> StripePrice:
    return catalog.create_price(
        WantedPrice(
            lookup_key=rate.lookup_key,
            product=product_id_of(rate),
            meter=meter.stripe_id,
            interval=rate.interval,
            terms=rate.terms,
        )
    )


def _as_created(after: Part, before: Part) -> Part:
    is_new = before.state is State.MISSING and after.state is State.EXISTS
    return replace(after, state=State.CREATED, text=before.text) if is_new else after
