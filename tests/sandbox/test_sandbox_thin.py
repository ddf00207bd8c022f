"""Thin events: delivered without data, fetched with it, listed for thirty days; twins of snapshots know each other."""

import json
from typing import Any

import pytest
import stripe

DAY_S = 86_400
SECRET = "webhook_endpoint.signing_secret"


def destination(shop: Any, url: str, *kinds: str) -> str:
    """Its secret."""
    made = shop.client.v2.core.event_destinations.create(
        {
            "name": "Thin",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": list(kinds),
            "webhook_endpoint": {"url": url},
            "include": [SECRET],
        }
    )
    return str(made.webhook_endpoint.signing_secret)


def listed(shop: Any, **wanted: Any) -> Any:
    return shop.client.v2.core.events.list(wanted)


def test_a_thin_event_is_delivered_without_the_object(shop: Any, receiver: Any) -> None:
    destination(shop, receiver.url, "v1.customer.created")
    customer = shop.customer()
    told = json.loads(receiver.wait(1)[0][0])
    assert told["related_object"] == {"id": customer, "type": "customer", "url": f"/v1/customers/{customer}"}
    assert (told["object"], told["context"], told["livemode"]) == ("v2.core.event", None, False)
    assert told["reason"]["type"] == "request"
    assert told["created"].endswith(".000Z")
    assert "data" not in told


def test_the_sdk_parses_a_thin_event_and_fetches_what_it_is_about(shop: Any, receiver: Any) -> None:
    secret = destination(shop, receiver.url, "v1.customer.created")
    customer = shop.customer()
    told = shop.client.parse_event_notification(*receiver.wait(1)[0], secret)
    assert type(told).__name__ == "V1CustomerCreatedEventNotification"
    assert (told.fetch_related_object().id, told.fetch_event().id) == (customer, told.id)
    assert told.reason.request.id.startswith("req_")


@pytest.mark.parametrize("kind", ["billing.meter.created", "product.created", "price.created", "invoice.paid"])
def test_snapshots_have_thin_twins(shop: Any, kind: str) -> None:
    noun = kind.rpartition(".")[0]
    shop.sandbox.control("POST", "events", account=shop.account, type=kind, object={"id": "x_1", "object": noun})
    (twin,) = listed(shop).data
    assert (twin.type, twin.related_object.id) == (f"v1.{kind}", "x_1")
    assert shop.v1.events.retrieve(twin.snapshot_event).type == kind


@pytest.mark.parametrize(
    "event",
    [
        {"type": "customer.renamed", "object": {"id": "cus_1", "object": "customer"}},
        {"type": "invoice.upcoming", "object": {"object": "invoice"}},
        {"type": "customer.created", "object": {"id": "x_1", "object": "unheard_of"}},
        {"type": "customer.created", "object": {"id": 7, "object": ["customer"]}},
    ],
)
def test_what_has_no_thin_type_or_no_address_has_no_twin(shop: Any, event: Any) -> None:
    shop.sandbox.control("POST", "events", account=shop.account, **event)
    assert listed(shop).data == []


def test_thin_and_snapshot_endpoints_each_get_their_own(shop: Any, receiver: Any) -> None:
    destination(shop, receiver.url, "*")
    shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    shop.customer()
    kinds = {json.loads(body)["object"]: json.loads(body)["type"] for body, _ in receiver.wait(2)}
    assert kinds == {"event": "customer.created", "v2.core.event": "v1.customer.created"}


def test_a_failed_thin_delivery_is_repeated(shop: Any, receiver: Any) -> None:
    shop.settings(webhook_backoff_s=0.01)
    destination(shop, receiver.url, "v1.customer.created")
    receiver.answers = [500]
    shop.customer()
    assert len({json.loads(body)["id"] for body, _ in receiver.wait(2)}) == 1


def test_thin_events_are_listed_by_type(shop: Any) -> None:
    shop.customer()
    shop.meter()
    assert [event.type for event in listed(shop, types=["v1.customer.created"]).data] == ["v1.customer.created"]
    assert len(listed(shop, types=["v1.customer.created", "v1.billing.meter.created"]).data) == 2


def test_thin_events_are_listed_by_object(shop: Any) -> None:
    customer, _ = shop.customer(), shop.customer()
    assert [event.related_object.id for event in listed(shop, object_id=customer).data] == [customer]


def test_thin_events_are_listed_by_time(own_shop: Any) -> None:
    own_shop.sandbox.control("POST", "clock", to=1_800_000_000, frozen=True)
    own_shop.customer()
    own_shop.sandbox.control("POST", "clock", advance=100)
    own_shop.customer()
    later = "2027-01-15T08:01:40.000Z"
    found = [len(listed(own_shop, created={bound: later}).data) for bound in ("gte", "gt", "lt", "lte")]
    assert found == [1, 0, 1, 2]
    assert len(listed(own_shop, created={"gt": "2027-01-15T09:01:39.999+01:00", "lt": "2027-01-15T08:01:40.001Z"})) == 1


