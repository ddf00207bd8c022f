"""Taxes on invoices: by rates that the subscription names, or automatic where the customer is known to be."""

from typing import Any

import pytest
import stripe

BERLIN = {"address": {"country": "DE"}}
AUTOMATIC = {"automatic_tax": {"enabled": True}}


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


@pytest.fixture
def meter(shop: Any) -> str:
    return str(shop.meter("calls"))


def rate(shop: Any, percentage: str, *, inclusive: bool = False, **more: Any) -> str:
    wanted = {"display_name": "VAT", "percentage": percentage, "inclusive": inclusive}
    return str(shop.v1.tax_rates.create(wanted | more).id)


def located(shop: Any, **more: Any) -> str:
    return str(shop.v1.customers.create({"name": "Ada"} | BERLIN | more).id)


def amounts(invoice: Any) -> tuple[int, ...]:
    """Subtotal, without tax; total, without tax; due."""
    subtotals = (invoice.subtotal, invoice.subtotal_excluding_tax)
    return (*subtotals, invoice.total, invoice.total_excluding_tax, invoice.amount_due)


def taxes(invoice: Any) -> list[tuple[int, int, str]]:
    return [(tax.amount, tax.taxable_amount, tax.tax_behavior) for tax in invoice.total_taxes]


def test_an_exclusive_rate_comes_on_top(january: Any, shop: Any, customer: str, calls: str) -> None:
    vat = rate(shop, "19")
    subscription = shop.subscription(customer, calls, default_tax_rates=[vat])
    january.use(customer, 105, day=0)
    january.go(31, hours=2)
    (invoice,) = january.invoices(subscription.id)
    assert amounts(invoice) == (1050, 1050, 1250, 1050, 1250)
    assert taxes(invoice) == [(200, 1050, "exclusive")]
    assert (invoice.status, invoice.amount_paid) == ("paid", 1250)
    assert [applied.id for applied in invoice.default_tax_rates] == [vat]


def test_an_inclusive_rate_is_part_of_the_price(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls, default_tax_rates=[rate(shop, "19", inclusive=True)])
    january.use(customer, 119, day=0)
    january.go(31, hours=2)
    (invoice,) = january.invoices(subscription.id)
    assert amounts(invoice) == (1190, 1000, 1190, 1000, 1190)
    assert taxes(invoice) == [(190, 1000, "inclusive")]


@pytest.mark.parametrize(
    ("inclusive", "expected"), [(False, (1190, 1190, 708, 595, 708)), (True, (1190, 1000, 595, 500, 595))]
)
def test_discounts_come_before_taxes(
    january: Any, shop: Any, customer: str, *, inclusive: bool, expected: tuple[int, ...]
) -> None:
    coupon = shop.v1.coupons.create({"percent_off": 50, "duration": "once"}).id
    chosen = {"default_tax_rates": [rate(shop, "19", inclusive=inclusive)], "discounts": [{"coupon": coupon}]}
    subscription = shop.subscription(customer, january.seats(monthly=1190), **chosen)
    invoice = shop.v1.invoices.retrieve(subscription.latest_invoice)
    assert amounts(invoice) == expected
    assert invoice.total - invoice.total_excluding_tax == invoice.total_taxes[0].amount


def test_a_setup_fee_is_taxed_with_the_rest(shop: Any, customer: str, calls: str) -> None:
    product = shop.v1.products.create({"name": "Setup"}).id
    fee = {"price_data": {"currency": "usd", "product": product, "unit_amount": 4900}}
    chosen = {"add_invoice_items": [fee], "default_tax_rates": [rate(shop, "19")]}
    subscription = shop.subscription(customer, calls, **chosen)
    invoice = shop.v1.invoices.retrieve(subscription.latest_invoice)
    assert amounts(invoice) == (4900, 4900, 5831, 4900, 5831)
    assert (invoice.status, invoice.amount_paid) == ("paid", 5831)


