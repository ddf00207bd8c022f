"""Customers, products and prices: changed, searched and deleted; metadata, lookup keys and currencies."""

from decimal import Decimal
from typing import Any

import pytest
import stripe

METERED = {"interval": "month", "usage_type": "metered"}
FULL = {f"key{number}": "v" for number in range(50)}


def one_time(shop: Any, **more: Any) -> Any:
    wanted = {"currency": "usd", "unit_amount": 1, "product_data": {"name": "Calls"}}
    return shop.v1.prices.create(wanted | more)


def ids(page: Any) -> list[str]:
    return [row.id for row in page.data]


def test_a_customer_is_changed_where_the_call_says_so(shop: Any) -> None:
    made = shop.v1.customers.create({"name": "Ada", "email": "ada@example.com", "address": {"city": "Bonn"}})
    changed = shop.v1.customers.update(made.id, {"email": "countess@example.com", "shipping": ""})
    assert (changed.name, changed.email, changed.address.city) == ("Ada", "countess@example.com", "Bonn")


def test_a_deleted_customer_is_told_to_be_deleted(shop: Any) -> None:
    customer = shop.customer()
    gone = shop.v1.customers.delete(customer)
    assert gone.to_dict() == {"id": customer, "object": "customer", "deleted": True}
    assert shop.v1.customers.retrieve(customer).to_dict() == gone.to_dict()
    assert shop.v1.customers.list().data == []


@pytest.mark.parametrize("method", ["update", "delete"])
def test_a_deleted_customer_cannot_be_changed(shop: Any, method: str) -> None:
    customer = shop.customer()
    shop.v1.customers.delete(customer)
    with pytest.raises(stripe.InvalidRequestError, match=f"No such customer: '{customer}'") as refusal:
        getattr(shop.v1.customers, method)(customer)
    assert refusal.value.http_status == 404


def test_usage_of_a_deleted_customer_is_refused(shop: Any) -> None:
    customer = shop.customer()
    shop.meter()
    shop.v1.customers.delete(customer)
    assert f"No such customer: '{customer}'" in str(shop.refused(customer))


def test_subscriptions_of_a_deleted_customer_end_at_once(shop: Any) -> None:
    subscription = shop.subscription(shop.customer(), shop.price(shop.meter()).id)
    shop.v1.customers.delete(subscription.customer)
    found = shop.v1.subscriptions.retrieve(subscription.id)
    assert (found.status, found.latest_invoice) == ("canceled", None)
    assert [event.type for event in shop.v1.events.list({"limit": 2}).data] == [
        "customer.deleted",
        "customer.subscription.deleted",
    ]


def test_a_deleted_customer_gets_no_invoice_when_the_period_ends(own_shop: Any) -> None:
    subscription = own_shop.subscription(own_shop.customer(), own_shop.price(own_shop.meter()).id)
    own_shop.v1.customers.delete(subscription.customer)
    own_shop.sandbox.control("POST", "clock", advance=40 * 86_400)
    assert own_shop.v1.invoices.list().data == []


