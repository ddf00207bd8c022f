"""Prices that a rate card makes at the sandbox: of the terms that were asked, and invoiced as the card shows."""

from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from local.guarded import ROOT
from service.mirrors.catalog import price_facts
from service.ratecard import load
from service.ratecard.applying import compare, create_missing
from service.ratecard.words import examples as costs
from service.rating import Terms, terms_of
from service.stripe_catalog import WantedPrice
from tests.rating.conftest import CYCLE_S, Said, Shop, prices

A_FEW = examples(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
USAGE = {"api_requests": 250_000, "gigabytes_stored": 40, "emails_sent": 2_500}
numbers = count(1)


def asked_by_key(shop: Shop, customer: str) -> dict[str, int]:
    """By lookup key, what the final invoice asks."""
    _, lines = shop.billed(customer)
    asked = dict[str, int]()
    for line in lines:
        key = shop.v1.prices.retrieve(line.pricing.price_details.price).lookup_key
        asked[key] = asked.get(key, 0) + line.amount
    return asked


def wanted(said: Said, *, currency: str) -> Terms:
    tiers = [tier | {"up_to": None if tier["up_to"] == "inf" else tier["up_to"]} for tier in said.get("tiers", [])]
    found = terms_of(price_facts({**said, "currency": currency} | ({"tiers": tiers} if tiers else {})))
    assert found is not None
    return found


@A_FEW
@given(said=st.lists(prices, min_size=8, max_size=8), currency=st.sampled_from(["usd", "jpy", "kwd"]))
def test_a_price_has_the_terms_that_were_asked(shop: Shop, said: list[Said], currency: str):
    catalog, name = shop.gateway.catalog, f"metric_{next(numbers)}"
    meter = catalog.create_meter(name, formula="sum", display_name=name)
    catalog.create_product(name, name=name, unit="unit")
    asked = {f"{name}_{number}": wanted(one, currency=currency) for number, one in enumerate(said)}
    for key, terms in asked.items():
        price = WantedPrice(lookup_key=key, product=name, meter=meter.stripe_id, interval=("month", 1), terms=terms)
        assert terms_of(catalog.create_price(price).facts) == terms
    assert {one.lookup_key: terms_of(one.facts) for one in catalog.list_prices(list(asked))} == asked


def test_an_invoice_asks_what_the_card_shows(shop: Shop):
    card = load(ROOT / "examples" / "ratecard.toml")
    parts = [part for one in compare(card, shop.gateway) for part in create_missing(one, shop.gateway)]
    rates = {rate.lookup_key: rate for rate in card.rates if rate.reset == "month"}
    items = [{"price": part.stripe_id} for part in parts if part.kind == "price" and part.name in rates]
    customer = shop.v1.customers.create({"name": "A customer"}).id
    shop.v1.subscriptions.create({"customer": customer, "items": items})
    for metric, value in USAGE.items():
        shop.send(customer, metric, value)
    shop.sandbox.clock(advance=CYCLE_S)
    shown = {key: costs(rate, [Decimal(USAGE[rate.metric])])[0].amount for key, rate in rates.items()}
    assert asked_by_key(shop, customer) == shown
    assert shown["api_requests_month_usd"] == 3_000
