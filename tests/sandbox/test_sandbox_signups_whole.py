"""A subscription with everything that a row may ask for, over three cycles."""

from typing import Any

import pytest


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


@pytest.fixture
def wishes(shop: Any) -> Any:
    """A fee, a tax and words on the invoices."""
    product = shop.v1.products.create({"name": "Setup"}).id
    rate = shop.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False}).id
    return {
        "add_invoice_items": [{"price_data": {"currency": "usd", "product": product, "unit_amount": 1_000}}],
        "default_tax_rates": [rate],
        "invoice_settings": {"description": "As agreed", "custom_fields": [{"name": "PO", "value": "7"}]},
        "metadata": {"row": "1"},
    }


def cycles(january: Any, wishes: Any, terms: Any) -> list[Any]:
    """The invoices of a subscription with the fee, and 100 units at 10 in each of three months."""
    shop = january.shop
    customer, price = shop.customer(), shop.price(shop.meter(), unit_amount=10).id
    coupon = shop.v1.coupons.create(terms).id
    made = shop.subscription(customer, price, discounts=[{"coupon": coupon}], **wishes)
    for day in (3, 34, 62):
        january.go(day)
        january.use(customer, 100, day=day)
    january.go(91)
    return list(january.invoices(made.id))


@pytest.mark.parametrize(
    ("terms", "discounts"),
    [
        ({"percent_off": 50, "duration": "once"}, [500, 0, 0, 0]),
        ({"percent_off": 50, "duration": "repeating", "duration_in_months": 2}, [500, 500, 0, 0]),
        ({"amount_off": 300, "currency": "usd", "duration": "forever"}, [300, 300, 300, 300]),
    ],
)
def test_fee_coupon_and_tax_are_on_each_invoice(january: Any, wishes: Any, terms: Any, discounts: list[int]) -> None:
    invoices = cycles(january, wishes, terms)
    assert [invoice.subtotal for invoice in invoices] == [1_000] * 4
    assert [sum(part.amount for part in invoice.total_discount_amounts) for invoice in invoices] == discounts
    assert [invoice.total for invoice in invoices] == [(1_000 - discount) * 12 // 10 for discount in discounts]


def test_memo_custom_fields_and_metadata_are_on_each_invoice(january: Any, wishes: Any) -> None:
    invoices = cycles(january, wishes, {"percent_off": 50, "duration": "once"})
    assert {invoice.description for invoice in invoices} == {"As agreed"}
    assert {invoice.custom_fields[0].value for invoice in invoices} == {"7"}
    assert {invoice.parent.subscription_details.metadata["row"] for invoice in invoices} == {"1"}
