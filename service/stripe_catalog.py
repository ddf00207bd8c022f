"""Meters, products and prices as a rate card wants them: found by the names that the card gives, and created.

Each has a name of ours that Stripe keeps unique (a meter's event_name, a product's id, a price's lookup key), so a
creation whose answer was lost, or that two of us ask for at once, is there once: the second one is refused.
Source: docs.stripe.com/api/billing/meter/create, /api/products/create, /api/prices/create.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.meters import Meter, read_meter
from service.mirrors.catalog import PriceFacts, price_facts
from service.rating import Terms, Tier
from service.stripe_objects import Lists, Reads
from service.stripe_words import plain

LOOKUP_KEYS_MAX = 10  # Stripe's most in one question
PRODUCTS_MAX = 50  # ids in one question: an address of some five thousand characters
UNIT_LABEL_LENGTH_MAX = 12  # Stripe's limit


@dataclass(frozen=True, slots=True, kw_only=True)
class StripePrice:
    price_id: str
    lookup_key: str
    facts: PriceFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPrice:
    """A metered price to create; `interval` is Stripe's, and how many of them."""

    lookup_key: str
    product: str
    meter: str
    interval: tuple[str, int]
    terms: Terms


class StripeCatalog:
    """Each call raises StripeUnavailable or StripeRefused, as the gateway does."""

    def __init__(self, client: Any, *, read: Reads, list_all: Lists) -> None:
        self._v1 = client.v1
        self._read = read
        self._list = list_all

    def create_meter(self, event_name: str, *, formula: str, display_name: str) -> Meter:
        asked: dict[str, Any] = {
            "event_name": event_name,
            "display_name": display_name,
            "default_aggregation": {"formula": formula},
        }
        return self._read(lambda: self._v1.billing.meters.create(asked), parse=read_meter)

    def product_ids(self, product_ids: Sequence[str]) -> set[str]:
        """Those of these that Stripe has."""
        found = set[str]()
        for start in range(0, len(product_ids), PRODUCTS_MAX):
            some = list(product_ids[start : start + PRODUCTS_MAX])
            found |= set(self._list(self._v1.products.list, {"ids": some}, parse=lambda one: str(one.id)))
        return found

    def create_product(self, product_id: str, *, name: str, unit: str) -> None:
        label = {"unit_label": unit} if len(unit) <= UNIT_LABEL_LENGTH_MAX else {}
        asked = {"id": product_id, "name": name, **label}
        self._read(lambda: self._v1.products.create(asked), parse=plain)

    def list_prices(self, lookup_keys: Sequence[str]) -> list[StripePrice]:
        """Those that have one of these keys, archived ones included, with their tiers."""
        found = list[StripePrice]()
        for start in range(0, len(lookup_keys), LOOKUP_KEYS_MAX):
            some = list(lookup_keys[start : start + LOOKUP_KEYS_MAX])
            found += self._list(self._v1.prices.list, {"lookup_keys": some, "expand": ["data.tiers"]}, parse=_price)
        return found

    def create_price(self, wanted: WantedPrice) -> StripePrice:
        unit, count = wanted.interval
        recurring = {"interval": unit, "interval_count": count, "usage_type": "metered", "meter": wanted.meter}
        asked: dict[str, Any] = {
            "currency": wanted.terms.currency,
            "product": wanted.product,
            "lookup_key": wanted.lookup_key,
        }
        asked |= {"recurring": recurring, "expand": ["tiers"], **_asked_terms(wanted.terms)}
        return self._read(lambda: self._v1.prices.create(asked), parse=_price)


def _price(found: Any) -> StripePrice:
    told = plain(found)
    return StripePrice(price_id=told["id"], lookup_key=told["lookup_key"], facts=price_facts(told))


def _asked_terms(terms: Terms) -> dict[str, Any]:
    if terms.mode is not None:
        tiers = [_asked_tier(tier) for tier in terms.tiers]
        return {"billing_scheme": "tiered", "tiers_mode": str(terms.mode), "tiers": tiers}
    asked: dict[str, Any] = {"unit_amount_decimal": f"{terms.unit_amount:f}"}
    if terms.package is None:
        return asked
    return asked | {"transform_quantity": {"divide_by": terms.package.size, "round": str(terms.package.rounding)}}


def _asked_tier(tier: Tier) -> dict[str, Any]:
    flat = {"flat_amount_decimal": f"{tier.flat_amount:f}"} if tier.flat_amount else {}
    return {
        "up_to": "inf" if tier.up_to is None else tier.up_to,
        "unit_amount_decimal": f"{tier.unit_amount:f}",
        **flat,
    }
