"""Event destinations: made, changed, switched, pinged and deleted over v2; the secret is told to who asks for it."""

import json
from typing import Any

import pytest
import stripe

SECRET, URL = "webhook_endpoint.signing_secret", "webhook_endpoint.url"
NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def destinations(shop: Any) -> Any:
    return shop.client.v2.core.event_destinations


def wanted(url: str = NOWHERE, *kinds: str, **more: Any) -> Any:
    return {
        "name": "Meters",
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": list(kinds) or ["v1.billing.meter.error_report_triggered"],
        "webhook_endpoint": {"url": url},
    } | more


def test_the_secret_is_told_at_creation_to_who_includes_it(destinations: Any) -> None:
    made = destinations.create(wanted(include=[SECRET, URL]))
    assert made.webhook_endpoint.signing_secret.startswith("whsec_")
    assert made.webhook_endpoint.url == NOWHERE


def test_without_include_neither_secret_nor_url_is_told(destinations: Any) -> None:
    made = destinations.create(wanted())
    for found in (made, destinations.retrieve(made.id), destinations.list().data[0]):
        assert found.webhook_endpoint.to_dict() == {"signing_secret": None, "url": None}


def test_the_url_can_be_included_later_and_the_secret_cannot(destinations: Any) -> None:
    made = destinations.create(wanted())
    assert destinations.retrieve(made.id, {"include": [URL]}).webhook_endpoint.url == NOWHERE
    with pytest.raises(stripe.InvalidRequestError, match="Invalid include"):
        destinations.retrieve(made.id, {"include": [SECRET]})


def test_a_destination_has_stripes_shape(destinations: Any) -> None:
    made = destinations.create(wanted(description="Errors", metadata={"team": "billing"}))
    assert (made.object, made.status, made.status_details) == ("v2.core.event_destination", "enabled", None)
    assert (made.events_from, made.event_payload, made.snapshot_api_version) == (["@self"], "thin", None)
    assert (made.description, made.metadata.to_dict(), made.livemode) == ("Errors", {"team": "billing"}, False)
    assert made.created == made.updated
    assert made.created.endswith(".000Z")


def test_a_snapshot_destination_is_pinned_to_a_version(destinations: Any) -> None:
    latest = destinations.create(wanted(NOWHERE, "customer.created", event_payload="snapshot"))
    pinned = wanted(NOWHERE, "*", event_payload="snapshot", snapshot_api_version="2025-09-30.clover")
    assert latest.snapshot_api_version == "2026-10-28.endive"
    assert destinations.create(pinned).snapshot_api_version == "2025-09-30.clover"


def test_a_destination_is_changed_where_it_is_asked_to_be(destinations: Any) -> None:
    made = destinations.create(wanted(metadata={"a": "1", "b": "2"}))
    kinds = ["v1.billing.meter.no_meter_found"]
    changed = destinations.update(
        made.id, {"name": "New", "enabled_events": kinds, "metadata": {"a": None}, "webhook_endpoint": {"url": URL_2},
                  "include": [URL]},
    )  # fmt: skip
    assert (changed.name, changed.enabled_events, changed.metadata.to_dict()) == ("New", kinds, {"b": "2"})
    assert changed.webhook_endpoint.url == URL_2


URL_2 = "http://127.0.0.1:10/"


def test_a_disabled_destination_says_who_disabled_it(destinations: Any) -> None:
    made = destinations.create(wanted())
    disabled = destinations.disable(made.id)
    assert (disabled.status, disabled.status_details.disabled.reason) == ("disabled", "user")
    assert destinations.enable(made.id).status == "enabled"


def test_a_disabled_destination_gets_nothing_until_it_is_enabled_again(
    shop: Any, destinations: Any, receiver: Any
) -> None:
    made = destinations.create(wanted(receiver.url, "v1.customer.created"))
    destinations.disable(made.id)
    shop.customer()
    destinations.enable(made.id)
    heard = shop.customer()
    assert json.loads(receiver.wait(1)[0][0])["related_object"]["id"] == heard


