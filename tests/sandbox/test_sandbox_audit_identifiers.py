"""What the auditor knows of each identifier, minute and second; judged against what was sent."""

from datetime import UTC, datetime
from typing import Any

import pytest

PATH = "/v1/billing/meter_events"


@pytest.fixture
def customer(shop: Any) -> str:
    shop.meter()
    return str(shop.customer())


def adjusted(shop: Any, identifier: str) -> Any:
    wanted: Any = {"event_name": "calls", "type": "cancel", "cancel": {"identifier": identifier}}
    return shop.v1.billing.meter_event_adjustments.create(wanted)


def asked(shop: Any, control: str, **filters: Any) -> Any:
    return shop.sandbox.control("GET", control, account=shop.account, **filters)["data"]


def test_what_was_applied_is_summed_by_the_minute(shop: Any, customer: str) -> None:
    minute = shop.sandbox.now() // 60 * 60 - 600
    for second, value in ((0, "0.1"), (59, "0.2"), (60, "5")):
        shop.send(customer, value, timestamp=minute + second)
    found = [(row["minute"], row["events"], row["value"]) for row in asked(shop, "audit/minutes", customer=customer)]
    assert found == [(minute, 2, "0.3"), (minute + 60, 1, "5")]


def test_minutes_of_v1_and_v2_are_the_same_minutes(shop: Any, customer: str) -> None:
    shop.send(customer, "1", timestamp=1 + shop.sandbox.now() // 60 * 60 - 600)
    stamp = asked(shop, "audit/minutes")[0]["minute"]
    payload = {"stripe_customer_id": customer, "value": "2"}
    at = f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%dT%H:%M:%SZ}"
    shop.client.v2.billing.meter_events.create({"event_name": "calls", "payload": payload, "timestamp": at})
    assert [(row["events"], row["value"]) for row in asked(shop, "audit/minutes")] == [(2, "3")]


def test_minutes_since_an_instant_leave_out_the_older_ones(shop: Any, customer: str) -> None:
    now = shop.sandbox.now()
    shop.send(customer, timestamp=now - 7_200)
    shop.send(customer, timestamp=now)
    assert len(asked(shop, "audit/minutes", since=now - 3_600)) == 1


def test_a_cancelled_identifier_leaves_the_totals_and_is_listed_with_its_value(shop: Any, customer: str) -> None:
    now = shop.sandbox.now()
    shop.send(customer, "5", identifier="a", timestamp=now - 60)
    shop.send(customer, "7", identifier="b", timestamp=now)
    adjusted(shop, "b")
    audit = shop.audit()
    assert [(total["events"], total["value"], total["last"]) for total in audit["totals"]] == [(1, "5", "5")]
    assert [(each["identifier"], each["value"]) for each in audit["cancelled"]] == [("b", "7")]


def test_an_identifier_without_a_name_of_the_callers_own_can_be_cancelled_too(shop: Any, customer: str) -> None:
    event = shop.send(customer, "7")
    adjusted(shop, event.identifier)
    assert [each["value"] for each in shop.audit()["cancelled"]] == ["7"]


def test_what_was_asked_again_is_listed_with_its_calls_and_keys(shop: Any, customer: str) -> None:
    shop.send(customer, key="a", identifier="row")
    shop.send(customer, key="a", identifier="row")
    shop.refused(customer, key="b", identifier="row")
    shop.send(customer, key="c", identifier="once")
    assert shop.audit()["asked_again"] == [{"identifier": "row", "asked": 3, "keys": 2, "applied": 1}]


def test_calls_are_found_by_whom_they_are_about(shop: Any, customer: str) -> None:
    other = shop.customer()
    shop.send(customer, identifier="a")
    shop.send(other, identifier="b")
    assert [call["identifier"] for call in asked(shop, "audit/calls", customer=other)] == ["b"]
    assert [call["customer"] for call in asked(shop, "audit/calls", identifier="a")] == [customer]
    assert asked(shop, "audit/calls", event_name="none") == []


def test_a_lost_call_tells_whether_it_was_applied(shop: Any, customer: str) -> None:
    shop.fault("connection_reset", times=1)
    shop.fault("reply_lost", times=2)
    for _ in range(2):
        shop.refused(customer)
    assert [(call["fate"], call["applied"]) for call in shop.calls(PATH)] == [("lost", False), ("lost", True)]


def test_the_most_calls_within_a_second_are_known_by_limiter(shop: Any, customer: str) -> None:
    shop.send(customer)
    highest = shop.audit()["calls_per_s_max"]
    assert highest["meter_events"] == 1
    assert 1 <= highest["by_endpoint"]["POST /v1/customers"] <= highest["everything_else"] <= 3


def test_a_v2_duplicate_is_a_refused_duplicate(shop: Any, customer: str) -> None:
    event = {
        "event_name": "calls",
        "identifier": "row",
        "payload": {"stripe_customer_id": customer, "value": "1"},
    }
    shop.client.v2.billing.meter_events.create(event)
    shop.refused(customer, identifier="row")
    assert shop.audit()["refused_duplicates"] == 1


@pytest.mark.parametrize("wanted", ["audit?colour=red", "audit/calls?limit=x", "audit/calls?after=-1"])
def test_a_question_the_auditor_does_not_understand_is_refused(shared_sandbox: Any, wanted: str) -> None:
    with pytest.raises(OSError, match="400"):
        shared_sandbox.control("GET", wanted)
