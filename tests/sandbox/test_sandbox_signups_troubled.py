"""Subscriptions that are hard to make for sure: lists that lag, answers that are lost, 500s that are kept, 429s."""

from typing import Any

import pytest
import stripe

PATH = "/v1/subscriptions"


def create(shop: Any, customer: str, price: str) -> Any:
    terms = {"customer": customer, "items": [{"price": price}], "metadata": {"row": "1"}}
    return shop.v1.subscriptions.create(terms, {"idempotency_key": "row-1"})


def listed(shop: Any, customer: str) -> list[str]:
    return [found.id for found in shop.v1.subscriptions.list({"customer": customer, "status": "all"}).data]


def test_a_list_may_lag_behind_what_is_there(january: Any) -> None:
    shop = january.shop
    shop.settings(subscription_list_lag_s=3_600)
    customer = shop.customer()
    made = create(shop, customer, shop.price(shop.meter()).id)
    assert listed(shop, customer) == []
    assert shop.v1.subscriptions.retrieve(made.id).id == made.id
    january.go(0, hours=1)
    assert listed(shop, customer) == [made.id]


def test_a_lost_answer_is_replayed_under_its_key(shop: Any, customer: str, calls: str) -> None:
    shop.fault("reply_lost", method="POST", path=PATH, times=1)
    with pytest.raises(stripe.APIConnectionError):
        create(shop, customer, calls)
    made = create(shop, customer, calls)
    assert made.last_response.headers["Idempotent-Replayed"] == "true"
    assert listed(shop, customer) == [made.id]


@pytest.mark.parametrize(("kind", "found"), [("error_kept", 0), ("error_after", 1)])
def test_a_kept_500_is_replayed_whether_applied_or_not(
    shop: Any, customer: str, calls: str, kind: str, found: int
) -> None:
    shop.fault(kind, method="POST", path=PATH, times=1)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            create(shop, customer, calls)
    assert len(listed(shop, customer)) == found


@pytest.mark.parametrize("kind", ["rate_limited", "lock_timeout", "error_before", "connection_reset"])
def test_what_comes_before_execution_leaves_the_key_free(shop: Any, customer: str, calls: str, kind: str) -> None:
    shop.fault(kind, method="POST", path=PATH, times=1)
    with pytest.raises(stripe.StripeError):
        create(shop, customer, calls)
    assert listed(shop, customer) == []
    made = create(shop, customer, calls)
    assert listed(shop, customer) == [made.id]


@pytest.mark.parametrize("path", ["/v1/payment_methods/*/attach", "/v1/products", "/v1/coupons"])
def test_a_fault_of_one_endpoint_spares_the_others(shop: Any, customer: str, calls: str, path: str) -> None:
    shop.fault("rate_limited", method="POST", path=path)
    assert create(shop, customer, calls).status == "active"
    with pytest.raises(stripe.RateLimitError):
        shop.client.raw_request("post", path.replace("*", "pm_card_visa"))
