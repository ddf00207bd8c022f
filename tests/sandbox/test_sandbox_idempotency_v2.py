"""Idempotency-Keys of v2: successes are kept for 30 days, failures are executed again; and what both APIs share."""

from typing import Any

import pytest
import stripe

from sandbox.calls.idempotency import IdempotencyKeys, Keyed
from sandbox.http.answer import Answer, success

DAY_S = 86_400
DESTINATION: Any = {
    "name": "here",
    "type": "webhook_endpoint",
    "event_payload": "thin",
    "enabled_events": ["v1.billing.meter.no_meter_found"],
    "webhook_endpoint": {"url": "https://example.com/hook"},
}


def keyed(begun_at: int = 0, *, key: str = "k", api: Any = "v1", fingerprint: int = 1, window_s: int = DAY_S) -> Keyed:
    return Keyed(key=key, api=api, fingerprint=fingerprint, begun_at=begun_at, window_s=window_s)


def made(shop: Any, key: str, **more: Any) -> Any:
    return shop.client.v2.core.event_destinations.create(DESTINATION | more, {"idempotency_key": key})


@pytest.fixture
def meter_event(shop: Any) -> dict[str, Any]:
    shop.meter()
    payload = {"stripe_customer_id": shop.customer(), "value": "1"}
    return {"event_name": "calls", "payload": payload, "identifier": "row"}


def test_a_success_of_v2_is_replayed(shop: Any) -> None:
    first, again = made(shop, "k"), made(shop, "k")
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"


def test_a_replay_of_v2_tells_the_object_as_it_is_now(shop: Any) -> None:
    first = made(shop, "k")
    shop.client.v2.core.event_destinations.update(first.id, {"name": "elsewhere"})
    assert made(shop, "k").name == "elsewhere"


def test_a_replay_of_v2_tells_what_was_answered_where_the_object_is_gone(shop: Any) -> None:
    first = made(shop, "k")
    shop.client.v2.core.event_destinations.delete(first.id)
    assert made(shop, "k").name == "here"


def test_a_failure_of_v2_is_executed_again(shop: Any, meter_event: Any) -> None:
    send, key = shop.client.v2.billing.meter_events.create, {"idempotency_key": "k"}
    shop.fault("error_kept", times=1)
    with pytest.raises(stripe.APIError):
        send(meter_event, key)
    assert "Idempotent-Replayed" not in send(meter_event, key).last_response.headers


def test_a_500_of_v2_after_applying_is_executed_again_and_finds_its_identifier_taken(
    shop: Any, meter_event: Any
) -> None:
    send, key = shop.client.v2.billing.meter_events.create, {"idempotency_key": "k"}
    shop.fault("error_after", times=1)
    refusals = []
    for _ in range(2):
        with pytest.raises(stripe.StripeError) as refusal:
            send(meter_event, key)
        refusals.append((refusal.value.http_status, refusal.value.error.code))
    assert refusals == [(500, "api_error"), (400, "duplicate_meter_event")]
    assert shop.audit()["applied"] == 1


def test_a_delete_of_v2_may_be_replayed(shop: Any) -> None:
    destination = made(shop, "k")
    deleted = [
        shop.client.v2.core.event_destinations.delete(destination.id, {}, {"idempotency_key": "d"}) for _ in range(2)
    ]
    assert [each.last_response.headers.get("Idempotent-Replayed") for each in deleted] == [None, "true"]


def test_other_parameters_are_an_idempotency_error_of_v2(shop: Any) -> None:
    made(shop, "k")
    with pytest.raises(stripe.IdempotencyError):
        made(shop, "k", name="elsewhere")


def test_a_key_of_v1_means_nothing_to_v2(shop: Any) -> None:
    shop.v1.customers.create({}, {"idempotency_key": "k"})
    assert made(shop, "k").name == "here"


def test_a_key_of_v2_is_forgotten_after_30_days_sharp(own_shop: Any) -> None:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    first = made(own_shop, "k")
    own_shop.sandbox.control("POST", "clock", advance=30 * DAY_S - 1)
    assert made(own_shop, "k").id == first.id
    own_shop.sandbox.control("POST", "clock", advance=1)
    assert made(own_shop, "k").id != first.id


def test_the_window_of_v2s_keys_is_a_setting(own_shop: Any) -> None:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    own_shop.settings(idempotency_v2_window_s=60)
    first = made(own_shop, "k")
    own_shop.sandbox.control("POST", "clock", advance=60)
    assert made(own_shop, "k").id != first.id


def test_parameters_are_compared_whatever_their_order(shop: Any) -> None:
    answers = [
        shop.client.raw_request("post", "/v1/customers", **asked, idempotency_key="k")
        for asked in ({"name": "Ada", "email": "a@b.c"}, {"email": "a@b.c", "name": "Ada"})
    ]
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_a_key_is_as_old_as_its_first_call_and_not_as_its_answer() -> None:
    keys = IdempotencyKeys()
    keys.begin(keyed(0))
    keys.close(keyed(0), success({}))
    assert isinstance(keys.begin(keyed(DAY_S - 1)), Answer)
    assert keys.begin(keyed(DAY_S)) is None


def test_keys_past_their_window_are_let_go_of() -> None:
    keys = IdempotencyKeys()
    for second in range(5_000):
        keys.begin(keyed(second, key=str(second), window_s=100))
    assert len(keys) == 100
