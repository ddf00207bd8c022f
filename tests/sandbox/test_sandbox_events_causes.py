"""Who made an event happen: the call in whose execution it did, or nobody where time did."""

from typing import Any


def causes(shop: Any, *kinds: str) -> set[tuple[str | None, str | None]]:
    events = shop.v1.events.list({"types": list(kinds), "limit": 100}).data
    return {(event.request.id, event.request.idempotency_key) for event in events}


def test_an_invoice_item_that_a_call_made_names_the_call(shop: Any) -> None:
    asked: Any = {"customer": shop.customer(), "amount": 5, "currency": "usd"}
    item = shop.v1.invoice_items.create(asked, {"idempotency_key": "the-item"})
    assert causes(shop, "invoiceitem.created") == {(item.last_response.request_id, "the-item")}


def test_every_event_of_a_first_invoice_names_the_call_that_subscribed(shop: Any) -> None:
    seats: Any = {"currency": "usd", "product_data": {"name": "Seats"}, "unit_amount": 5}
    price = shop.v1.prices.create(seats | {"recurring": {"interval": "month"}}).id
    asked: Any = {"customer": shop.customer(), "items": [{"price": price}]}
    made = shop.v1.subscriptions.create(asked, {"idempotency_key": "the-subscription"})
    expected = {(made.last_response.request_id, "the-subscription")}
    assert causes(shop, "invoice.*", "customer.subscription.*") == expected


def test_an_invoice_that_time_brought_about_names_no_call(january: Any) -> None:
    january.shop.subscription(january.shop.customer(), january.shop.price(january.shop.meter()).id)
    january.go(32)
    assert causes(january.shop, "invoice.*", "customer.subscription.updated") == {(None, None)}
