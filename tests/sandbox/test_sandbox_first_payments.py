"""First invoices: setup fees in both billing modes, and each `payment_behavior` where the money does not come."""

from typing import Any

import pytest
import stripe

CLASSIC = {"billing_mode": {"type": "classic"}}


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


@pytest.fixture
def price(shop: Any) -> str:
    return str(shop.price(shop.meter(), unit_amount=10).id)


@pytest.fixture
def broke(shop: Any) -> str:
    """A customer whose card can be attached, and declines when it is charged."""
    customer = shop.customer()
    method = shop.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer}).id
    shop.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
    return str(customer)


def fee(shop: Any, amount: int = 4_900, *, currency: str = "usd", **more: Any) -> Any:
    """The terms of a setup fee."""
    product = shop.v1.products.create({"name": "Setup"}).id
    return {
        "add_invoice_items": [{"price_data": {"currency": currency, "product": product, "unit_amount": amount}} | more]
    }


def test_a_metered_subscription_has_no_first_invoice(january: Any, shop: Any, price: str) -> None:
    assert shop.subscription(shop.customer(), price).latest_invoice is None
    classic = shop.subscription(shop.customer(), price, **CLASSIC)
    assert [(invoice.total, invoice.status) for invoice in january.invoices(classic.id)] == [(0, "paid")]


@pytest.mark.parametrize(("mode", "amounts"), [({}, [4_900]), (CLASSIC, [0, 4_900])])
def test_a_setup_fee_is_invoiced_at_once(january: Any, shop: Any, price: str, mode: Any, amounts: list[int]) -> None:
    made = shop.subscription(shop.customer(), price, **fee(shop), **mode)
    (invoice,) = january.invoices(made.id)
    assert (invoice.id, invoice.status, invoice.billing_reason) == (made.latest_invoice, "paid", "subscription_create")
    assert [line.amount for line in invoice.lines.data] == amounts
    line = invoice.lines.data[-1]
    assert (line.description, line.quantity, line.parent.type) == ("Setup", 1, "invoice_item_details")
    assert line.pricing.price_details.product == shop.v1.products.list().data[0].id


def test_a_setup_fee_is_charged_once(january: Any, shop: Any, price: str) -> None:
    made = shop.subscription(shop.customer(), price, **fee(shop))
    january.go(40)
    assert [invoice.total for invoice in january.invoices(made.id)] == [4_900, 0]


def test_a_setup_fee_is_invoiced_at_once_in_a_trial(january: Any, shop: Any, price: str) -> None:
    made = shop.subscription(shop.customer(), price, trial_period_days=7, **fee(shop))
    assert (made.status, [invoice.total for invoice in january.invoices(made.id)]) == ("trialing", [4_900])


def test_a_setup_fee_that_is_sent_waits_as_a_draft(january: Any, shop: Any, price: str) -> None:
    made = shop.subscription(shop.customer(), price, collection_method="send_invoice", days_until_due=9, **fee(shop))
    (invoice,) = january.invoices(made.id)
    assert (made.status, invoice.status, invoice.total) == ("active", "draft", 4_900)


def test_a_setup_fee_may_be_a_price_and_a_credit(january: Any, shop: Any, price: str) -> None:
    once = shop.v1.prices.create({"currency": "usd", "product_data": {"name": "Box"}, "unit_amount": 700}).id
    terms = fee(shop, -100)
    terms["add_invoice_items"].append({"price": once, "quantity": 3, "metadata": {"of": "us"}})
    (invoice,) = january.invoices(shop.subscription(shop.customer(), price, **terms).id)
    assert [(line.amount, line.description) for line in invoice.lines.data] == [(-100, "Setup"), (2_100, "Box")]


