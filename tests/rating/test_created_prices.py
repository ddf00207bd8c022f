"""Prices that a rate card makes at the sandbox: of the terms that were asked, and invoiced as the card shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from local.guarded import ROOT
from service import settings
from service.gateway import API_VERSION, Gateway
from service.mirrors.catalog import price_facts
from service.ratecard import load
from service.ratecard.applying import compare, create_missing
from service.ratecard.words import examples as costs
from service.rating import Terms, terms_of
from service.stripe_catalog import WantedPrice
from tests.rating.conftest import Said, prices

A_FEW = examples(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
CYCLE_S = 31 * 86_400 + 2 * 3_600
USAGE = {"api_requests": 250_000, "gigabytes_stored": 40, "emails_sent": 2_500}
numbers = count(1)


@dataclass(frozen=True)
class Shop:
    v1: Any
    gateway: Gateway
    sandbox: Any

    def send(self, customer: str, event_name: str, value: int) -> None:
        payload = {"stripe_customer_id": customer, "value": str(value)}
        self.v1.billing.meter_events.create({"event_name": event_name, "payload": payload})

    def billed(self, customer: str) -> dict[str, int]:
        """By lookup key, what the final invoice asks."""
        (invoice,) = self.v1.invoices.list({"customer": customer}).data
        assert invoice.status_transitions.finalized_at is not None
        lines = self.v1.invoices.line_items.list(invoice.id, {"limit": 100}).data
        asked = dict[str, int]()
        for line in lines:
            key = self.v1.prices.retrieve(line.pricing.price_details.price).lookup_key
            asked[key] = asked.get(key, 0) + line.amount
        return asked


@pytest.fixture
def shop(sandbox_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    http = stripe.RequestsClient(timeout=20)
    bases: Any = {"api": sandbox_server.url, "meter_events": sandbox_server.url}
    key = sandbox_server.new_account(livemode=True)
    client = stripe.StripeClient(key, base_addresses=bases, http_client=http, stripe_version=API_VERSION)
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    monkeypatch.setenv("STRIPE_API_BASE", sandbox_server.url)
    yield Shop(v1=client.v1, gateway=Gateway(settings.load()), sandbox=sandbox_server)
    http.close()


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
    assert shop.billed(customer) == shown
    assert shown["api_requests_month_usd"] == 3_000
