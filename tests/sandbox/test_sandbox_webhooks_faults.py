"""Faults of deliveries on demand: twice, late, shuffled, never, or as two events; the same seed, the same faults."""

import json
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def own_endpoint(own_shop: Any, receiver: Any) -> Any:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    return own_shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})


@pytest.fixture
def fault(own_shop: Any, own_endpoint: Any) -> Iterator[Any]:
    def add(kind: str, **more: Any) -> Any:
        return own_shop.sandbox.control("POST", "delivery_faults", kind=kind, account=own_shop.account, **more)

    return add


def advance(shop: Any, seconds: float = 0) -> None:
    shop.sandbox.control("POST", "clock", advance=seconds)


def customers(told: Any) -> list[str]:
    return [json.loads(body)["data"]["object"]["id"] for body, _ in told]


def test_a_delivery_comes_twice(own_shop: Any, receiver: Any, fault: Any) -> None:
    fault("duplicate", copies=2)
    own_shop.customer()
    assert len({json.loads(body)["id"] for body, _ in receiver.wait(3)}) == 1


def test_a_duplicate_may_come_long_after(own_shop: Any, receiver: Any, fault: Any) -> None:
    fault("duplicate", delay_s=7_200)
    own_shop.customer()
    advance(own_shop, 7_000)
    assert len(receiver.wait(1)) == 1
    advance(own_shop, 300)
    assert len(receiver.wait(2)) == 2


def test_a_delivery_comes_late(own_shop: Any, receiver: Any, fault: Any) -> None:
    fault("delay", delay_s=600, times=1)
    late, prompt = own_shop.customer(), own_shop.customer()
    receiver.wait(1)
    advance(own_shop, 600)
    assert customers(receiver.wait(2)) == [prompt, late]


def test_a_dropped_delivery_stays_pending_and_can_be_found(own_shop: Any, fault: Any) -> None:
    fault("drop")
    own_shop.customer()
    advance(own_shop, 86_400)
    missed = own_shop.v1.events.list({"delivery_success": False}).data
    attempts = own_shop.sandbox.control("GET", "deliveries")["data"]
    assert ([event.pending_webhooks for event in missed], [made["status"] for made in attempts]) == ([1], [None])


def test_a_dropped_delivery_can_be_made_by_hand(own_shop: Any, receiver: Any, fault: Any) -> None:
    fault("drop")
    own_shop.customer()
    event = own_shop.v1.events.list().data[0]
    assert own_shop.sandbox.control("POST", "deliver", event=event.id) == {"statuses": [200]}
    assert len(receiver.wait(1)) == 1


def test_shuffled_deliveries_leave_together_in_another_order(own_shop: Any, receiver: Any, fault: Any) -> None:
    fault("shuffle", delay_s=60)
    made = [own_shop.customer() for _ in range(6)]
    advance(own_shop, 60)
    came = customers(receiver.wait(6))
    assert came != made
    assert sorted(came) == sorted(made)


def test_two_shuffled_deliveries_always_change_places(own_shop: Any, receiver: Any, fault: Any) -> None:
    fault("shuffle", delay_s=60)
    made = [own_shop.customer() for _ in range(2)]
    advance(own_shop, 60)
    assert customers(receiver.wait(2)) == made[::-1]


def test_the_same_seed_shuffles_and_drops_the_same(start_sandbox: Any, receiver: Any) -> None:
    def order() -> list[int]:
        before = len(receiver.headers)
        with start_sandbox("--speed", "0") as sandbox:
            shop = sandbox.shop()
            shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
            sandbox.control("POST", "delivery_faults", kind="drop", share=0.3, seed=5)
            sandbox.control("POST", "delivery_faults", kind="shuffle", delay_s=1, seed=9)
            made = [shop.customer() for _ in range(12)]
            advance(shop, 1)
            shop.http.close()
        return [made.index(customer) for customer in customers(receiver.wait(0)[before:])]

    assert 0 < len(first := order()) < 12
    assert order() == first


def test_one_occurrence_may_become_two_events(own_shop: Any, receiver: Any, fault: Any) -> None:
    fault("twin")
    customer = own_shop.customer()
    came = receiver.wait(2)
    assert customers(came) == [customer, customer]
    assert {json.loads(body)["id"] for body, _ in came} == {event.id for event in own_shop.v1.events.list().data}
    assert len(own_shop.v1.events.list().data) == 2


def test_a_fault_strikes_only_the_types_and_accounts_that_it_names(own_shop: Any, receiver: Any, fault: Any) -> None:
    fault("drop", type="invoice.*")
    own_shop.sandbox.control("POST", "delivery_faults", kind="drop", account="acct_other")
    customer = own_shop.customer()
    assert customers(receiver.wait(1)) == [customer]


def test_a_fault_may_strike_a_few_times_only(own_shop: Any, receiver: Any, fault: Any) -> None:
    fault("drop", times=2)
    made = [own_shop.customer() for _ in range(3)]
    assert customers(receiver.wait(1)) == made[2:]


def test_repeats_are_struck_by_no_fault(own_shop: Any, receiver: Any, fault: Any) -> None:
    fault("duplicate")
    receiver.answers = [500, 500]
    own_shop.customer()
    advance(own_shop, 86_400)
    assert len(receiver.wait(3)) == 3


def test_faults_are_told_and_cleared(own_shop: Any, fault: Any) -> None:
    fault("delay", delay_s=5, share=0.5)
    own_shop.sandbox.control("POST", "delivery_faults", kind="drop", account="acct_other")
    told = own_shop.sandbox.control("GET", "delivery_faults")["data"]
    left = own_shop.sandbox.control("DELETE", "delivery_faults", account=own_shop.account)["data"]
    assert ([one["kind"] for one in told], [one["kind"] for one in left]) == (["delay", "drop"], ["drop"])
    assert own_shop.sandbox.control("DELETE", "delivery_faults") == {"data": []}


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "explode"},
        {"kind": "delay"}, {"kind": "shuffle"}, {}, {"kind": "drop", "share": 2}, {"kind": "drop", "share": "all"},
        {"kind": "delay", "delay_s": -1}, {"kind": "delay", "delay_s": 1e12}, {"kind": "duplicate", "copies": 0},
        {"kind": "duplicate", "copies": 10**9}, {"kind": "drop", "type": 7}, {"kind": "drop", "times": -1},
        {"kind": "drop", "seed": None}, {"kind": "drop", "colour": "blue"}, {"kind": "drop", "_chance": 1},
    ],
)  # fmt: skip
def test_what_is_no_fault_of_deliveries_is_refused(shared_sandbox: Any, asked: Any) -> None:
    with pytest.raises(OSError, match="400"):
        shared_sandbox.control("POST", "delivery_faults", **asked)
    assert all(fault["account"] != "*" for fault in shared_sandbox.control("GET", "delivery_faults")["data"])
