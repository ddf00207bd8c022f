"""Tax ids: customers' and the account's own; created, found, listed, deleted, refused."""

from typing import Any

import pytest
import stripe

EIN = {"type": "us_ein", "value": "12-3456789"}
VAT = {"type": "eu_vat", "value": "DE123456789"}


def test_a_customers_tax_id_is_found_below_the_customer_and_by_itself(shop: Any, customer: str) -> None:
    made = shop.v1.customers.tax_ids.create(customer, VAT)
    below, alone = shop.v1.customers.tax_ids.retrieve(customer, made.id), shop.v1.tax_ids.retrieve(made.id)
    assert (below.to_dict(), alone.to_dict()) == (made.to_dict(), made.to_dict())
    assert (made.type, made.value, made.country, made.customer) == ("eu_vat", "DE123456789", "DE", customer)
    assert (made.owner.type, made.verification.status) == ("customer", "pending")


def test_a_customers_tax_ids_are_listed_apart_from_others_newest_first(shop: Any, customer: str) -> None:
    made = [shop.v1.customers.tax_ids.create(customer, wanted).id for wanted in (EIN, VAT)]
    shop.v1.customers.tax_ids.create(shop.customer(), EIN)
    shop.v1.tax_ids.create(EIN)
    owned = shop.v1.tax_ids.list({"owner": {"type": "customer", "customer": customer}})
    assert [found.id for found in shop.v1.customers.tax_ids.list(customer).data] == made[::-1]
    assert [found.id for found in owned.data] == made[::-1]


def test_the_accounts_own_tax_ids_are_listed_where_no_owner_is_told(shop: Any, customer: str) -> None:
    shop.v1.customers.tax_ids.create(customer, EIN)
    own = shop.v1.tax_ids.create(EIN)
    assert (own.customer, own.owner.type, own.verification) == (None, "self", None)
    assert [found.id for found in shop.v1.tax_ids.list().data] == [own.id]


def test_a_customers_tax_id_can_be_made_with_the_customer_as_its_owner(shop: Any, customer: str) -> None:
    shop.v1.tax_ids.create(EIN | {"owner": {"type": "customer", "customer": customer}})
    assert [found.value for found in shop.v1.customers.tax_ids.list(customer).data] == ["12-3456789"]


def test_the_customer_of_a_tax_id_can_be_expanded(shop: Any, customer: str) -> None:
    made = shop.v1.customers.tax_ids.create(customer, EIN | {"expand": ["customer"]})
    assert made.customer.id == customer


@pytest.mark.parametrize("wanted", [("eu_vat", "123"), ("us_ein", "1-2"), ("gb_vat", "DE1"), ("ch_vat", "?")])
def test_a_value_that_cannot_be_of_its_type_is_refused(shop: Any, customer: str, wanted: tuple[str, str]) -> None:
    kind, value = wanted
    with pytest.raises(stripe.InvalidRequestError, match=f"Invalid value for {kind}") as refusal:
        shop.v1.customers.tax_ids.create(customer, {"type": kind, "value": value})
    assert (refusal.value.code, refusal.value.param, refusal.value.http_status) == ("tax_id_invalid", "value", 400)


def test_a_type_that_stripe_does_not_know_is_refused(shop: Any, customer: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid type: must be one of ad_nrt,"):
        shop.v1.customers.tax_ids.create(customer, {"type": "unknown", "value": "1"})


def test_the_same_tax_id_twice_is_refused(shop: Any, customer: str) -> None:
    shop.v1.customers.tax_ids.create(customer, EIN)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.customers.tax_ids.create(customer, EIN)
    assert refusal.value.code == "resource_already_exists"
    assert shop.v1.customers.tax_ids.create(shop.customer(), EIN).value == EIN["value"]


def test_the_same_tax_id_twice_may_be_two(shop: Any, customer: str) -> None:
    shop.settings(duplicate_tax_ids_are_refused=False)
    made = [shop.v1.customers.tax_ids.create(customer, EIN).id for _ in range(2)]
    assert [found.id for found in shop.v1.customers.tax_ids.list(customer).data] == made[::-1]


def test_a_tax_id_whose_answer_was_lost_is_made_once_under_its_key(shop: Any, customer: str) -> None:
    shop.fault("reply_lost", path=f"/v1/customers/{customer}/tax_ids", times=1)
    with pytest.raises(stripe.APIConnectionError):
        shop.v1.customers.tax_ids.create(customer, EIN, {"idempotency_key": "row-1"})
    made = shop.v1.customers.tax_ids.create(customer, EIN, {"idempotency_key": "row-1"})
    assert [found.id for found in shop.v1.customers.tax_ids.list(customer).data] == [made.id]


def test_a_deleted_tax_id_is_found_no_more(shop: Any, customer: str) -> None:
    made = shop.v1.customers.tax_ids.create(customer, EIN)
    assert shop.v1.customers.tax_ids.delete(customer, made.id).deleted
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.tax_ids.retrieve(made.id)
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_a_tax_id_is_not_found_below_another_customer(shop: Any, customer: str) -> None:
    made = shop.v1.customers.tax_ids.create(customer, EIN)
    for call in (shop.v1.customers.tax_ids.retrieve, shop.v1.customers.tax_ids.delete):
        with pytest.raises(stripe.InvalidRequestError, match=f"No such tax_id: '{made.id}'"):
            call(shop.customer(), made.id)


def test_a_tax_id_needs_a_customer_that_exists(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer") as refusal:
        shop.v1.customers.tax_ids.create("cus_none", EIN)
    assert refusal.value.http_status == 404
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: owner"):
        shop.v1.tax_ids.create(EIN | {"owner": {"type": "customer"}})


def test_a_customers_tax_id_is_told_of_and_the_accounts_own_is_not(shop: Any, customer: str) -> None:
    made = shop.v1.customers.tax_ids.create(customer, EIN)
    shop.v1.tax_ids.delete(made.id)
    shop.v1.tax_ids.create(EIN)
    told = shop.v1.events.list({"type": "customer.tax_id.*"}).data
    assert [(event.type, event.data.object.id) for event in told] == [
        ("customer.tax_id.deleted", made.id),
        ("customer.tax_id.created", made.id),
    ]