def test_thin_events_are_listed_page_by_page(shop: Any) -> None:
    made = [shop.customer() for _ in range(5)]
    first = listed(shop, limit=2, types=["v1.customer.created"])
    assert [event.related_object.id for event in first.auto_paging_iter()] == made[::-1]


def test_a_thin_event_is_forgotten_after_thirty_days(own_shop: Any) -> None:
    own_shop.customer()
    event = listed(own_shop).data[0]
    own_shop.sandbox.control("POST", "clock", advance=30 * DAY_S + 60)
    assert listed(own_shop).data == []
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        own_shop.client.v2.core.events.retrieve(event.id)
    assert (refusal.value.http_status, refusal.value.code) == (404, "not_found")


@pytest.mark.parametrize(
    "wanted",
    [
        {"types": ["v1.customer.created"] * 21}, {"created": {"gte": "yesterday"}}, {"created": {"gte": "2026-11-20"}},
        {"created": {"gte": "2026-11-20T00:00:00"}}, {"created": {"gte": 1_800_000_000}}, {"created": {"after": "x"}},
        {"created": "2026-11-20T00:00:00Z"}, {"limit": 0}, {"page": "garbage"}, {"colour": "blue"},
    ],
)  # fmt: skip
def test_what_cannot_be_a_filter_of_thin_events_is_refused(shop: Any, wanted: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        listed(shop, **wanted)


ERROR_REPORT = {
    "developer_message_summary": "There is 1 invalid event",
    "reason": {
        "error_count": 1,
        "error_types": [{"code": "no_meter", "error_count": 1, "sample_errors": [
            {"error_message": "No meter.", "request": {"identifier": "i-1"}}]}],
    },
    "validation_start": "2026-11-20T00:00:00.000Z",
    "validation_end": "2026-11-20T00:00:10.000Z",
}  # fmt: skip


def trigger(shop: Any, kind: str, **more: Any) -> Any:
    return shop.sandbox.control("POST", "core_events", account=shop.account, type=kind, data=ERROR_REPORT, **more)


def test_data_is_fetched_and_never_delivered(shop: Any, receiver: Any) -> None:
    secret = destination(shop, receiver.url, "v1.billing.meter.error_report_triggered")
    meter = shop.meter()
    related = {"id": meter, "type": "billing.meter", "url": f"/v1/billing/meters/{meter}"}
    trigger(shop, "v1.billing.meter.error_report_triggered", related_object=related)
    told = shop.client.parse_event_notification(*receiver.wait(1)[0], secret)
    assert told.fetch_event().data.reason.error_types[0].sample_errors[0].request.identifier == "i-1"
    assert told.fetch_related_object().event_name == "calls"
    assert "data" not in json.loads(receiver.wait(1)[0][0])


@pytest.mark.parametrize(("switch", "expected"), [("empty", {}), ("null", None)])
def test_an_event_about_no_object_says_so_in_either_way(shop: Any, receiver: Any, switch: str, expected: Any) -> None:
    shop.settings(absent_related_object=switch)
    secret = destination(shop, receiver.url, "v1.billing.meter.no_meter_found")
    trigger(shop, "v1.billing.meter.no_meter_found")
    body, signature = receiver.wait(1)[0]
    assert json.loads(body)["related_object"] == expected
    told = shop.client.parse_event_notification(body, signature, secret)
    assert told.fetch_event().data.reason.error_count == 1


@pytest.mark.parametrize("more", [{"related_object": "mtr_1"}, {"data": [1]}, {"type": None, "related_object": 7}])
def test_what_is_no_thin_event_cannot_be_made_to_happen(shop: Any, more: Any) -> None:
    with pytest.raises(OSError, match="400"):
        shop.sandbox.control("POST", "core_events", **{"account": shop.account, "type": "v1.x", **more})
    assert listed(shop).data == []


def test_one_event_can_be_sent_again_to_one_endpoint(shop: Any, receiver: Any) -> None:
    made = shop.client.v2.core.event_destinations.create(
        {"name": "Thin", "type": "webhook_endpoint", "event_payload": "thin", "enabled_events": ["*"],
         "webhook_endpoint": {"url": receiver.url}},
    )  # fmt: skip
    shop.customer()
    event = listed(shop).data[0]
    asked = {"event": event.id, "endpoint": made.id}
    assert shop.sandbox.control("POST", "resend", **asked) == {"status": 200}
    assert {json.loads(body)["id"] for body, _ in receiver.wait(2)} == {event.id}


def test_a_snapshot_cannot_be_sent_to_a_thin_destination(shop: Any, receiver: Any) -> None:
    destination(shop, receiver.url, "*")
    made = shop.client.v2.core.event_destinations.list().data[0].id
    shop.customer()
    with pytest.raises(OSError, match="400"):
        shop.sandbox.control("POST", "resend", event=shop.v1.events.list().data[0].id, endpoint=made)