def test_a_coupon_takes_off_of_a_setup_fee_unless_it_is_exempt(january: Any, shop: Any, price: str) -> None:
    half = [{"coupon": shop.v1.coupons.create({"percent_off": 50, "duration": "forever"}).id}]
    made = [
        shop.subscription(shop.customer(), price, discounts=half, **fee(shop, discountable=discountable))
        for discountable in (True, False)
    ]
    assert [january.invoices(one.id)[0].total for one in made] == [2_450, 4_900]


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"price_data": {"currency": "usd", "product": "prod_none", "unit_amount": 5}}, "[price_data][product]"),
        ({"price_data": {"currency": "usd", "product": "setup"}}, "[price_data][unit_amount]"),
        ({"price_data": {"currency": "eur", "product": "setup", "unit_amount": 5}}, "[price_data]"),
        ({"price": "price_none"}, "[price]"),
        ({"quantity": 1}, "[price]"),
        ({"price": "price_none", "price_data": {"currency": "usd", "product": "setup"}}, "[price_data]"),
        ({"price_data": {"currency": "usd", "product": "setup", "unit_amount": 5}, "quantity": -1}, "[quantity]"),
    ],
)
def test_a_setup_fee_that_cannot_be_is_refused(shop: Any, price: str, wanted: Any, param: str) -> None:
    shop.v1.products.create({"id": "setup", "name": "Setup"})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.subscription(shop.customer(), price, add_invoice_items=[wanted])
    assert (refusal.value.http_status, refusal.value.param) == (400, f"add_invoice_items[0]{param}")
    assert (shop.v1.subscriptions.list().data, shop.v1.invoice_items.list().data) == ([], [])


def test_a_recurring_price_is_no_setup_fee(shop: Any, price: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="type=one_time"):
        shop.subscription(shop.customer(), price, add_invoice_items=[{"price": price}])


def test_more_than_twenty_setup_fees_are_refused(shop: Any, price: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="at most 20"):
        shop.subscription(shop.customer(), price, add_invoice_items=fee(shop)["add_invoice_items"] * 21)


def test_a_products_own_id_is_taken_once(shop: Any) -> None:
    shop.v1.products.create({"id": "setup", "name": "Setup"})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.products.create({"id": "setup", "name": "Setup"})
    assert refusal.value.code == "resource_already_exists"


def test_a_first_invoice_that_is_not_paid_leaves_the_subscription_incomplete(shop: Any, price: str, broke: str) -> None:
    made = shop.subscription(broke, price, expand=["latest_invoice"], **fee(shop))
    assert (made.status, made.latest_invoice.status, made.latest_invoice.attempt_count) == ("incomplete", "open", 1)


def test_where_nothing_is_due_nothing_is_incomplete(shop: Any, price: str, broke: str) -> None:
    assert shop.subscription(broke, price, payment_behavior="error_if_incomplete").status == "active"
    assert shop.subscription(broke, price, payment_behavior="default_incomplete", **CLASSIC).status == "active"


def test_what_is_incomplete_expires_after_23_hours(january: Any, shop: Any, price: str, broke: str) -> None:
    made = shop.subscription(broke, price, **fee(shop))
    january.go(0, hours=22)
    assert shop.v1.subscriptions.retrieve(made.id).status == "incomplete"
    january.go(0, hours=24)
    found = shop.v1.subscriptions.retrieve(made.id, {"expand": ["latest_invoice"]})
    assert (found.status, found.latest_invoice.status) == ("incomplete_expired", "void")
    january.go(60)
    assert len(january.invoices(made.id)) == 1
    assert [one.status for one in shop.v1.subscriptions.list({"status": "ended"}).data] == ["incomplete_expired"]


def test_an_expired_subscription_is_told_of(january: Any, shop: Any, price: str, broke: str) -> None:
    shop.subscription(broke, price, **fee(shop))
    january.go(1)
    event = shop.v1.events.list({"type": "customer.subscription.updated"}).data[0]
    assert event.data.object["status"] == "incomplete_expired"
    assert january.told()[-1] == "invoice.voided"


def test_an_incomplete_subscription_is_active_once_it_is_paid(january: Any, shop: Any, price: str, broke: str) -> None:
    made = shop.subscription(broke, price, **fee(shop))
    with pytest.raises(stripe.CardError, match="declined"):
        shop.v1.invoices.pay(made.latest_invoice)
    other = shop.v1.payment_methods.attach("pm_card_visa", {"customer": broke}).id
    assert shop.v1.invoices.pay(made.latest_invoice, {"payment_method": other}).status == "paid"
    january.go(2)
    assert shop.v1.subscriptions.retrieve(made.id).status == "active"


