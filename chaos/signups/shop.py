"""What is told: rows of subscriptions, most of them plain, some with what takes further calls."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

import stripe

from meterpost.subscription import SubscriptionRow, read_subscription

CREATORS = 4
METERS = ("tokens", "seats")
IMPORT = "storm.csv"
PLAIN, FURTHER = 0.8, ("tax id", "setup fee", "payment method", "second meter")  # the rest in equal parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """`rows` as producers tell them, in their order."""

    rows: Sequence[dict[str, Any]]

    def identifiers(self) -> dict[str, str]:
        """The customer by the identifier of each row."""
        read = [read_subscription({"account": "default", **row}, now=datetime.now(UTC)) for row in self.rows]
        good = [row for row in read if isinstance(row, SubscriptionRow)]
        assert len(good) == len(self.rows), "what the storm tells can be read"
        return {row.identifier: row.customer for row in good}


def open_shop(client: stripe.StripeClient, *, rows: int, chance: Random) -> Shop:
    """Meters, prices and customers at Stripe, and the rows that tell of them."""
    v1: Any = client.v1
    prices = [_price(v1, event_name) for event_name in METERS]
    kinds = ["plain" if chance.random() < PLAIN else chance.choice(FURTHER) for _ in range(rows)]
    with ThreadPoolExecutor(CREATORS) as creators:
        told = list(creators.map(partial(_row, v1, prices), enumerate(kinds)))
    for number in range(1, rows):
        if kinds[number] == "second meter" != kinds[number - 1]:
            told[number]["customer"] = told[number - 1]["customer"]
    return Shop(rows=told)


def _price(v1: Any, event_name: str) -> str:
    meter = v1.billing.meters.create(
        {"display_name": event_name, "event_name": event_name, "default_aggregation": {"formula": "sum"}}
    )
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
    price = {"currency": "usd", "unit_amount": 1, "product_data": {"name": event_name}, "recurring": recurring}
    return str(v1.prices.create(price).id)


def _row(v1: Any, prices: list[str], numbered: tuple[int, str]) -> dict[str, Any]:
    """Its price alternates, so that one row after the other is of another meter."""
    number, kind = numbered
    customer = str(v1.customers.create({"name": f"{number}"}).id)
    told: dict[str, Any] = {
        "customer": customer,
        "price": prices[number % 2],
        "row_id": f"s{number}",
        "import_name": IMPORT,
    }
    match kind:
        case "tax id":
            return told | {"customer_tax_ids": [("us_ein", f"{number % 90 + 10}-{number % 10**7:07}")]}
        case "setup fee":
            return told | {"setup_fee": "49.00"}
        case "payment method":
            card = v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
            return told | {"payment_method": str(card.id)}
        case _:
            return told
