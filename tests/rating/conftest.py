"""Prices, tiers and usage drawn by chance, in the words in which Stripe's API takes them, and a shop that is billed."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import stripe
from hypothesis import strategies as st

from service import settings
from service.gateway import API_VERSION, Gateway

CYCLE_S = 31 * 86_400 + 2 * 3_600  # of a month, until its invoice is final
Said = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    """An account of the sandbox: as its own code asks Stripe, and as ours does."""

    v1: Any
    gateway: Gateway
    sandbox: Any

    def send(self, customer: str, event_name: str, value: object) -> None:
        payload = {"stripe_customer_id": customer, "value": str(value)}
        self.v1.billing.meter_events.create({"event_name": event_name, "payload": payload})

    def billed(self, customer: str) -> tuple[Any, list[Any]]:
        """The customer's only invoice, which is final, and its lines."""
        (invoice,) = self.v1.invoices.list({"customer": customer}).data
        assert invoice.status_transitions.finalized_at is not None
        return invoice, list(self.v1.invoices.line_items.list(invoice.id, {"limit": 100}).auto_paging_iter())


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


def written(value: Decimal) -> str:
    return format(value, "f")


amounts = st.one_of(
    st.integers(0, 10_000).map(str),
    st.decimals(min_value=0, max_value=100, places=2).map(written),
    st.decimals(min_value=0, max_value=1, places=12).map(written),
)
values = st.one_of(
    st.integers(-100, 10**9).map(str),
    st.decimals(min_value=-10, max_value=10_000, places=3).map(written),
    st.decimals(min_value=0, max_value=1, places=12).map(written),
)
usages = st.lists(values, max_size=4)


@st.composite
def tiered(draw: st.DrawFn) -> Said:
    ends: list[int | str] = [*sorted(draw(st.sets(st.integers(1, 2 * 10**9), max_size=5))), "inf"]
    tiers = [{"up_to": end, "unit_amount_decimal": draw(amounts), "flat_amount_decimal": draw(amounts)} for end in ends]
    return {"billing_scheme": "tiered", "tiers_mode": draw(st.sampled_from(["graduated", "volume"])), "tiers": tiers}


@st.composite
def packaged(draw: st.DrawFn) -> Said:
    transform = {"divide_by": draw(st.integers(2, 10_000)), "round": draw(st.sampled_from(["up", "down"]))}
    return {"unit_amount_decimal": draw(amounts), "transform_quantity": transform}


flat = st.builds(lambda amount: {"unit_amount_decimal": amount}, amounts)
prices = st.one_of(tiered(), packaged(), flat)
