"""The auditor: books of its own, judged against what was sent."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

PATH = "/v1/billing/meter_events"


@pytest.fixture
def customer(shop: Any) -> str:
    shop.meter()
    return str(shop.customer())


def test_totals_are_exact_sums_by_customer_and_event_name(shop: Any, customer: str) -> None:
    now, other = shop.sandbox.now(), shop.customer()
    shop.send(customer, "0.1", timestamp=now)
    shop.send(customer, "0.2", timestamp=now - 60)
    shop.send(other, "-3", timestamp=now)
    totals = {total["customer"]: total for total in shop.audit()["totals"]}
    assert (totals[customer]["events"], totals[customer]["value"], totals[customer]["last"]) == (2, "0.3", "0.1")
    assert totals[other]["value"] == "-3"


def test_what_was_refused_is_in_no_total(shop: Any, customer: str) -> None:
    shop.refused(customer, "abc")
    assert shop.audit()["totals"] == []


def test_a_replay_is_not_counted_again(shop: Any, customer: str) -> None:
    shop.send(customer, "5", key="k", identifier="k")
    shop.send(customer, "5", key="k", identifier="k")
    audit = shop.audit()
    assert (audit["applied"], audit["identifiers"], audit["totals"][0]["value"]) == (1, 1, "5")


def test_refused_duplicates_are_counted(shop: Any, customer: str) -> None:
    shop.send(customer, identifier="row")
    shop.refused(customer, identifier="row")
    audit = shop.audit()
    assert (audit["refused_duplicates"], audit["applied_twice"]) == (1, [])


def test_an_identifier_applied_twice_is_named(shop: Any, customer: str) -> None:
    shop.settings(identifier_window_s=0)
    shop.send(customer, identifier="row")
    shop.send(customer, identifier="row")
    assert shop.audit()["applied_twice"] == ["row"]


def test_the_most_calls_in_flight_on_a_lane_are_known(shop: Any, customer: str, pool: ThreadPoolExecutor) -> None:
    shop.fault("latency", delay_s=1)
    calls = [pool.submit(shop.send, customer) for _ in range(3)]
    assert sum(call.exception() is not None for call in calls) == 2
    assert shop.audit()["in_flight_max_per_lane"] > 1


def test_calls_one_after_the_other_are_never_in_flight_together(shop: Any, customer: str) -> None:
    shop.send(customer)
    shop.send(customer)
    assert shop.audit()["in_flight_max_per_lane"] == 1


def test_calls_are_counted_by_status_and_by_path(shop: Any, customer: str) -> None:
    shop.v1.customers.retrieve(customer)
    shop.refused("cus_stranger")
    audit = shop.audit()
    assert (audit["calls"], audit["by_status"]) == (4, {"200": 3, "400": 1})
    assert audit["by_path"]["GET /v1/customers/{id}"] == 1
    assert audit["by_path"][f"POST {PATH}"] == 1


def test_the_log_tells_the_fate_of_every_call(shop: Any, customer: str) -> None:
    shop.send(customer, key="a", identifier="a")
    shop.send(customer, key="a", identifier="a")
    shop.refused(customer, key="b", identifier="a")
    shop.fault("reply_lost", times=1)
    shop.refused(customer, key="c", identifier="c")
    calls = shop.calls(PATH)
    assert [(call["idempotency_key"], call["fate"]) for call in calls] == [
        ("a", "applied"), ("a", "replayed"), ("b", "refused"), ("c", "lost"),
    ]  # fmt: skip
    assert len({call["request_id"] for call in calls}) == 4


def test_the_log_tells_the_callers_own_name_of_a_call_that_was_never_answered(shop: Any, customer: str) -> None:
    shop.fault("reply_lost", times=1)
    asked: Any = {"event_name": "calls", "payload": {"stripe_customer_id": customer, "value": "1"}}
    with pytest.raises(stripe.APIConnectionError):
        shop.v1.billing.meter_events.create(asked, {"headers": {"X-Request-Id": "ours-7"}})
    assert [(call["client_request_id"], call["fate"]) for call in shop.calls(PATH)] == [("ours-7", "lost")]


def test_the_log_tells_what_a_call_sent(shop: Any, customer: str) -> None:
    shop.subscription(customer, shop.price(shop.v1.billing.meters.list().data[0].id).id, metadata={"team": "blue"})
    (call,) = shop.calls("/v1/subscriptions")
    assert call["sent"]["customer"] == customer
    assert call["sent"]["metadata"] == {"team": "blue"}
    assert [*call["sent"]["items"]] == ["0"]


def test_a_500_after_applying_is_logged_as_applied(shop: Any, customer: str) -> None:
    shop.fault("error_after", times=1)
    shop.refused(customer)
    assert [(call["status"], call["fate"]) for call in shop.calls(PATH)] == [(500, "applied")]


def test_the_log_is_paged_from_behind_a_call_on(shop: Any, customer: str) -> None:
    shop.send(customer)
    shop.send(customer)
    first = shop.sandbox.control("GET", "audit/calls", account=shop.account, path=PATH, limit=1)
    rest = shop.sandbox.control("GET", "audit/calls", account=shop.account, after=first["data"][0]["number"])
    assert (len(first["data"]), first["has_more"]) == (1, True)
    assert (len(rest["data"]), rest["has_more"]) == (1, False)


def test_calls_of_strangers_are_logged_too(own_sandbox: Any) -> None:
    shop = own_sandbox.shop()
    own_sandbox.control("DELETE", "keys", key=shop.key)
    shop.refused("cus_x")
    shop.http.close()
    assert own_sandbox.control("GET", "audit")["by_status"] == {"401": 1}


def test_a_sum_of_more_digits_than_a_decimal_keeps_by_default_is_exact(shop: Any, customer: str) -> None:
    shop.send(customer, "999999999999999")
    shop.send(customer, "0.00000000000000000001")
    assert shop.audit()["totals"][0]["value"] == "999999999999999.00000000000000000001"
