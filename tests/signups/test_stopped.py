"""What is said of subscriptions that are not made, as Stripe refuses the key or fails: no breaker opens for them."""

import threading
from dataclasses import replace
from typing import Any

from local.sandbox import ask_sandbox
from service.gateway import Gateway
from service.limiter import Unlimited
from service.timing import FAST
from workers._watching import Watcher

STOPPED = "SELECT is_urgent, said FROM alarm WHERE kind = 'stopped' AND cleared_at IS NULL"


def stopped(shop: Any) -> list[Any]:
    Watcher(shop.ledger, shop.subscriber._gateway, "default", timing=replace(FAST, watch_s=0)).watch_due()
    return list(shop.ask(STOPPED))


def with_key(shop: Any, key: str) -> Any:
    """As after the key was changed, or before it was mended."""
    chosen = replace(shop.settings, stripe_secret_key=key)
    return shop.another_subscriber(gateway=Gateway(chosen, limiter=Unlimited()), stopping=threading.Event())


def call_for(shop: Any, seconds: int) -> None:
    """Every ten seconds, by a process of its own: one that lives on would rest."""
    for _ in range(0, seconds, 10):
        shop.another_subscriber(timing=FAST).drain("default", 0)
        shop.pass_time(seconds=10)


def end_outage(shop: Any) -> None:
    ask_sandbox(shop.sandbox.url, f"/_sandbox/faults?account={shop.stripe_account}", method="DELETE")


def test_a_key_that_is_refused_to_subscriptions_alone_is_urgent_until_a_call_is_answered(shop: Any) -> None:
    shop.tell()
    with_key(shop, "sk_test_made_up_and_wrong").drain("default", 0)
    during = stopped(shop)
    shop.pass_time(minutes=1)
    shop.work()

    ((is_urgent, said),) = during
    assert (is_urgent, said.startswith("nothing is sent: 401: ")) == (True, True)
    assert (shop.states(), stopped(shop)) == ({"s1": "created"}, [])


def test_an_outage_that_subscriptions_alone_meet_is_an_alarm_after_half_a_minute(shop: Any) -> None:
    shop.tell()
    shop.fault("error_before", path=f"/v1/prices/{shop.price}", method="GET")
    call_for(shop, 20)
    early = stopped(shop)
    call_for(shop, 20)
    during = stopped(shop)
    end_outage(shop)
    call_for(shop, 10)

    ((is_urgent, said),) = during
    assert (early, is_urgent) == ([], False)
    assert said.startswith("no subscription is made: Stripe fails: 500")
    assert stopped(shop) == []


def test_where_nothing_is_to_be_made_any_more_nothing_is_stopped(shop: Any) -> None:
    shop.tell()
    with_key(shop, "sk_test_made_up_and_wrong").drain("default", 0)
    shop.write("UPDATE signup SET state = 'refused', due_at = NULL, reason = 'a test'")
    shop.write("UPDATE signup_lane SET due_at = NULL")

    assert stopped(shop) == []
