"""Webhook endpoints: made, changed, disabled, deleted and listed; what Stripe would refuse is refused."""

import json
from typing import Any

import pytest
import stripe


def endpoint(shop: Any, url: str = "http://127.0.0.1:9/", *kinds: str, **more: Any) -> Any:
    return shop.v1.webhook_endpoints.create({"url": url, "enabled_events": list(kinds) or ["*"], **more})


def test_the_secret_is_told_once(shop: Any) -> None:
    created = endpoint(shop)
    assert created.secret.startswith("whsec_")
    assert "secret" not in shop.v1.webhook_endpoints.retrieve(created.id)
    assert "secret" not in shop.v1.webhook_endpoints.list().data[0]
    assert "secret" not in shop.v1.webhook_endpoints.update(created.id, {"description": "new"})


def test_an_endpoint_without_a_version_follows_the_account(shop: Any) -> None:
    assert endpoint(shop).api_version is None


def test_an_endpoint_is_changed_where_it_is_asked_to_be(shop: Any) -> None:
    made = endpoint(shop, metadata={"a": "1", "b": "2"}, description="old")
    changed = shop.v1.webhook_endpoints.update(
        made.id, {"url": "http://127.0.0.1:10/", "enabled_events": ["invoice.paid"], "metadata": {"a": "", "c": "3"}}
    )
    assert (changed.url, changed.enabled_events, changed.description) == (
        "http://127.0.0.1:10/", ["invoice.paid"], "old",
    )  # fmt: skip
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}


def test_an_empty_metadata_unsets_all_of_it(shop: Any) -> None:
    made = endpoint(shop, metadata={"a": "1"}, description="old")
    changed = shop.v1.webhook_endpoints.update(made.id, {"metadata": "", "description": ""})
    assert (changed.metadata.to_dict(), changed.description) == ({}, None)


def test_a_changed_endpoint_gets_the_events_that_it_wants_from_then_on(shop: Any, receiver: Any) -> None:
    made = endpoint(shop, receiver.url, "customer.created")
    shop.v1.webhook_endpoints.update(made.id, {"enabled_events": ["billing.meter.created"]})
    shop.customer()
    shop.meter()
    assert json.loads(receiver.wait(1)[0][0])["type"] == "billing.meter.created"


def test_a_disabled_endpoint_gets_nothing_until_it_is_enabled_again(shop: Any, receiver: Any) -> None:
    made = endpoint(shop, receiver.url, "customer.created")
    assert shop.v1.webhook_endpoints.update(made.id, {"disabled": True}).status == "disabled"
    shop.customer()
    assert shop.v1.webhook_endpoints.update(made.id, {"disabled": False}).status == "enabled"
    heard = shop.customer()
    assert json.loads(receiver.wait(1)[0][0])["data"]["object"]["id"] == heard


def test_an_event_that_nobody_wanted_is_not_pending(shop: Any) -> None:
    made = endpoint(shop)
    shop.v1.webhook_endpoints.update(made.id, {"disabled": True})
    shop.customer()
    assert shop.v1.events.list().data[0].pending_webhooks == 0


def test_a_deleted_endpoint_hears_nothing_more(shop: Any, receiver: Any) -> None:
    first = endpoint(shop, receiver.url, "customer.created")
    assert shop.v1.webhook_endpoints.delete(first.id).deleted
    endpoint(shop, receiver.url, "billing.meter.created")
    shop.customer()
    shop.meter()
    assert json.loads(receiver.wait(1)[0][0])["type"] == "billing.meter.created"


def test_a_deleted_endpoint_is_found_no_more(shop: Any) -> None:
    made = endpoint(shop)
    shop.v1.webhook_endpoints.delete(made.id)
    for call in (shop.v1.webhook_endpoints.retrieve, shop.v1.webhook_endpoints.delete):
        with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint") as refusal:
            call(made.id)
        assert refusal.value.http_status == 404


def test_endpoints_are_listed_newest_first(shop: Any) -> None:
    made = [endpoint(shop).id for _ in range(3)]
    assert [found.id for found in shop.v1.webhook_endpoints.list({"limit": 2}).auto_paging_iter()] == made[::-1]


def test_an_account_has_at_most_sixteen_endpoints(shop: Any) -> None:
    made = [endpoint(shop) for _ in range(16)]
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        endpoint(shop)
    shop.v1.webhook_endpoints.delete(made[0].id)
    assert endpoint(shop).status == "enabled"


@pytest.mark.parametrize("kind", ["invoice.*", "invoice.payed", "", "v1.billing.meter.no_meter_found", "x" * 4_000])
def test_an_unknown_event_type_is_refused(shop: Any, kind: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        endpoint(shop, "http://127.0.0.1:9/", kind)
    assert refusal.value.param.startswith("enabled_events")


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:9", "ftp://127.0.0.1/", "http://", "http:///hook", "http://[::1", "http://h:99999/",
     "http://a b/", "http://a\nb/", "http://a..b/", "http://" + "x" * 100 + "/", "http://127.0.0.1:0/",
     "http://\u2100/", "javascript:alert(1)", "http://h/" + "x" * 3_000],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(shop: Any, url: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        endpoint(shop, url)
    assert refusal.value.param == "url"
    assert shop.v1.webhook_endpoints.list().data == []


def test_live_mode_refuses_http(live_shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="https"):
        endpoint(live_shop)
    assert endpoint(live_shop, "https://127.0.0.1:9/").livemode


def test_live_mode_may_be_told_to_take_http(live_shop: Any) -> None:
    live_shop.settings(live_webhooks_need_https=False)
    assert endpoint(live_shop).url.startswith("http://")


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"api_version": "yesterday"}, "api_version"),
        ({"connect": True}, "connect"),
        ({"metadata": "text"}, "metadata"),
        ({"enabled_events": []}, "enabled_events"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_what_the_sandbox_does_not_act_on_is_refused(shop: Any, wanted: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"], **wanted})
    assert refusal.value.param == param


def test_a_refused_change_changes_nothing(shop: Any) -> None:
    made = endpoint(shop)
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.webhook_endpoints.update(made.id, {"disabled": True, "url": "nowhere"})
    assert shop.v1.webhook_endpoints.retrieve(made.id).status == "enabled"