def test_the_subscriptions_own_card_pays_before_the_customers(shop: Any, price: str, broke: str) -> None:
    good = shop.v1.payment_methods.attach("pm_card_visa", {"customer": broke}).id
    assert shop.subscription(broke, price, default_payment_method=good, **fee(shop)).status == "active"


def test_error_if_incomplete_begins_nothing(shop: Any, price: str, broke: str) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        shop.subscription(broke, price, payment_behavior="error_if_incomplete", **fee(shop))
    assert (refusal.value.http_status, refusal.value.code) == (402, "card_declined")
    assert refusal.value.json_body["error"]["decline_code"] == "generic_decline"
    left = shop.v1.subscriptions.list({"status": "all"}), shop.v1.invoices.list(), shop.v1.invoice_items.list()
    assert [found.data for found in left] == [[], [], []]


def test_a_402_is_kept_under_its_key(shop: Any, price: str, broke: str) -> None:
    terms = {"customer": broke, "items": [{"price": price}], "payment_behavior": "error_if_incomplete"} | fee(shop)
    with pytest.raises(stripe.CardError):
        shop.v1.subscriptions.create(terms, {"idempotency_key": "row-1"})
    good = shop.v1.payment_methods.attach("pm_card_visa", {"customer": broke}).id
    shop.v1.customers.update(broke, {"invoice_settings": {"default_payment_method": good}})
    with pytest.raises(stripe.CardError) as again:
        shop.v1.subscriptions.create(terms, {"idempotency_key": "row-1"})
    assert again.value.headers["Idempotent-Replayed"] == "true"
    assert shop.v1.subscriptions.create(terms, {"idempotency_key": "row-2"}).status == "active"


def test_default_incomplete_waits_to_be_paid(shop: Any, price: str) -> None:
    terms = fee(shop) | {"payment_behavior": "default_incomplete", "expand": ["latest_invoice"]}
    made = shop.subscription(shop.customer(), price, **terms)
    assert (made.status, made.latest_invoice.status, made.latest_invoice.attempt_count) == ("incomplete", "open", 0)
    shop.v1.invoices.pay(made.latest_invoice.id)
    assert shop.v1.subscriptions.retrieve(made.id).status == "active"


def test_pending_if_incomplete_is_for_updates(shop: Any, price: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="only used with updates"):
        shop.subscription(shop.customer(), price, payment_behavior="pending_if_incomplete")


def test_what_is_sent_is_active_whoever_pays(shop: Any, price: str, broke: str) -> None:
    terms = {"collection_method": "send_invoice", "days_until_due": 9, "payment_behavior": "error_if_incomplete"}
    assert shop.subscription(broke, price, **terms, **fee(shop)).status == "active"


def test_nothing_to_pay_with_is_refused_where_payments_go_by_method(shop: Any, price: str) -> None:
    shop.settings(payments="by_method")
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source") as refusal:
        shop.subscription(shop.customer(), price, **fee(shop))
    assert (refusal.value.http_status, refusal.value.code) == (400, "resource_missing")
    assert shop.subscription(shop.customer(), price).status == "active"
    left_to_pay = fee(shop) | {"payment_behavior": "default_incomplete"}
    assert shop.subscription(shop.customer(), price, **left_to_pay).status == "incomplete"


def test_a_customer_without_a_card_cannot_pay_by_method(shop: Any, price: str) -> None:
    shop.settings(payments="by_method")
    made = shop.subscription(shop.customer(), price, payment_behavior="default_incomplete", **fee(shop))
    with pytest.raises(stripe.InvalidRequestError, match="no `default_payment_method`"):
        shop.v1.invoices.pay(made.latest_invoice)


def test_a_card_of_the_customer_is_something_to_pay_with_after_a_trial(january: Any, shop: Any, price: str) -> None:
    customer = shop.customer()
    method = shop.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    shop.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
    ends = {"trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}}, "trial_period_days": 3}
    made = shop.subscription(customer, price, **ends)
    january.go(5)
    assert shop.v1.subscriptions.retrieve(made.id).status == "active"
