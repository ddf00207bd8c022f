"""Invoice items: amounts that join a draft, or wait for the next invoice."""

from decimal import Decimal
from typing import Any

import pytest
import stripe


@pytest.fixture
def customer(shop: Any) -> str:
    return str(shop.customer())


@pytest.fixture
def draft(shop: Any, customer: str) -> str:
    return str(shop.v1.invoices.create({"customer": customer}).id)


def item(shop: Any, customer: str, **more: Any) -> Any:
    return shop.v1.invoice_items.create({"customer": customer, "amount": 500, "currency": "usd"} | more)


def refused(shop: Any, customer: str, **wanted: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.invoice_items.create({"customer": customer} | wanted)
    return refusal.value


def test_an_item_waits_until_an_invoice_takes_it(shop: Any, customer: str) -> None:
    waiting = item(shop, customer, description="Setup")
    assert (waiting.invoice, waiting.amount, waiting.description) == (None, 500, "Setup")
    invoice = shop.v1.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    assert [(line.amount, line.parent.invoice_item_details.invoice_item) for line in invoice.lines] == [
        (500, waiting.id)
    ]
    assert shop.v1.invoice_items.retrieve(waiting.id).invoice == invoice.id


def test_an_item_goes_on_waiting_when_an_invoice_excludes_it(shop: Any, customer: str) -> None:
    waiting = item(shop, customer)
    assert shop.v1.invoices.create({"customer": customer}).total == 0
    assert [found.id for found in shop.v1.invoice_items.list({"pending": True})] == [waiting.id]


def test_an_item_in_another_currency_goes_on_waiting(shop: Any, customer: str) -> None:
    item(shop, customer, currency="eur")
    invoice = shop.v1.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    assert (invoice.total, invoice.currency) == (0, "usd")


def test_an_item_made_for_a_draft_is_on_it_at_once(shop: Any, customer: str, draft: str) -> None:
    item(shop, customer, invoice=draft)
    assert shop.v1.invoices.retrieve(draft).total == 500


def test_an_items_quantity_may_be_decimal(shop: Any, customer: str) -> None:
    made = shop.v1.invoice_items.create(
        {"customer": customer, "currency": "usd", "quantity_decimal": Decimal("2.5"), "unit_amount_decimal": Decimal(3)}
    )
    assert (made.quantity, made.quantity_decimal, made.amount) == (2, Decimal("2.5"), 8)


def test_an_item_takes_its_amount_from_a_price(shop: Any, customer: str) -> None:
    price = shop.v1.prices.create({"currency": "eur", "product_data": {"name": "Setup"}, "unit_amount": 700})
    made = shop.v1.invoice_items.create({"customer": customer, "pricing": {"price": price.id}, "quantity": 3})
    assert (made.amount, made.currency, made.pricing.price_details.price) == (2_100, "eur", price.id)


def test_an_item_takes_its_amount_from_terms_of_its_own(shop: Any, customer: str) -> None:
    product = shop.v1.products.create({"name": "Setup"}).id
    terms = {"currency": "usd", "product": product, "unit_amount": 250}
    assert shop.v1.invoice_items.create({"customer": customer, "price_data": terms, "quantity": 2}).amount == 500


def test_a_quantity_of_none_costs_nothing(shop: Any, customer: str) -> None:
    made = shop.v1.invoice_items.create(
        {"customer": customer, "currency": "usd", "quantity": 0, "unit_amount_decimal": Decimal(3)}
    )
    assert (made.quantity, made.amount) == (0, 0)


def test_a_changed_item_changes_its_draft(shop: Any, customer: str, draft: str) -> None:
    made = item(shop, customer, invoice=draft)
    shop.v1.invoice_items.update(made.id, {"amount": 900, "description": "More"})
    line = shop.v1.invoices.retrieve(draft).lines.data[0]
    assert (line.amount, line.description) == (900, "More")


def test_another_quantity_keeps_the_unit_amount(shop: Any, customer: str) -> None:
    made = item(shop, customer)
    assert shop.v1.invoice_items.update(made.id, {"quantity": 3}).amount == 1_500


def test_a_deleted_item_leaves_its_draft(shop: Any, customer: str, draft: str) -> None:
    made = item(shop, customer, invoice=draft)
    assert shop.v1.invoice_items.delete(made.id).deleted is True
    assert shop.v1.invoices.retrieve(draft).lines.data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such invoiceitem"):
        shop.v1.invoice_items.retrieve(made.id)


def test_a_final_invoice_keeps_its_items(shop: Any, customer: str, draft: str) -> None:
    made = item(shop, customer, invoice=draft)
    shop.v1.invoices.finalize_invoice(draft)
    with pytest.raises(stripe.InvalidRequestError, match="no longer editable"):
        shop.v1.invoice_items.update(made.id, {"amount": 1})
    with pytest.raises(stripe.InvalidRequestError, match="no longer editable"):
        shop.v1.invoice_items.delete(made.id)
    assert refused(shop, customer, invoice=draft, amount=1).code == "invoice_not_editable"


def test_what_a_deleted_draft_had_taken_waits_again(shop: Any, customer: str) -> None:
    waiting = item(shop, customer)
    invoice = shop.v1.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"}).id
    made_for_it = item(shop, customer, invoice=invoice)
    shop.v1.invoices.delete(invoice)
    assert [found.id for found in shop.v1.invoice_items.list()] == [waiting.id]
    assert shop.v1.invoice_items.retrieve(waiting.id).invoice is None
    with pytest.raises(stripe.InvalidRequestError, match="No such invoiceitem"):
        shop.v1.invoice_items.retrieve(made_for_it.id)


def test_items_are_listed_by_customer_and_invoice(shop: Any, customer: str, draft: str) -> None:
    item(shop, shop.customer())
    made = item(shop, customer, invoice=draft)
    found = [shop.v1.invoice_items.list(wanted).data for wanted in ({"customer": customer}, {"invoice": draft})]
    assert [[item.id for item in items] for items in found] == [[made.id], [made.id]]
    assert shop.v1.invoice_items.list({"created": {"lt": made.date}}).data == []


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"currency": "usd"}, "amount"),
        ({"amount": 5}, "currency"),
        ({"amount": 5, "currency": "gold"}, "currency"),
        ({"amount": 5, "currency": "usd", "quantity": 2}, "quantity"),
        ({"amount": 5, "currency": "usd", "unit_amount_decimal": "1"}, "unit_amount_decimal"),
        ({"unit_amount_decimal": "1", "currency": "usd", "quantity": -1}, "quantity"),
        ({"unit_amount_decimal": "1", "currency": "usd", "quantity": 1, "quantity_decimal": "1"}, "quantity"),
        ({"amount": 5, "currency": "usd", "period": {"start": 9, "end": 8}}, "period[end]"),
        ({"amount": 5, "currency": "usd", "invoice": "in_none"}, "invoice"),
        ({"amount": 5, "currency": "usd", "subscription": "sub_none"}, "subscription"),
        ({"pricing": {"price": "price_none"}}, "pricing[price]"),
    ],
)
def test_an_item_that_makes_no_sense_is_refused(shop: Any, customer: str, wanted: Any, param: str) -> None:
    assert refused(shop, customer, **wanted).param == param
    assert shop.v1.invoice_items.list().data == []


@pytest.mark.parametrize("amount", ["1.5", "abc", "9" * 40, "'; --", "٣"])
def test_an_amount_that_is_no_number_is_refused(shop: Any, customer: str, amount: str) -> None:
    assert refused(shop, customer, amount=amount, currency="usd").param == "amount"


def test_a_recurring_price_is_no_price_of_an_item(shop: Any, customer: str) -> None:
    price = shop.price(shop.meter()).id
    assert "type=one_time" in str(refused(shop, customer, pricing={"price": price}))


def test_an_invoice_of_another_customer_takes_no_item(shop: Any, draft: str) -> None:
    assert refused(shop, shop.customer(), invoice=draft, amount=5, currency="usd").param == "invoice"


def test_an_item_must_have_its_invoices_currency(shop: Any, customer: str, draft: str) -> None:
    assert refused(shop, customer, invoice=draft, amount=5, currency="eur").param == "currency"
