"""What our rating says, against invoices that the sandbox makes by itself of meter events, over HTTP."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from service.mirrors.catalog import price_facts
from service.rating import Rated, rate, terms_of
from tests.rating.conftest import CYCLE_S, Said, Shop, prices, usages

A_FEW = examples(
    max_examples=2,  # each of them 12 prices and a whole month of the sandbox
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking would make hundreds of invoices
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
Case = tuple[Said, list[str]]
Lines = list[tuple[Decimal, int]]


def priced(shop: Shop, event_name: str, said: Said, *, currency: str) -> str:
    formula = {"formula": "sum"}
    meter = shop.v1.billing.meters.create(
        {"display_name": event_name, "event_name": event_name, "default_aggregation": formula}
    )
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
    wanted = {"currency": currency, "product_data": {"name": event_name}, "recurring": recurring}
    return str(shop.v1.prices.create(wanted | said).id)


def rated_by_us(shop: Shop, price: str, usage: list[str]) -> Rated:
    """Of the price as Stripe tells it."""
    terms = terms_of(price_facts(shop.gateway.objects.retrieve("price", price)))
    assert terms is not None
    return rate(terms, sum(map(Decimal, usage), Decimal(0)))


def invoiced(shop: Shop, customer: str) -> tuple[int, dict[str, Lines]]:
    """The final invoice's total, and by price the quantity and amount of each line."""
    invoice, lines = shop.billed(customer)
    found = defaultdict[str, Lines](list)
    for line in lines:
        found[line.pricing.price_details.price].append((line.quantity_decimal, line.amount))
    return invoice.total, found


@A_FEW
@given(cases=st.lists(st.tuples(prices, usages), min_size=12, max_size=12), currency=st.sampled_from(["usd", "jpy"]))
def test_a_finalized_invoice_is_what_we_rate(shop: Shop, cases: list[Case], currency: str):
    names = [f"metric_{datetime.now(UTC).timestamp():.6f}_{number}".replace(".", "_") for number in range(len(cases))]
    ids = [priced(shop, name, said, currency=currency) for name, (said, _) in zip(names, cases, strict=True)]
    customer = shop.v1.customers.create({"name": "A customer"}).id
    shop.v1.subscriptions.create({"customer": customer, "items": [{"price": price} for price in ids]})
    for name, (_, usage) in zip(names, cases, strict=True):
        for value in usage:
            shop.send(customer, name, value)
    shop.sandbox.clock(advance=CYCLE_S)
    total, lines = invoiced(shop, customer)
    rated = {price: rated_by_us(shop, price, usage) for price, (_, usage) in zip(ids, cases, strict=True)}
    assert lines == {price: [(line.quantity, line.amount) for line in one.lines] for price, one in rated.items()}
    assert total == sum(one.amount for one in rated.values())


def test_a_price_of_a_ten_millionth_is_read_as_it_was_told(shop: Shop):
    price = priced(shop, "metric_tiny", {"unit_amount_decimal": "0.000000000142"}, currency="usd")
    assert rated_by_us(shop, price, ["1000000000000"]).amount == 142
