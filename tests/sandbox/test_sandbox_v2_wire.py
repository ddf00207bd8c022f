"""The second wire format: JSON bodies, a version in every call, errors with codes, pages by address."""

from typing import Any

import pytest
import requests
import stripe

from sandbox.http.form import form_of_tree, tree_of_form
from sandbox.http.wire_v2 import document_of, tree_of_document

VERSION = {"Stripe-Version": "2026-10-28.endive"}
EVENTS = "/v2/billing/meter_events"


def called(shop: Any, path: str, *, method: str = "POST", **more: Any) -> requests.Response:
    return requests.request(method, shop.sandbox.url + path, auth=(shop.key, ""), timeout=10, **more)


@pytest.fixture
def customer(shop: Any) -> str:
    shop.meter()
    return str(shop.customer())


@pytest.fixture
def sent(customer: str) -> dict[str, Any]:
    return {"event_name": "calls", "payload": {"stripe_customer_id": customer, "value": "3"}}


@pytest.fixture
def destinations(shop: Any) -> list[str]:
    """The ids of five event destinations, newest first."""
    made = [
        shop.client.v2.core.event_destinations.create(
            {
                "name": f"number {number}",
                "type": "webhook_endpoint",
                "event_payload": "thin",
                "enabled_events": ["v1.billing.meter.no_meter_found"],
                "webhook_endpoint": {"url": "https://example.com/hook"},
            }
        ).id
        for number in range(5)
    ]
    return made[::-1]


def test_json_reads_as_the_tree_that_a_form_gives() -> None:
    document = document_of('{"a": {"b": [true, null, 1.50, 7, {"c": "d"}]}}')
    form = tree_of_form("a[b][0]=true&a[b][1]=&a[b][2]=1.50&a[b][3]=7&a[b][4][c]=d")
    assert tree_of_document(document) == form


def test_members_of_an_unnumbered_list_are_told_apart_by_a_name_that_comes_again() -> None:
    tree = tree_of_form("items[][price]=a&items[][quantity]=1&items[][price]=b&expand[]=x&expand[]=y")
    assert tree["items"] == {"0": {"price": "a", "quantity": "1"}, "1": {"price": "b"}}
    assert tree["expand"] == {"0": "x", "1": "y"}


def test_a_tree_and_its_form_are_the_same() -> None:
    tree = tree_of_form("types[0]=a.b&types[1]=c&created[gte]=2026-01-01T00%3A00%3A00Z")
    assert tree_of_form(form_of_tree(tree)) == tree


def test_a_call_of_v2_without_a_version_is_refused(shop: Any, sent: Any) -> None:
    answer = called(shop, EVENTS, json=sent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "missing_api_version")
    assert called(shop, EVENTS, json=sent, headers=VERSION).status_code == 200


@pytest.mark.parametrize("path", ["/v1/account", "/v2/core/events"])
@pytest.mark.parametrize("version", ["2099-01-01", "latest", "2025-09-30.clover"])
def test_another_version_is_refused_by_name(shop: Any, path: str, version: str) -> None:
    answer = called(shop, path, method="GET", headers={"Stripe-Version": version})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"Invalid Stripe API version: {version}.")


def test_another_version_may_be_answered(shop: Any) -> None:
    shop.settings(other_versions_are_answered=True)
    answer = called(shop, "/v1/account", method="GET", headers={"Stripe-Version": "2025-09-30.clover"})
    assert (answer.status_code, answer.headers["Stripe-Version"]) == (200, "2025-09-30.clover")


@pytest.mark.parametrize("header", ["Stripe-Account", "Stripe-Context"])
def test_a_key_acts_for_no_other_account(shop: Any, header: str) -> None:
    own = called(shop, "/v1/account", method="GET", headers={header: shop.account})
    other = called(shop, "/v1/account", method="GET", headers={header: "acct_other"})
    assert (own.status_code, other.status_code) == (200, 403)
    assert other.json()["error"]["code"] == "account_invalid"


def test_a_refusal_without_a_code_of_its_own_has_one_in_v2(shop: Any) -> None:
    answer = called(shop, "/v2/nowhere", headers=VERSION)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "doc_url" not in answer.json()["error"]


def test_the_limiter_of_v2_has_a_type_of_its_own(shop: Any, sent: Any) -> None:
    shop.fault("rate_limited", times=1)
    with pytest.raises(stripe.RateLimitError) as refusal:
        shop.client.v2.billing.meter_events.create(sent)
    assert (refusal.value.code, refusal.value.error.type) == ("rate_limit", "rate_limit")


def test_pages_of_v2_lead_to_each_other(shop: Any, destinations: list[str]) -> None:
    first = shop.client.v2.core.event_destinations.list({"limit": 2})
    assert [each.id for each in first.auto_paging_iter()] == destinations
    assert first.previous_page_url is None
    second = called(shop, first.next_page_url, method="GET", headers=VERSION).json()
    assert [each["id"] for each in second["data"]] == destinations[2:4]
    back = called(shop, second["previous_page_url"], method="GET", headers=VERSION).json()
    assert [each["id"] for each in back["data"]] == destinations[:2]


@pytest.mark.parametrize("token", ["x", "YWZ0ZXI6ZWRfbm9uZQ==", "AAAA", "%F0%9F%92%A9"])
def test_a_page_that_is_none_is_refused(shop: Any, destinations: list[str], token: str) -> None:
    answer = called(shop, f"/v2/core/event_destinations?page={token}", method="GET", headers=VERSION)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
