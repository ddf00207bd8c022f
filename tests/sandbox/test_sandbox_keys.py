"""API keys: what a key opens, and how a wrong one is refused."""

from typing import Any

import pytest
import requests
import stripe


def test_a_call_without_a_key_is_told_so(shared_sandbox: Any) -> None:
    answer = requests.get(f"{shared_sandbox.url}/v1/account", timeout=10)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("You did not provide an API key.")


def test_a_wrong_key_is_refused_with_its_middle_hidden(shop: Any) -> None:
    with pytest.raises(stripe.AuthenticationError, match=r"Invalid API Key provided: sk_test_\*+rong$"):
        shop.client_of("sk_test_quite_wrong").v1.accounts.retrieve_current()


def test_a_revoked_key_is_refused_as_expired(shop: Any) -> None:
    shop.sandbox.control("DELETE", "keys", key=shop.key)
    with pytest.raises(stripe.AuthenticationError, match="Expired API Key") as refusal:
        shop.customer()
    assert refusal.value.error.code == "api_key_expired"


def test_a_key_may_come_as_the_user_name_of_basic_authentication(shop: Any) -> None:
    answer = requests.get(f"{shop.sandbox.url}/v1/account", auth=(shop.key, ""), timeout=10)
    assert answer.json()["id"] == shop.account


def test_the_account_of_a_key_is_told(shop: Any) -> None:
    assert shop.v1.accounts.retrieve_current().id == shop.account


def test_the_default_key_opens_the_sandboxs_account(shop: Any) -> None:
    assert shop.client_of("sk_test_sandbox").v1.accounts.retrieve_current().id == "acct_sandbox"


def test_the_books_of_one_account_are_closed_to_another(shop: Any, live_shop: Any) -> None:
    customer = shop.customer()
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        live_shop.v1.customers.retrieve(customer)
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_test_mode_and_live_mode_are_different_books(shop: Any) -> None:
    shop.sandbox.control("POST", "keys", key=f"{shop.key}_live", account=shop.account, livemode=True)
    customer = shop.customer()
    with pytest.raises(stripe.InvalidRequestError):
        shop.client_of(f"{shop.key}_live").v1.customers.retrieve(customer)


def test_objects_say_the_mode_of_their_key(live_shop: Any) -> None:
    assert live_shop.v1.customers.create().livemode is True


def test_an_unknown_url_is_not_recognized(shop: Any) -> None:
    answer = requests.get(f"{shop.sandbox.url}/v1/wishes", auth=(shop.key, ""), timeout=10)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/wishes)")


def test_a_body_that_is_no_text_is_refused(shop: Any) -> None:
    url = f"{shop.sandbox.url}/v1/customers"
    answer = requests.post(url, data=b"name=\xff\xfe", auth=(shop.key, ""), timeout=10)
    assert answer.status_code == 400


def test_request_id_key_and_version_come_back_as_headers(shop: Any) -> None:
    customer = shop.v1.customers.create({}, {"idempotency_key": "once"})
    headers = customer.last_response.headers
    assert headers["Request-Id"].startswith("req_")
    assert headers["Idempotency-Key"] == "once"
    assert headers["Stripe-Version"] == "2026-10-28.endive"
