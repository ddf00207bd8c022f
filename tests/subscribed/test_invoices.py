"""What a row asks for, on the invoices of three cycles: amounts to the cent, computed by hand, and every word.

A setup fee of 49 dollars, a tax of 19 % on top, and 100 units at 7 cents a cycle. With a quarter off: of the fee 12.25
are off, and 36.75 are taxed with 6.98(25); of a cycle's 7.00 are 1.75 off, and 5.25 are taxed with 1.00 (0.9975).
"""

from datetime import timedelta
from typing import Any

import pytest

from tests.subscribed.conftest import Sales

FEE_OFF, OFF, WHOLE = (4900, 1225, 698, 4373), (700, 175, 100, 625), (700, 0, 133, 833)
FEE_LESS, LESS = (4900, 300, 874, 5474), (700, 300, 76, 476)
COUPONS: Any = {
    "once": ({"percent_off": 25, "duration": "once"}, [FEE_OFF, WHOLE, WHOLE, WHOLE]),
    "repeating": (
        {"percent_off": 25, "duration": "repeating", "duration_in_months": 3},
        [FEE_OFF, OFF, OFF, WHOLE],
    ),
    "forever": ({"percent_off": 25, "duration": "forever"}, [FEE_OFF, OFF, OFF, OFF]),
    "an amount": ({"amount_off": 300, "currency": "usd", "duration": "forever"}, [FEE_LESS, LESS, LESS, LESS]),
}
WORDS: Any = {
    "invoice_memo": "Thank you,\nand see you next month",
    "footer": "Example Ltd, Dublin",
    "custom_fields": [("PO number", "4711"), ("Cost center", "R&D")],
    "metadata": {"plan": "gold"},
}
MODES = pytest.mark.parametrize("mode", ["classic", "flexible"])


@pytest.fixture
def wishes(sales: Sales) -> dict[str, Any]:
    """A fee that a card pays at once, a tax, and both sides' tax ids."""
    own = sales.v1.tax_ids.create({"type": "eu_vat", "value": "IE1234567FA"}).id
    fee = {"setup_fee": "49.00", "currency": "usd", "payment_method": sales.card()}
    ids = {"account_tax_ids": [own], "customer_tax_ids": [("eu_vat", "DE123456789")]}
    return {**WORDS, **fee, **ids, "tax_rates": [sales.rate("19")]}


@pytest.fixture
def a_month_ago(sales: Sales) -> None:
    """Clocks are put back so far that three weeks of usage are no more ahead of the client's than it allows."""
    sales.path.write("UPDATE ledger_clock SET ahead_by = interval '-25 days'")
    sales.path.sandbox.clock(offset=-timedelta(days=25).total_seconds())


def amounts(invoice: Any) -> tuple[int, int, int, int]:
    """What was used or charged, what is off, the tax, and what is paid."""
    off = sum(part.amount for part in invoice.total_discount_amounts)
    return invoice.subtotal, off, sum(tax.amount for tax in invoice.total_taxes), invoice.total


def use_at_stripe(sales: Sales, customer: str, value: int) -> None:
    payload = {"stripe_customer_id": customer, "value": str(value)}
    sales.v1.billing.meter_events.create({"event_name": "tokens", "payload": payload})


@MODES
@pytest.mark.parametrize("coupon", COUPONS)
def test_fee_coupon_and_tax_are_billed_to_the_cent(sales: Sales, wishes: Any, coupon: str, mode: str) -> None:
    terms, wanted = COUPONS[coupon]
    told = {"coupon": sales.v1.coupons.create(terms).id, "price": sales.price_of("tokens", unit_amount=7)}
    made = sales.make(**wishes, **told, billing_mode=mode)
    for _ in range(3):
        use_at_stripe(sales, made.customer, 100)
        sales.path.pass_time(days=31)
    sales.path.pass_time(hours=2)
    invoices = sales.invoices(made.id)
    assert [amounts(invoice) for invoice in invoices] == wanted
    assert {invoice.status for invoice in invoices} == {"paid"}


@MODES
@pytest.mark.usefixtures("a_month_ago")
def test_usage_that_meterpost_reports_is_billed_with_every_word(sales: Sales, wishes: Any, mode: str) -> None:
    made = sales.make(**wishes, price=sales.price_of("tokens", interval="week", unit_amount=7), billing_mode=mode)
    for week in range(3):
        sales.use(made.customer, 100 + week, row_id=f"u{week}")
        sales.path.pass_time(days=7)
    sales.path.pass_time(hours=2)
    sales.path.reconciler.confirm_due()
    invoices = sales.invoices(made.id)
    assert sales.path.states() == {"confirmed": 3}
    assert [invoice.subtotal for invoice in invoices] == [4900, 700, 707, 714]
    assert [invoice.total for invoice in invoices] == [5831, 833, 841, 850]
    assert [words(invoice) for invoice in invoices] == [words_of(sales, wishes)] * 4


def words(invoice: Any) -> Any:
    told = invoice.parent.subscription_details.metadata.to_dict()
    fields = [(field.name, field.value) for field in invoice.custom_fields]
    ids = [(one.type, one.value) for one in invoice.customer_tax_ids], list(invoice.account_tax_ids)
    return invoice.description, invoice.footer, fields, told, *ids


def words_of(sales: Sales, wishes: Any) -> Any:
    (identifier,) = sales.path.ask("SELECT identifier FROM signup")
    told = WORDS["metadata"] | {"meterpost_row": identifier}
    ids = wishes["customer_tax_ids"], wishes["account_tax_ids"]
    return WORDS["invoice_memo"], WORDS["footer"], WORDS["custom_fields"], told, *ids


@MODES
def test_automatic_tax_is_on_the_invoices_of_a_customer_whose_place_is_known(sales: Sales, mode: str) -> None:
    sales.settings(automatic_tax_percentage="19")
    berlin = sales.customer(address={"country": "DE"})
    told = {"price": sales.price_of("tokens", unit_amount=7), "automatic_tax": True, "billing_mode": mode}
    made = sales.make(customer=berlin, **told)
    use_at_stripe(sales, berlin, 100)
    sales.path.pass_time(days=31, hours=2)
    (*_, invoice) = sales.invoices(made.id)
    assert amounts(invoice) == WHOLE
    assert (invoice.automatic_tax.enabled, invoice.automatic_tax.status) == (True, "complete")


@pytest.mark.parametrize(("currency", "fee", "amount"), [("jpy", "4900", 4900), ("eur", "0.01", 1), ("isk", "5", 500)])
def test_a_fee_is_charged_in_the_currencys_own_unit(sales: Sales, currency: str, fee: str, amount: int) -> None:
    price = sales.price_of("calls", currency=currency)
    made = sales.make(price=price, setup_fee=fee, payment_method=sales.card())
    (invoice,) = sales.invoices(made.id)
    assert (invoice.total, invoice.currency, invoice.lines.data[0].description) == (amount, currency, "Setup fee")
