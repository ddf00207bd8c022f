"""Meters: made, found, renamed, put to rest and woken; and what is refused of them."""

from typing import Any

import pytest
import stripe


@pytest.fixture
def meter(shop: Any) -> str:
    return str(shop.meter())


def refused(act: Any, *arguments: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        act(*arguments)
    return refusal.value


def test_a_meter_comes_with_stripes_defaults(shop: Any, meter: str) -> None:
    found = shop.v1.billing.meters.retrieve(meter)
    assert (found.object, found.status, found.event_time_window) == ("billing.meter", "active", None)
    assert (found.customer_mapping.event_payload_key, found.customer_mapping.type) == ("stripe_customer_id", "by_id")
    assert found.value_settings.event_payload_key == "value"


def test_meters_are_listed_newest_first_and_by_status(shop: Any, meter: str) -> None:
    younger = shop.meter("other")
    shop.v1.billing.meters.deactivate(meter)
    assert [found.id for found in shop.v1.billing.meters.list().data] == [younger, meter]
    assert [found.id for found in shop.v1.billing.meters.list({"status": "inactive"}).data] == [meter]


def test_only_the_name_of_a_meter_can_be_changed(shop: Any, meter: str) -> None:
    assert shop.v1.billing.meters.update(meter, {"display_name": "Calls made"}).display_name == "Calls made"
    assert refused(shop.v1.billing.meters.update, meter, {"event_name": "other"}).code == "parameter_unknown"


def test_a_meter_can_be_put_to_rest_and_woken(shop: Any, meter: str) -> None:
    resting = shop.v1.billing.meters.deactivate(meter)
    assert (resting.status, resting.status_transitions.deactivated_at is None) == ("inactive", False)
    woken = shop.v1.billing.meters.reactivate(meter)
    assert (woken.status, woken.status_transitions.deactivated_at) == ("active", None)


def test_a_meter_is_not_put_to_rest_twice(shop: Any, meter: str) -> None:
    assert "already active" in str(refused(shop.v1.billing.meters.reactivate, meter))
    shop.v1.billing.meters.deactivate(meter)
    assert "already inactive" in str(refused(shop.v1.billing.meters.deactivate, meter))


def test_what_happens_to_a_meter_is_an_event(shop: Any, meter: str) -> None:
    shop.v1.billing.meters.update(meter, {"display_name": "Calls made"})
    shop.v1.billing.meters.deactivate(meter)
    shop.v1.billing.meters.reactivate(meter)
    kinds = [event.type.rpartition(".")[2] for event in shop.v1.events.list().data]
    assert kinds == ["reactivated", "deactivated", "updated", "created"]


def test_two_active_meters_do_not_share_an_event_name(shop: Any, meter: str) -> None:
    assert refused(shop.meter).param == "event_name"


def test_the_event_name_of_a_resting_meter_is_free(shop: Any, meter: str) -> None:
    shop.v1.billing.meters.deactivate(meter)
    assert shop.meter() != meter


def test_the_event_name_of_a_resting_meter_may_stay_taken(shop: Any, meter: str) -> None:
    shop.settings(inactive_event_name_is_free=False)
    shop.v1.billing.meters.deactivate(meter)
    assert "An inactive meter with event_name 'calls' already exists." in str(refused(shop.meter))


def test_a_meter_is_not_woken_while_another_has_its_event_name(shop: Any, meter: str) -> None:
    shop.v1.billing.meters.deactivate(meter)
    shop.meter()
    assert "An active meter with event_name 'calls'" in str(refused(shop.v1.billing.meters.reactivate, meter))


def test_a_resting_meter_cannot_be_attached_to_a_price(shop: Any, meter: str) -> None:
    shop.v1.billing.meters.deactivate(meter)
    assert refused(shop.price, meter).param == "recurring[meter]"


@pytest.mark.parametrize("event_name", ["a b", "é", "x" * 101, "a/b", "a\nb"])
def test_an_event_name_that_is_none_is_refused(shop: Any, event_name: str) -> None:
    assert refused(shop.meter, event_name).param == "event_name"


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"display_name": "x" * 251}, "display_name"),
        ({"default_aggregation": {"formula": "max"}}, "default_aggregation[formula]"),
        ({"event_time_window": "week"}, "event_time_window"),
        ({"customer_mapping": {"type": "by_name", "event_payload_key": "who"}}, "customer_mapping[type]"),
        (
            {"customer_mapping": {"type": "by_id", "event_payload_key": "x" * 101}},
            "customer_mapping[event_payload_key]",
        ),
        ({"value_settings": {"event_payload_key": "x" * 101}}, "value_settings[event_payload_key]"),
        ({"metadata": {"a": "b"}}, "metadata"),
    ],
)
def test_what_stripe_does_not_take_for_a_meter_is_refused(shop: Any, wanted: Any, param: str) -> None:
    asked = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    assert refused(shop.v1.billing.meters.create, asked | wanted).param == param


def test_a_meter_that_was_refused_is_not_there(shop: Any, meter: str) -> None:
    refused(shop.meter)
    assert len(shop.v1.billing.meters.list().data) == 1


def test_an_unknown_meter_is_not_found(shop: Any) -> None:
    refusal = refused(shop.v1.billing.meters.retrieve, "mtr_none")
    assert (refusal.http_status, refusal.code) == (404, "resource_missing")
