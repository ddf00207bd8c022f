"""What our rating says, against invoices that the sandbox makes by itself of meter events, over HTTP."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from service import settings
from service.gateway import API_VERSION, Gateway
from service.mirrors.catalog import price_facts
from service.rating import Rated, rate, terms_of
from tests.rating.conftest import Said, prices, usages

A_FEW = examples(
    max_examples=2,  # each of them 12 prices and a whole month of the sandbox
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking would make hundreds of invoices
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
CYCLE_S = 31 * 86_400 + 2 * 3_600
Case = tuple[Said, list[str]]
Lines = list[tuple[Decimal, int]]


@dataclass(frozen=True)
class Shop:
    v1: Any
    gateway: Gateway
    sandbox: Any

    def priced(self, event_name: str, said: Said, *, currency: str) -> str:
        formula = {"formula": "sum"}
        meter = self.v1.billing.meters.create(
            {"display_name": event_name, "event_name": event_name, "default_aggregation": formula}
        )
        recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
        wanted = {"currency": currency, "product_data": {"name": event_name}, "recurring": recurring}
        return str(self.v1.prices.create(wanted | said).id)

    def send(self, customer: str, event_name: str, value: str) -> None:
        payload = {"stripe_customer_id": customer, "value": value}
        self.v1.billing.meter_events.create({"event_name": event_name, "payload": payload})

    def rated(self, price: str, usage: list[str]) -> Rated:
        """By us, of the price as Stripe tells it."""
        terms = terms_of(price_facts(self.gateway.objects.retrieve("price", price)))
        assert terms is not None
        return rate(terms, sum(map(Decimal, usage), Decimal(0)))

    def billed(self, customer: str) -> tuple[int, dict[str, Lines]]:
        """The final invoice's total, and by price the quantity and amount of each line."""
        (invoice,) = self.v1.invoices.list({"customer": customer}).data
        assert invoice.status_transitions.finalized_at is not None
        found = defaultdict[str, Lines](list)
        for line in self.v1.invoices.line_items.list(invoice.id, {"limit": 100}).auto_paging_iter():
            found[line.pricing.price_details.price].append((line.quantity_decimal, line.amount))
        return invoice.total, found


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


@A_FEW
@given(cases=st.lists(st.tuples(prices, usages), min_size=12, max_size=12), currency=st.sampled_from(["usd", "jpy"]))
def test_a_finalized_invoice_is_what_we_rate(shop: Shop, cases: list[Case], currency: str):
    names = [f"metric_{datetime.now(UTC).timestamp():.6f}_{number}".replace(".", "_") for number in range(len(cases))]
    ids = [shop.priced(name, said, currency=currency) for name, (said, _) in zip(names, cases, strict=True)]
    customer = shop.v1.customers.create({"name": "A customer"}).id
    shop.v1.subscriptions.create({"customer": customer, "items": [{"price": price} for price in ids]})
    for name, (_, usage) in zip(names, cases, strict=True):
        for value in usage:
            shop.send(customer, name, value)
    shop.sandbox.clock(advance=CYCLE_S)
    total, lines = shop.billed(customer)
    rated = {price: shop.rated(price, usage) for price, (_, usage) in zip(ids, cases, strict=True)}
    assert lines == {price: [(line.quantity, line.amount) for line in one.lines] for price, one in rated.items()}
    assert total == sum(one.amount for one in rated.values())


def test_a_price_of_a_ten_millionth_is_read_as_it_was_told(shop: Shop):
    price = shop.priced("metric_tiny", {"unit_amount_decimal": "0.000000000142"}, currency="usd")
    assert shop.rated(price, ["1000000000000"]).amount == 142
