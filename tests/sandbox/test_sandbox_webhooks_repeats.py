"""Repeats of failed deliveries: live for three days, in a sandbox three times; signed anew, and ended by a 2xx."""

import json
from typing import Any

import pytest
import stripe

DAY_S = 86_400


@pytest.fixture
def frozen_shop(own_shop: Any) -> Any:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    return own_shop


@pytest.fixture
def frozen_live_shop(own_sandbox: Any) -> Any:
    own_sandbox.control("POST", "clock", frozen=True)
    shop = own_sandbox.shop(livemode=True)
    shop.settings(live_webhooks_need_https=False)
    yield shop
    shop.http.close()


def endpoint(shop: Any, url: str) -> Any:
    return shop.v1.webhook_endpoints.create({"url": url, "enabled_events": ["customer.created"]})


def advance(shop: Any, seconds: float) -> None:
    shop.sandbox.control("POST", "clock", advance=seconds)


def attempted_at(shop: Any) -> list[int]:
    """Seconds of the sandbox's clock between the first attempt and each."""
    instants = [made["at"] for made in shop.sandbox.control("GET", "deliveries")["data"]]
    return [instant - instants[0] for instant in instants]


def test_in_a_sandbox_a_delivery_is_repeated_three_times_over_a_few_hours(frozen_shop: Any, receiver: Any) -> None:
    endpoint(frozen_shop, receiver.url)
    receiver.answers = [500] * 10
    frozen_shop.customer()
    advance(frozen_shop, 4 * DAY_S)
    assert attempted_at(frozen_shop) == [0, 1, 101, 10_101]


def test_live_a_delivery_is_repeated_for_three_days_with_growing_pauses(frozen_live_shop: Any, receiver: Any) -> None:
    endpoint(frozen_live_shop, receiver.url)
    receiver.answers = [500] * 30
    frozen_live_shop.customer()
    advance(frozen_live_shop, 5 * DAY_S)
    assert attempted_at(frozen_live_shop) == [2**n - 1 for n in range(18)]
    assert attempted_at(frozen_live_shop)[-1] < 3 * DAY_S < 2**18


@pytest.mark.parametrize(("schedule", "attempts"), [("live", 18), ("sandbox", 4), ("by_mode", 4)])
def test_the_schedule_may_be_chosen(schedule: str, attempts: int, frozen_shop: Any, receiver: Any) -> None:
    frozen_shop.settings(webhook_schedule=schedule)
    endpoint(frozen_shop, receiver.url)
    receiver.answers = [500] * 30
    frozen_shop.customer()
    advance(frozen_shop, 4 * DAY_S)
    assert len(attempted_at(frozen_shop)) == attempts


def test_the_number_of_attempts_may_be_limited(frozen_shop: Any, receiver: Any) -> None:
    frozen_shop.settings(webhook_attempts_max=2)
    endpoint(frozen_shop, receiver.url)
    receiver.answers = [500] * 10
    frozen_shop.customer()
    advance(frozen_shop, 4 * DAY_S)
    assert len(attempted_at(frozen_shop)) == 2


def test_a_failed_delivery_is_repeated_until_it_is_acknowledged(shop: Any, receiver: Any) -> None:
    shop.settings(webhook_backoff_s=0.01, webhook_schedule="live")
    endpoint(shop, receiver.url)
    receiver.answers = [500, 301, 404]
    shop.customer()
    bodies = {json.loads(body)["id"] for body, _ in receiver.wait(4)}
    assert len(bodies) == 1


def test_a_receiver_that_comes_back_on_the_third_day_gets_what_it_missed(frozen_live_shop: Any, receiver: Any) -> None:
    secret = endpoint(frozen_live_shop, receiver.url).secret
    receiver.answers = [503] * 17
    frozen_live_shop.customer()
    advance(frozen_live_shop, DAY_S)
    missed = frozen_live_shop.v1.events.list({"delivery_success": False}).data
    advance(frozen_live_shop, 2 * DAY_S)
    body, signature = receiver.wait(18)[-1]
    assert frozen_live_shop.client.construct_event(body, signature, secret).id == missed[0].id
    assert frozen_live_shop.v1.events.list({"delivery_success": False}).data == []


