"""Webhooks: signed, delivered to those who want them, repeated until acknowledged."""

import json
from typing import Any

import stripe


def endpoint(shop: Any, url: str, *kinds: str) -> Any:
    return shop.v1.webhook_endpoints.create({"url": url, "enabled_events": list(kinds)})


def test_a_delivery_is_signed_so_that_the_sdk_accepts_it(shop: Any, receiver: Any) -> None:
    secret = endpoint(shop, receiver.url, "customer.created").secret
    customer = shop.customer()
    body, signature = receiver.wait(1)[0]
    event = shop.client.construct_event(body, signature, secret)
    assert (event.type, event.data.object.id) == ("customer.created", customer)
    assert (event.api_version, event.request.id[:4]) == ("2026-10-28.endive", "req_")


def test_the_secret_is_told_once(shop: Any, receiver: Any) -> None:
    created = endpoint(shop, receiver.url, "*")
    assert created.secret.startswith("whsec_")
    assert "secret" not in shop.v1.webhook_endpoints.retrieve(created.id)
    assert "secret" not in shop.v1.webhook_endpoints.list().data[0]


def test_only_wanted_events_are_delivered(shop: Any, receiver: Any) -> None:
    endpoint(shop, receiver.url, "billing.meter.created")
    shop.customer()
    shop.meter()
    assert json.loads(receiver.wait(1)[0][0])["type"] == "billing.meter.created"


def test_a_star_wants_every_event(shop: Any, receiver: Any) -> None:
    endpoint(shop, receiver.url, "*")
    customer = shop.customer()
    shop.v1.subscriptions.cancel(shop.subscription(customer, shop.price(shop.meter()).id).id)
    kinds = {json.loads(body)["type"] for body, _ in receiver.wait(6)}
    assert kinds == {
        "customer.created", "billing.meter.created", "product.created", "price.created",
        "customer.subscription.created", "customer.subscription.deleted",
    }  # fmt: skip


def test_a_failed_delivery_is_repeated_until_it_is_acknowledged(shop: Any, receiver: Any) -> None:
    shop.settings(webhook_backoff_s=0.01)
    endpoint(shop, receiver.url, "customer.created")
    receiver.answers = [500, 301, 404]
    shop.customer()
    bodies = {json.loads(body)["id"] for body, _ in receiver.wait(4)}
    assert len(bodies) == 1


def test_repeats_of_a_delivery_are_each_signed(shop: Any, receiver: Any) -> None:
    shop.settings(webhook_backoff_s=0.01)
    secret = endpoint(shop, receiver.url, "customer.created").secret
    receiver.answers = [500]
    shop.customer()
    for body, signature in receiver.wait(2):
        assert stripe.WebhookSignature.verify_header(body.decode(), signature, secret, 300)


def test_a_deleted_endpoint_hears_nothing_more(shop: Any, receiver: Any) -> None:
    first = endpoint(shop, receiver.url, "customer.created")
    assert shop.v1.webhook_endpoints.delete(first.id).deleted
    endpoint(shop, receiver.url, "billing.meter.created")
    shop.customer()
    shop.meter()
    assert json.loads(receiver.wait(1)[0][0])["type"] == "billing.meter.created"


def test_any_event_can_be_made_to_happen(shop: Any, receiver: Any) -> None:
    endpoint(shop, receiver.url, "invoice.*")
    made = shop.sandbox.control(
        "POST", "events", account=shop.account, type="invoice.paid", object={"id": "in_1", "object": "invoice"}
    )
    event = json.loads(receiver.wait(1)[0][0])
    assert (event["id"], event["data"]["object"]["id"]) == (made["id"], "in_1")


def test_an_event_can_be_delivered_many_times_at_once(shop: Any, receiver: Any) -> None:
    endpoint(shop, receiver.url, "customer.created")
    shop.customer()
    receiver.wait(1)
    event = shop.v1.events.list({"type": "customer.created"}).data[0]
    assert shop.sandbox.control("POST", "deliver", event=event.id, times=5) == {"statuses": [200] * 5}
    assert len({json.loads(body)["id"] for body, _ in receiver.wait(6)}) == 1


def test_the_attempts_of_deliveries_can_be_looked_up(shop: Any, receiver: Any) -> None:
    made = endpoint(shop, receiver.url, "customer.created")
    event = shop.sandbox.control("POST", "events", account=shop.account, type="customer.created", object={})
    shop.sandbox.control("POST", "deliver", event=event["id"])
    attempts = shop.sandbox.control("GET", f"deliveries?account={shop.account}")["data"]
    assert {"event": event["id"], "endpoint": made.id, "status": 200}.items() <= attempts[0].items()