def test_each_line_tells_its_taxes_by_rate(january: Any, shop: Any, customer: str, calls: str) -> None:
    federal, local = rate(shop, "5"), rate(shop, "9.975")
    subscription = shop.subscription(customer, calls, default_tax_rates=[federal, local])
    january.use(customer, 100, day=0)
    january.go(31, hours=2)
    (line,) = january.invoices(subscription.id)[0].lines.data
    told = [(tax.tax_rate_details.tax_rate, tax.amount, tax.taxable_amount) for tax in line.taxes]
    assert told == [(federal, 50, 1000), (local, 100, 1000)]
    assert (line.amount, line.subtotal) == (1000, 1000)


@pytest.mark.parametrize(("rounds", "tax"), [("by_line", 2), ("by_invoice", 1)])
def test_taxes_are_rounded_on_each_line_or_on_the_sum(
    january: Any, shop: Any, customer: str, rounds: str, tax: int
) -> None:
    shop.settings(taxes_round=rounds)
    items = [{"price": january.seats(monthly=5)} for _ in range(2)]
    wanted = {"customer": customer, "items": items, "default_tax_rates": [rate(shop, "10")]}
    invoice = shop.v1.invoices.retrieve(shop.v1.subscriptions.create(wanted).latest_invoice)
    assert invoice.total - invoice.subtotal == tax
    assert sum(part.amount for line in invoice.lines.data for part in line.taxes) == tax


def test_every_cycle_is_taxed_by_the_rates_of_its_time(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls, default_tax_rates=[rate(shop, "10")])
    for day in (1, 32, 60):
        january.go(day)
        january.use(customer, 10, day=day)
        if day == 32:
            shop.v1.subscriptions.update(subscription.id, {"default_tax_rates": [rate(shop, "20")]})
    january.go(91)
    assert [invoice.total for invoice in january.invoices(subscription.id)] == [110, 120, 120]


def test_tax_rates_are_unset_by_an_empty_text(shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls, default_tax_rates=[rate(shop, "10")])
    shop.v1.subscriptions.update(subscription.id, {"metadata": {"a": "b"}})
    assert len(shop.v1.subscriptions.retrieve(subscription.id).default_tax_rates) == 1
    assert shop.v1.subscriptions.update(subscription.id, {"default_tax_rates": ""}).default_tax_rates == []


def test_a_preview_is_taxed_as_its_invoice_will_be(january: Any, shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls, default_tax_rates=[rate(shop, "10")])
    january.use(customer, 10, day=0)
    assert shop.v1.invoices.create_preview({"subscription": subscription.id}).total == 110


def test_what_is_archived_or_unknown_or_too_much_is_refused(shop: Any, customer: str, calls: str) -> None:
    archived = rate(shop, "10", active=False)
    for rates, param in [([archived], "default_tax_rates[0]"), (["txr_none"], "default_tax_rates[0]")]:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            shop.subscription(customer, calls, default_tax_rates=rates)
        assert (refusal.value.param, refusal.value.http_status) == (param, 400)
    with pytest.raises(stripe.InvalidRequestError, match="at most 5 tax rates"):
        shop.subscription(customer, calls, default_tax_rates=[rate(shop, "1") for _ in range(6)])


def test_an_archived_rate_goes_on_where_it_was(january: Any, shop: Any, customer: str, calls: str) -> None:
    vat = rate(shop, "10")
    subscription = shop.subscription(customer, calls, default_tax_rates=[vat])
    shop.v1.tax_rates.update(vat, {"active": False})
    january.use(customer, 10, day=0)
    january.go(32)
    assert january.invoices(subscription.id)[0].total == 110


def test_automatic_tax_collects_nothing_until_its_rate_is_set(january: Any, shop: Any, calls: str) -> None:
    customer = located(shop)
    subscription = shop.subscription(customer, calls, **AUTOMATIC)
    january.use(customer, 10, day=0)
    january.go(32)
    (invoice,) = january.invoices(subscription.id)
    assert (invoice.total, invoice.automatic_tax.enabled, invoice.automatic_tax.status) == (100, True, "complete")
    assert [(tax.amount, tax.taxability_reason) for tax in invoice.total_taxes] == [(0, "not_collecting")]
    assert subscription.automatic_tax.enabled