def test_a_deleted_destination_is_found_no_more(destinations: Any) -> None:
    made = destinations.create(wanted())
    assert destinations.delete(made.id).to_dict() == {"id": made.id, "object": "v2.core.event_destination"}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        destinations.retrieve(made.id)
    assert (refusal.value.http_status, refusal.value.code) == (404, "not_found")


def test_destinations_are_listed_page_by_page(destinations: Any) -> None:
    made = [destinations.create(wanted()).id for _ in range(3)]
    first = destinations.list({"limit": 2})
    assert len(first.data) == 2
    assert [found.id for found in first.auto_paging_iter()] == made[::-1]


def test_an_account_has_at_most_sixteen_destinations(destinations: Any) -> None:
    for _ in range(16):
        destinations.create(wanted())
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        destinations.create(wanted())


def test_a_ping_reaches_the_destination_whatever_it_wants(shop: Any, destinations: Any, receiver: Any) -> None:
    made = destinations.create(wanted(receiver.url, include=[SECRET]))
    destinations.create(wanted(receiver.url, "*"))
    pinged = destinations.ping(made.id)
    body, signature = receiver.wait(1)[0]
    told = shop.client.parse_event_notification(body, signature, made.webhook_endpoint.signing_secret)
    assert (told.type, told.id) == ("v2.core.event_destination.ping", pinged.id)
    assert told.fetch_related_object().id == made.id


def test_a_snapshot_destination_gets_what_a_webhook_endpoint_gets(shop: Any, destinations: Any, receiver: Any) -> None:
    more = {"event_payload": "snapshot", "snapshot_api_version": "2025-09-30.clover", "include": [SECRET]}
    made = destinations.create(wanted(receiver.url, "customer.created", **more))
    customer = shop.customer()
    event = shop.client.construct_event(*receiver.wait(1)[0], made.webhook_endpoint.signing_secret)
    assert (event.data.object.id, event.api_version) == (customer, "2025-09-30.clover")


def test_the_secret_of_a_destination_can_be_rolled(shop: Any, destinations: Any, receiver: Any) -> None:
    made = destinations.create(wanted(receiver.url))
    rolled = shop.sandbox.control("POST", "roll_secret", endpoint=made.id)["secret"]
    destinations.ping(made.id)
    told = shop.client.parse_event_notification(*receiver.wait(1)[0], rolled)
    assert told.type == "v2.core.event_destination.ping"


@pytest.mark.parametrize(
    "more",
    [
        {"name": None}, {"name": ""}, {"type": "carrier_pigeon"}, {"type": "amazon_eventbridge"},
        {"event_payload": "fat"}, {"enabled_events": []}, {"enabled_events": ["customer.created"]},
        {"enabled_events": ["v1.billing.*"]}, {"enabled_events": ["x" * 4_000]}, {"webhook_endpoint": None},
        {"webhook_endpoint": {"url": "ftp://h/"}}, {"webhook_endpoint": {"url": "http://[::1"}},
        {"snapshot_api_version": "2025-09-30.clover"}, {"events_from": ["@accounts"]}, {"include": ["everything"]},
        {"event_payload": "snapshot"}, {"colour": "blue"}, {"metadata": "text"},
        {"event_payload": "snapshot", "enabled_events": ["*"], "snapshot_api_version": "yesterday"},
    ],
)  # fmt: skip
def test_what_is_no_destination_is_refused(destinations: Any, more: Any) -> None:
    asked = {name: value for name, value in wanted(**more).items() if value is not None}
    with pytest.raises(stripe.InvalidRequestError):
        destinations.create(asked)
    assert destinations.list().data == []


def test_live_destinations_need_https(live_shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="https"):
        live_shop.client.v2.core.event_destinations.create(wanted())