def test_an_email_address_has_an_at(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.customers.create({"email": "ada"})
    assert (refusal.value.code, refusal.value.param) == ("email_invalid", "email")


def test_empty_metadata_unsets_a_key_and_the_rest_is_merged(shop: Any) -> None:
    made = shop.v1.customers.create({"metadata": {"a": "1", "b": "2", "c": "3"}})
    changed = shop.v1.customers.update(made.id, {"metadata": {"a": "", "b": "4", "d": "5"}})
    assert changed.metadata.to_dict() == {"b": "4", "c": "3", "d": "5"}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"k" * 41: "v"}, "Metadata keys can have up to 40 characters, but you passed in a key that is 41 characters."),
        ({"k": "v" * 501}, "Metadata values can have up to 500 characters, but you passed in a value that is 501"),
        (FULL | {"more": "v"}, "Metadata can have up to 50 keys, but you passed in 51."),
        ("text", "Invalid object"),
        ({"k": {"l": "m"}}, "Invalid string"),
    ],
)
def test_metadata_beyond_its_limits_is_refused(shop: Any, metadata: Any, message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.products.create({"name": "Calls", "metadata": metadata})
    assert message in str(refusal.value)
    assert refusal.value.param.startswith("metadata")


def test_fifty_keys_are_kept_and_one_more_is_refused_later_too(shop: Any) -> None:
    made = shop.v1.customers.create({"metadata": FULL})
    with pytest.raises(stripe.InvalidRequestError, match="up to 50 keys"):
        shop.v1.customers.update(made.id, {"metadata": {"more": "v"}})
    assert shop.v1.customers.retrieve(made.id).metadata.to_dict() == FULL


def test_a_product_is_changed_and_found_by_its_id(shop: Any) -> None:
    made = shop.v1.products.create({"id": "calls", "name": "Calls"})
    shop.v1.products.create({"name": "Another"})
    shop.v1.products.update(made.id, {"name": "All calls", "unit_label": "call", "active": False})
    (found,) = shop.v1.products.list({"ids": ["calls"]}).data
    assert (found.id, found.name, found.unit_label, found.active) == ("calls", "All calls", "call", False)


def test_a_product_id_is_taken_once(shop: Any) -> None:
    shop.v1.products.create({"id": "calls", "name": "Calls"})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.products.create({"id": "calls", "name": "Calls"})
    assert refusal.value.code == "resource_already_exists"


def test_a_product_without_prices_can_be_deleted(shop: Any) -> None:
    made = shop.v1.products.create({"name": "Calls"})
    assert shop.v1.products.delete(made.id).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such product"):
        shop.v1.products.retrieve(made.id)


def test_a_product_with_a_price_cannot_be_deleted(shop: Any) -> None:
    price = one_time(shop)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be deleted"):
        shop.v1.products.delete(price.product)


def test_a_price_changes_all_but_what_it_costs(shop: Any) -> None:
    price = one_time(shop)
    changed = shop.v1.prices.update(
        price.id, {"active": False, "nickname": "Old", "lookup_key": "old", "tax_behavior": "exclusive"}
    )
    assert (changed.active, changed.nickname, changed.lookup_key) == (False, "Old", "old")
    assert changed.tax_behavior == "exclusive"
    with pytest.raises(stripe.InvalidRequestError, match="unit_amount"):
        shop.v1.prices.update(price.id, {"unit_amount": 2})


def test_a_tax_behavior_is_chosen_once(shop: Any) -> None:
    price = one_time(shop, tax_behavior="inclusive")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.prices.update(price.id, {"tax_behavior": "exclusive"})
    assert refusal.value.param == "tax_behavior"


def test_a_lookup_key_belongs_to_one_price_until_it_is_transferred(shop: Any) -> None:
    first = one_time(shop, lookup_key="standard")
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        one_time(shop, lookup_key="standard")
    second = one_time(shop, lookup_key="standard", transfer_lookup_key=True)
    assert ids(shop.v1.prices.list({"lookup_keys": ["standard"]})) == [second.id]
    assert shop.v1.prices.retrieve(first.id).lookup_key is None


@pytest.mark.parametrize(
    "wanted",
    [
        {"currency": "eur"},
        {"type": "one_time"},
        {"active": False},
        {"lookup_keys": ["wanted"]},
    ],
)
def test_prices_are_listed_by_what_they_are(shop: Any, wanted: Any) -> None:
    found = one_time(shop, currency="eur", lookup_key="wanted", active=False)
    shop.price(shop.meter())
    assert ids(shop.v1.prices.list(wanted)) == [found.id]


@pytest.mark.parametrize("recurring", [{"usage_type": "metered"}, {"interval": "week"}, {"meter": ""}])
def test_prices_are_listed_by_how_they_recur(shop: Any, recurring: Any) -> None:
    meter = shop.meter()
    weekly = {"interval": "week", "usage_type": "metered", "meter": meter}
    found = one_time(shop, recurring=weekly)
    one_time(shop, recurring={"interval": "month"})
    wanted = {name: value or meter for name, value in recurring.items()}
    assert ids(shop.v1.prices.list({"recurring": wanted})) == [found.id]


@pytest.mark.parametrize("currency", ["xxx", "us", "dollar", "u$d", "x" * 500])
def test_an_unknown_currency_is_refused(shop: Any, currency: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Stripe currently supports these currencies: usd") as refusal:
        one_time(shop, currency=currency)
    assert refusal.value.param == "currency"


def test_a_currency_is_told_in_lower_case_and_needs_no_cents(shop: Any) -> None:
    price = one_time(shop, currency="JPY", unit_amount=500)
    assert (price.currency, price.unit_amount, price.unit_amount_decimal) == ("jpy", 500, Decimal(500))


@pytest.mark.parametrize("wanted", [{"unit_amount": -1}, {"unit_amount": "", "unit_amount_decimal": "-0.5"}])
def test_a_price_is_never_negative(shop: Any, wanted: Any) -> None:
    amounts = {name: value for name, value in wanted.items() if value != ""}
    with pytest.raises(stripe.InvalidRequestError, match="greater than or equal to 0"):
        shop.v1.prices.create({"currency": "usd", "product_data": {"name": "Calls"}} | amounts)


@pytest.mark.parametrize("status", [400, 404])
def test_the_status_of_a_missing_reference_is_a_switch(shop: Any, status: int) -> None:
    shop.settings(missing_reference_status=status)
    with pytest.raises(stripe.InvalidRequestError, match="No such product: 'prod_none'") as refusal:
        shop.v1.prices.create({"currency": "usd", "unit_amount": 1, "product": "prod_none"})
    assert (refusal.value.http_status, refusal.value.code) == (status, "resource_missing")


def test_a_missing_id_of_the_path_is_not_found_whatever_the_switch_says(shop: Any) -> None:
    shop.settings(missing_reference_status=400)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.prices.retrieve("price_none")
    assert (refusal.value.http_status, refusal.value.param) == (404, "id")


def test_ones_own_account_is_found_by_its_id_and_no_other(shop: Any) -> None:
    assert shop.v1.accounts.retrieve(shop.account).id == shop.v1.accounts.retrieve_current().id
    with pytest.raises(stripe.PermissionError) as refusal:
        shop.v1.accounts.retrieve("acct_of_another")
    assert refusal.value.error.code == "account_invalid"
