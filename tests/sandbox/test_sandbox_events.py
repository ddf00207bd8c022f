"""Events: listed by type and time, kept for thirty days."""

from typing import Any

import pytest
import stripe

DAY_S = 86_400


def test_what_a_call_made_happen_is_an_event_with_the_call_in_it(shop: Any) -> None:
    customer = shop.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k"})
    event = shop.v1.events.list().data[0]
    assert (event.type, event.data.object.id, event.data.object.name) == ("customer.created", customer.id, "Ada")
    assert event.request.id == customer.last_response.headers["Request-Id"]
    assert event.request.idempotency_key == "k"
    assert shop.v1.events.retrieve(event.id).type == "customer.created"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"type": "customer.created"}, ["customer.created"]),
        ({"type": "billing.*"}, ["billing.meter.created"]),
        ({"types": ["customer.created", "billing.meter.created"]}, ["billing.meter.created", "customer.created"]),
        ({"type": "invoice.*"}, []),
    ],
)
def test_events_are_listed_by_type(shop: Any, wanted: Any, expected: list[str]) -> None:
    shop.customer()
    shop.meter()
    assert [event.type for event in shop.v1.events.list(wanted).data] == expected


def test_type_and_types_exclude_each_other(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        shop.v1.events.list({"type": "a", "types": ["b"]})


def test_events_are_listed_by_time(own_shop: Any) -> None:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    own_shop.customer()
    later = own_shop.sandbox.control("POST", "clock", advance=100)["now"]
    own_shop.customer()
    assert len(own_shop.v1.events.list({"created": {"gte": later}}).data) == 1
    assert len(own_shop.v1.events.list({"created": {"lt": later}}).data) == 1
    assert len(own_shop.v1.events.list({"created": later}).data) == 1
    assert len(own_shop.v1.events.list({"created": {"gt": later}}).data) == 0


def test_paging_with_ending_before_is_chronological(shop: Any) -> None:
    made = [shop.customer() for _ in range(5)]
    oldest = shop.v1.events.list({"limit": 5}).data[-1]
    page = shop.v1.events.list({"ending_before": oldest.id, "limit": 2})
    assert [event.data.object.id for event in page.auto_paging_iter()] == made[1:]


def test_events_not_yet_delivered_can_be_asked_for(shop: Any) -> None:
    shop.settings(webhook_backoff_s=600.0)
    shop.customer()
    shop.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    meter = shop.meter()
    pending = shop.v1.events.list({"delivery_success": False}).data
    assert [(event.data.object.id, event.pending_webhooks) for event in pending] == [(meter, 1)]


def test_an_event_is_forgotten_after_thirty_days(own_shop: Any) -> None:
    own_shop.customer()
    event = own_shop.v1.events.list().data[0]
    own_shop.sandbox.control("POST", "clock", advance=30 * DAY_S + 60)
    assert own_shop.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        own_shop.v1.events.retrieve(event.id)


def test_an_event_keeps_the_object_as_it_was_then(shop: Any) -> None:
    meter = shop.meter()
    shop.v1.billing.meters.deactivate(meter)
    created = shop.v1.events.list({"type": "billing.meter.created"}).data[0]
    assert created.data.object.status == "active"


def test_an_update_tells_what_was_before(shop: Any) -> None:
    meter = shop.meter()
    shop.v1.billing.meters.deactivate(meter)
    event = shop.sandbox.control(
        "POST", "events", account=shop.account, type="billing.meter.updated",
        object=shop.v1.billing.meters.retrieve(meter).to_dict() | {"display_name": "Other", "new": 1},
    )  # fmt: skip
    assert event["data"]["previous_attributes"] == {"display_name": "calls", "new": None}


def test_a_first_or_an_unchanged_telling_has_nothing_before_it(shop: Any) -> None:
    customer = shop.v1.customers.retrieve(shop.customer()).to_dict()
    asked = {"account": shop.account, "type": "customer.updated", "object": customer}
    event = shop.sandbox.control("POST", "events", **asked)
    assert event["data"]["previous_attributes"] == {}
    assert "previous_attributes" not in shop.v1.events.list().data[1].data


def test_filters_go_together_and_an_empty_page_refuses_none(shop: Any) -> None:
    wanted: Any = {"created": {"gt": 1, "gte": 1, "lt": 2, "lte": 2}, "delivery_success": True, "type": "*"}
    assert shop.v1.events.list(wanted).data == []
    shop.customer()
    assert shop.v1.events.list(wanted).data == []


@pytest.mark.parametrize(
    "wanted",
    [{"types": ["*"] * 21}, {"created": "soon"}, {"created": {"gte": "soon"}}, {"created": {"after": 1}}, {"limit": 0},
     {"limit": 101}, {"delivery_success": "maybe"}, {"ending_before": "evt_none"}, {"colour": "blue"}],
)  # fmt: skip
def test_what_cannot_be_a_filter_of_events_is_refused(shop: Any, wanted: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.events.list(wanted)


def test_forgotten_events_leave_room_for_new_ones(own_shop: Any) -> None:
    first = own_shop.customer()
    old = own_shop.v1.events.list().data[0]
    own_shop.sandbox.control("POST", "clock", advance=30 * DAY_S + 60)
    own_shop.customer()
    with pytest.raises(OSError, match="400"):
        own_shop.sandbox.control("POST", "deliver", event=old.id)
    assert own_shop.v1.customers.retrieve(first).id == first
