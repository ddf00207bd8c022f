"""Payment methods: made of test tokens, attached to one customer, detached for ever; and whose they must be."""

from typing import Any

import pytest
import stripe


def card(shop: Any, token: str = "tok_visa") -> str:
    return str(shop.v1.payment_methods.create({"type": "card", "card": {"token": token}}).id)


def attached(shop: Any, customer: str, token: str = "tok_visa") -> str:
    return str(shop.v1.payment_methods.attach(card(shop, token), {"customer": customer}).id)


def test_an_attached_card_is_its_customers(shop: Any, customer: str) -> None:
    made = card(shop)
    assert shop.v1.payment_methods.retrieve(made).customer is None
    found = shop.v1.payment_methods.attach(made, {"customer": customer})
    assert (found.id, found.customer, found.card.brand, found.card.last4) == (made, customer, "visa", "4242")
    assert shop.v1.events.list({"type": "payment_method.attached"}).data[0].data.object["id"] == made


def test_a_ready_made_card_is_attached_under_an_id_of_its_own(shop: Any, customer: str) -> None:
    made = shop.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer})
    assert made.id != "pm_card_mastercard"
    assert (made.customer, made.card.last4) == (customer, "4444")


def test_cards_are_listed_by_customer(shop: Any, customer: str) -> None:
    mine = attached(shop, customer)
    attached(shop, shop.customer())
    assert [found.id for found in shop.v1.payment_methods.list({"customer": customer, "type": "card"}).data] == [mine]
    assert [found.id for found in shop.v1.customers.payment_methods.list(customer).data] == [mine]
    assert shop.v1.payment_methods.list({"customer": customer, "type": "sepa_debit"}).data == []


def test_a_card_of_one_customer_is_not_attached_to_another(shop: Any, customer: str) -> None:
    made = attached(shop, customer)
    with pytest.raises(stripe.InvalidRequestError, match="already been attached to a customer"):
        shop.v1.payment_methods.attach(made, {"customer": shop.customer()})
    assert shop.v1.payment_methods.retrieve(made).customer == customer


def test_a_card_may_be_attached_to_its_customer_again(shop: Any, customer: str) -> None:
    made = attached(shop, customer)
    assert shop.v1.payment_methods.attach(made, {"customer": customer}).customer == customer
    shop.settings(payment_method_attached_again="refused")
    with pytest.raises(stripe.InvalidRequestError, match="already been attached to a customer"):
        shop.v1.payment_methods.attach(made, {"customer": customer})


def test_a_detached_card_is_never_attached_again(shop: Any, customer: str) -> None:
    made = attached(shop, customer)
    shop.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": made}})
    assert shop.v1.payment_methods.detach(made).customer is None
    assert shop.v1.customers.retrieve(customer).invoice_settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        shop.v1.payment_methods.attach(made, {"customer": customer})
    with pytest.raises(stripe.InvalidRequestError, match="not attached to a customer"):
        shop.v1.payment_methods.detach(made)


@pytest.mark.parametrize(
    ("token", "code", "decline_code"),
    [
        ("tok_chargeDeclined", "card_declined", "generic_decline"),
        ("tok_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("tok_chargeDeclinedExpiredCard", "expired_card", None),
    ],
)
def test_a_card_that_declines_cannot_be_attached(
    shop: Any, customer: str, token: str, code: str, decline_code: Any
) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        attached(shop, customer, token)
    assert (refusal.value.http_status, refusal.value.code) == (402, code)
    assert refusal.value.json_body["error"].get("decline_code") == decline_code
    assert shop.v1.payment_methods.list({"customer": customer}).data == []


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"type": "card", "card": {"token": "tok_none"}}, "card[token]"),
        ({"type": "card"}, "card"),
        ({"type": "sepa_debit", "sepa_debit": {"iban": "DE89370400440532013000"}}, "type"),
    ],
)
def test_what_is_no_test_card_is_refused(shop: Any, wanted: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.payment_methods.create(wanted)
    assert refusal.value.param == param


def test_the_customers_own_default_must_be_theirs(shop: Any, customer: str) -> None:
    settings = {"invoice_settings": {"default_payment_method": card(shop)}}
    with pytest.raises(stripe.InvalidRequestError, match="The payment method must be attached to the customer") as no:
        shop.v1.customers.update(customer, settings)
    assert (no.value.code, no.value.param) == ("resource_missing", "invoice_settings[default_payment_method]")


@pytest.mark.parametrize("status", [400, 404])
def test_a_subscriptions_payment_method_must_exist(shop: Any, customer: str, calls: str, status: int) -> None:
    shop.settings(missing_reference_status=status)
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod: 'pm_none'") as refusal:
        shop.subscription(customer, calls, default_payment_method="pm_none")
    assert (refusal.value.http_status, refusal.value.param) == (status, "default_payment_method")


def test_a_subscriptions_payment_method_must_be_its_customers(shop: Any, customer: str, calls: str) -> None:
    others = attached(shop, shop.customer())
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.subscription(customer, calls, default_payment_method=others)
    assert (refusal.value.code, refusal.value.param) == ("resource_missing", "default_payment_method")
    made = shop.subscription(customer, calls, default_payment_method=attached(shop, customer))
    with pytest.raises(stripe.InvalidRequestError, match="must be attached to the customer"):
        shop.v1.subscriptions.update(made.id, {"default_payment_method": others})


def test_a_subscriptions_payment_method_can_be_expanded(shop: Any, customer: str, calls: str) -> None:
    mine = attached(shop, customer)
    made = shop.subscription(customer, calls, default_payment_method=mine, expand=["default_payment_method"])
    assert (made.default_payment_method.id, made.default_payment_method.card.last4) == (mine, "4242")


def test_a_cards_metadata_may_change(shop: Any) -> None:
    assert shop.v1.payment_methods.update(card(shop), {"metadata": {"a": "b"}}).metadata["a"] == "b"