def test_an_acknowledged_delivery_is_not_repeated(frozen_shop: Any, receiver: Any) -> None:
    endpoint(frozen_shop, receiver.url)
    receiver.answers = [500]
    frozen_shop.customer()
    advance(frozen_shop, 4 * DAY_S)
    assert attempted_at(frozen_shop) == [0, 1]
    assert frozen_shop.v1.events.list({"delivery_success": True}).data[0].pending_webhooks == 0


def test_repeats_of_a_delivery_are_each_signed(shop: Any, receiver: Any) -> None:
    shop.settings(webhook_backoff_s=0.01)
    secret = endpoint(shop, receiver.url).secret
    receiver.answers = [500]
    shop.customer()
    for body, signature in receiver.wait(2):
        assert stripe.WebhookSignature.verify_header(body.decode(), signature, secret, 300)


def test_an_endpoint_deleted_meanwhile_is_not_tried_again(frozen_shop: Any, receiver: Any) -> None:
    made = endpoint(frozen_shop, receiver.url)
    receiver.answers = [500]
    frozen_shop.customer()
    advance(frozen_shop, 0)
    frozen_shop.v1.webhook_endpoints.delete(made.id)
    advance(frozen_shop, 4 * DAY_S)
    assert len(attempted_at(frozen_shop)) == 1


def test_an_endpoint_disabled_and_enabled_before_the_repeat_gets_it(frozen_shop: Any, receiver: Any) -> None:
    made = endpoint(frozen_shop, receiver.url)
    receiver.answers = [500]
    frozen_shop.customer()
    advance(frozen_shop, 0)
    frozen_shop.v1.webhook_endpoints.update(made.id, {"disabled": True})
    frozen_shop.v1.webhook_endpoints.update(made.id, {"disabled": False})
    advance(frozen_shop, 10)
    assert len(attempted_at(frozen_shop)) == 2


def test_a_repeat_goes_to_where_the_endpoint_is_then(frozen_shop: Any, receiver: Any) -> None:
    made = endpoint(frozen_shop, "http://127.0.0.1:9/")
    frozen_shop.customer()
    advance(frozen_shop, 0)
    frozen_shop.v1.webhook_endpoints.update(made.id, {"url": receiver.url})
    advance(frozen_shop, 10)
    assert len(receiver.wait(1)) == 1


def test_one_endpoint_that_fails_keeps_the_event_pending(frozen_shop: Any, receiver: Any) -> None:
    endpoint(frozen_shop, "http://127.0.0.1:9/")
    endpoint(frozen_shop, receiver.url)
    frozen_shop.customer()
    advance(frozen_shop, 0)
    assert frozen_shop.v1.events.list().data[0].pending_webhooks == 1


def test_a_delivery_by_hand_does_not_end_the_repeats(frozen_shop: Any, receiver: Any) -> None:
    endpoint(frozen_shop, receiver.url)
    receiver.answers = [500]
    frozen_shop.customer()
    advance(frozen_shop, 0)
    frozen_shop.sandbox.control("POST", "deliver", event=frozen_shop.v1.events.list().data[0].id)
    advance(frozen_shop, 10)
    assert len(receiver.wait(3)) == 3


@pytest.mark.parametrize(
    "switch",
    [{"webhook_timeout_s": 0.0}, {"webhook_timeout_s": float("inf")}, {"webhook_timeout_s": float("nan")},
     {"webhook_backoff_s": -1.0}, {"webhook_attempts_max": 0}, {"webhook_attempts_max": 10**9},
     {"webhook_stamp_offset_s": 10**12}, {"webhook_schedule": "never"}, {"webhook_attempts_max": True}],
)  # fmt: skip
def test_what_cannot_be_a_schedule_is_refused(shop: Any, switch: Any) -> None:
    with pytest.raises(OSError, match="400"):
        shop.settings(**switch)


def test_without_pauses_the_number_of_attempts_ends_the_repeats(frozen_live_shop: Any, receiver: Any) -> None:
    frozen_live_shop.settings(webhook_backoff_s=0.0, webhook_attempts_max=5)
    endpoint(frozen_live_shop, receiver.url)
    receiver.answers = [500] * 30
    frozen_live_shop.customer()
    assert len(receiver.wait(5)) == 5
