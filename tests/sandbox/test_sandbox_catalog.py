"""Customers, products, prices and meters: created, found, listed, refused."""

from decimal import Decimal
from typing import Any

import pytest
import stripe

MONTHLY = {"interval": "month"}
TIERS = [{"up_to": 1_000_000, "unit_amount": 0}, {"up_to": "inf", "unit_amount_decimal": "0.1"}]


def test_a_created_customer_is_found_again(shop: Any) -> None:
    made = shop.v1.customers.create({"name": "Ada", "email": "ada@example.com", "metadata": {"row": "7"}})
    found = shop.v1.customers.retrieve(made.id)
    assert (found.name, found.email, found.metadata["row"]) == ("Ada", "ada@example.com", "7")


def test_customers_are_listed_newest_first(shop: Any) -> None:
    made = [shop.customer() for _ in range(3)]
    assert [customer.id for customer in shop.v1.customers.list().data] == made[::-1]


def test_customers_are_found_by_email(shop: Any) -> None:
    shop.customer()
    wanted = shop.v1.customers.create({"email": "ada@example.com"})
    assert [found.id for found in shop.v1.customers.list({"email": "ada@example.com"}).data] == [wanted.id]


def test_paging_backwards_gives_the_page_before_the_cursor(shop: Any) -> None:
    made = [shop.customer() for _ in range(5)]
    page = shop.v1.customers.list({"ending_before": made[0], "limit": 2})
    assert [customer.id for customer in page.data] == [made[2], made[1]]
    assert page.has_more


def test_an_unknown_cursor_is_refused(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such object: 'cus_none'"):
        shop.v1.customers.list({"starting_after": "cus_none"})


def test_a_product_needs_a_name(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: name") as refusal:
        shop.v1.products.create({})
    assert refusal.value.code == "parameter_missing"


def test_products_are_listed_by_whether_they_are_active(shop: Any) -> None:
    shop.v1.products.create({"name": "Old", "active": False})
    current = shop.v1.products.create({"name": "New"})
    assert [product.id for product in shop.v1.products.list({"active": True}).data] == [current.id]
    assert shop.v1.products.retrieve(current.id).name == "New"


def test_a_price_per_unit_has_its_amount_as_integer_and_as_decimal(shop: Any) -> None:
    price = shop.price(shop.meter(), unit_amount=25)
    assert (price.unit_amount, price.unit_amount_decimal) == (25, Decimal(25))
    assert (price.recurring.usage_type, price.billing_scheme) == ("metered", "per_unit")


def test_a_fraction_of_a_cent_has_no_integer_amount(shop: Any) -> None:
    price = shop.price(shop.meter(), unit_amount_decimal="0.000000000001")
    assert (price.unit_amount, price.unit_amount_decimal) == (None, Decimal("0.000000000001"))


def test_tiers_are_told_only_when_expanded(shop: Any) -> None:
    price = shop.price(shop.meter(), billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS)
    assert "tiers" not in price
    found = shop.v1.prices.retrieve(price.id, {"expand": ["tiers"]})
    assert [(tier.up_to, tier.unit_amount_decimal) for tier in found.tiers] == [
        (1_000_000, Decimal(0)),
        (None, Decimal("0.1")),
    ]


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"unit_amount": 1, "recurring": MONTHLY | {"usage_type": "metered"}}, "recurring[meter]"),
        ({"unit_amount": 1, "recurring": MONTHLY | {"usage_type": "metered", "meter": "mtr_no"}}, "recurring[meter]"),
        ({"unit_amount": 1, "recurring": {"interval": "fortnight"}}, "recurring[interval]"),
        ({"recurring": MONTHLY}, "unit_amount"),
        ({"unit_amount": 1, "unit_amount_decimal": "1"}, "unit_amount"),
        ({"unit_amount_decimal": "0.0000000000001"}, "unit_amount_decimal"),
        ({"billing_scheme": "tiered", "tiers": TIERS}, "tiers_mode"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume"}, "tiers"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": TIERS[:1]}, "tiers"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [TIERS[0], *TIERS]}, "tiers"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [{"up_to": "inf"}]}, "tiers[0][unit_amount]"),
        ({"unit_amount": 1, "tiers": TIERS}, "tiers"),
        (
            {
                "billing_scheme": "tiered",
                "tiers_mode": "volume",
                "tiers": TIERS,
                "transform_quantity": {"divide_by": 10, "round": "up"},
            },
            "transform_quantity",
        ),
        ({"unit_amount": 1, "transform_quantity": {"divide_by": 0, "round": "up"}}, "transform_quantity[divide_by]"),
    ],
)
def test_a_price_that_cannot_be_rated_is_refused(shop: Any, wanted: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.prices.create({"currency": "usd", "product_data": {"name": "Calls"}} | wanted)
    assert refusal.value.param == param


def test_a_price_on_an_inactive_meter_is_refused(shop: Any) -> None:
    meter = shop.meter()
    shop.v1.billing.meters.deactivate(meter)
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.price(meter)


def test_prices_are_listed_by_product(shop: Any) -> None:
    meter = shop.meter()
    wanted, _ = shop.price(meter), shop.price(meter)
    found = shop.v1.prices.list({"product": wanted.product, "expand": ["data.tiers"]})
    assert [price.id for price in found.data] == [wanted.id]


def test_a_meter_tells_its_mapping_formula_and_window(shop: Any) -> None:
    meter = shop.v1.billing.meters.retrieve(shop.meter(formula="last", event_time_window="day"))
    assert meter.customer_mapping.event_payload_key == "stripe_customer_id"
    assert meter.value_settings.event_payload_key == "value"
    assert (meter.default_aggregation.formula, meter.event_time_window) == ("last", "day")


def test_two_active_meters_cannot_share_an_event_name(shop: Any) -> None:
    shop.meter()
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        shop.meter()


def test_a_deactivated_meter_says_when_and_can_come_back(shop: Any) -> None:
    meter = shop.meter()
    inactive = shop.v1.billing.meters.deactivate(meter)
    assert (inactive.status, inactive.status_transitions.deactivated_at) == ("inactive", inactive.updated)
    assert shop.v1.billing.meters.reactivate(meter).status == "active"


def test_meters_are_listed_by_status(shop: Any) -> None:
    shop.v1.billing.meters.deactivate(shop.meter("old"))
    current = shop.meter("new")
    assert [meter.id for meter in shop.v1.billing.meters.list({"status": "active"}).data] == [current]


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"event_name": "", "display_name": "Calls"}, "event_name"),
        ({"event_name": "a b"}, "event_name"),
        ({"event_name": "x" * 101}, "event_name"),
        ({"default_aggregation": {"formula": "max"}}, "default_aggregation[formula]"),
        ({"event_time_window": "week"}, "event_time_window"),
    ],
)
def test_a_meter_with_a_wrong_part_is_refused(shop: Any, wanted: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.meter(**wanted)
    assert refusal.value.param == param


def test_a_refused_price_leaves_no_product_behind(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.prices.create({"currency": "usd", "product_data": {"name": "Calls"}})
    assert shop.v1.products.list().data == []
