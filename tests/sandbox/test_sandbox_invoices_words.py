"""What an invoice's lines say of themselves: amounts as a reader writes them, and Stripe's templates."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.billing.invoice_words import money


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("500", "usd", "$5.00"),
        ("0.1", "usd", "$0.001"),
        ("0.000000000001", "usd", "$0.00000000000001"),
        ("0", "eur", "€0.00"),
        ("500", "jpy", "¥500"),
        ("0.5", "jpy", "¥0.5"),
        ("1500", "chf", "CHF 15.00"),
        ("1500", "kwd", "KWD 1.500"),
    ],
)
def test_an_amount_has_the_places_of_its_currency_and_more_where_needed(amount: str, currency: str, words: str) -> None:
    assert money(Decimal(amount), currency) == words


def said(shop: Any, **price: Any) -> list[str]:
    """What the lines of a preview of 15 units say."""
    customer = shop.customer()
    subscription = shop.subscription(customer, shop.price(shop.meter(), **price).id)
    shop.send(customer, "15")
    return [line.description for line in shop.v1.invoices.create_preview({"subscription": subscription.id}).lines.data]


def test_a_line_of_a_tier_says_which(shop: Any) -> None:
    tiers = [{"up_to": 10, "unit_amount": 0}, {"up_to": "inf", "unit_amount_decimal": "0.1"}]
    assert said(shop, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers) == [
        "10 × Calls (Tier 1 at $0.00 / month)",  # noqa: RUF001 - Stripe's own sign
        "5 × Calls (Tier 2 at $0.001 / month)",  # noqa: RUF001 - Stripe's own sign
    ]


def test_one_line_for_all_tiers_has_no_unit_price_to_tell(shop: Any) -> None:
    shop.settings(tier_lines="one")
    tiers = [{"up_to": 10, "unit_amount": 0}, {"up_to": "inf", "unit_amount_decimal": "0.1"}]
    assert said(shop, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers) == ["15 × Calls"]  # noqa: RUF001 - Stripe's own sign


def test_a_line_says_how_often_it_is_billed(shop: Any) -> None:
    customer, meter = shop.customer(), shop.meter()
    recurring = {"interval": "week", "interval_count": 2, "usage_type": "metered", "meter": meter}
    price = shop.price(meter, unit_amount=5, recurring=recurring).id
    preview = shop.v1.invoices.create_preview({"subscription": shop.subscription(customer, price).id})
    assert preview.lines.data[0].description == "0 × Calls (at $0.05 / 2 weeks)"  # noqa: RUF001 - Stripe's own sign