def test_automatic_tax_comes_on_top_unless_the_price_includes_it(january: Any, shop: Any, calls: str) -> None:
    shop.settings(automatic_tax_percentage="19")
    customer, price = located(shop), january.seats(monthly=1190)
    shop.v1.prices.update(price, {"tax_behavior": "inclusive"})
    items = [{"price": price}, {"price": january.seats(monthly=1000)}]
    made = shop.v1.subscriptions.create({"customer": customer, "items": items} | AUTOMATIC)
    invoice = shop.v1.invoices.retrieve(made.latest_invoice)
    assert amounts(invoice) == (2190, 2000, 2380, 2000, 2380)
    assert taxes(invoice) == [(190, 1000, "inclusive"), (190, 1000, "exclusive")]


@pytest.mark.parametrize("address", [None, {"city": "Berlin"}, {"country": "US"}, {"country": "CA"}])
def test_automatic_tax_is_refused_where_the_customer_is_not_located(
    shop: Any, calls: str, address: dict[str, str] | None
) -> None:
    customer = shop.v1.customers.create({"address": address} if address else {}).id
    with pytest.raises(stripe.InvalidRequestError, match="The customer's location isn't recognized") as refusal:
        shop.subscription(customer, calls, **AUTOMATIC)
    assert (refusal.value.code, refusal.value.http_status) == ("customer_tax_location_invalid", 400)
    assert shop.v1.subscriptions.list({"customer": customer, "status": "all"}).data == []


@pytest.mark.parametrize("place", [{"country": "US", "postal_code": "94103"}, {"country": "CA", "state": "ON"}])
def test_a_postal_code_or_province_locates_a_customer(shop: Any, calls: str, place: dict[str, str]) -> None:
    assert shop.subscription(located(shop, address=place), calls, **AUTOMATIC).automatic_tax.enabled
    sent_there = {"address": {}, "shipping": {"name": "Ada", "address": place}}
    assert shop.subscription(located(shop, **sent_there), calls, **AUTOMATIC).automatic_tax.enabled


def test_automatic_tax_and_tax_rates_together_are_refused(shop: Any, calls: str) -> None:
    customer, rates = located(shop), [rate(shop, "10")]
    with pytest.raises(stripe.InvalidRequestError, match="You cannot set `default_tax_rates` while `automatic_tax`"):
        shop.subscription(customer, calls, default_tax_rates=rates, **AUTOMATIC)
    subscription = shop.subscription(customer, calls, default_tax_rates=rates)
    with pytest.raises(stripe.InvalidRequestError, match="You cannot set `default_tax_rates`"):
        shop.v1.subscriptions.update(subscription.id, AUTOMATIC)
    changed = shop.v1.subscriptions.update(subscription.id, AUTOMATIC | {"default_tax_rates": ""})
    assert changed.automatic_tax.enabled


def test_automatic_tax_is_refused_where_the_account_has_not_set_it_up(shop: Any, calls: str) -> None:
    shop.settings(automatic_tax_is_set_up=False)
    with pytest.raises(stripe.InvalidRequestError, match="You must have a valid head office address"):
        shop.subscription(located(shop), calls, **AUTOMATIC)


def test_a_customer_who_is_not_located_any_more_is_not_taxed(january: Any, shop: Any, calls: str) -> None:
    shop.settings(automatic_tax_percentage="19")
    customer = located(shop)
    subscription = shop.subscription(customer, calls, **AUTOMATIC)
    shop.v1.customers.update(customer, {"address": ""})
    january.use(customer, 10, day=0)
    january.go(32)
    (invoice,) = january.invoices(subscription.id)
    assert (invoice.total, invoice.automatic_tax.status) == (100, "requires_location_inputs")


@pytest.mark.parametrize("percentage", ["19.12345", "a", "-1", True])
def test_what_is_no_percentage_is_refused_as_that_of_automatic_tax(shop: Any, percentage: Any) -> None:
    with pytest.raises(OSError, match="400"):
        shop.settings(automatic_tax_percentage=percentage)


def test_the_percentage_of_automatic_tax_may_be_written_as_a_number(shop: Any) -> None:
    shop.settings(automatic_tax_percentage=7.725)
    told = shop.sandbox.control("GET", f"settings?account={shop.account}")
    assert told["automatic_tax_percentage"] == "7.725"
