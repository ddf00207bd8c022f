"""Step 5 for subscriptions: a row becomes one subscription at Stripe, whatever happens to its calls."""

from dataclasses import replace

import pytest

from service.timing import FAST

KINDS = ["reply_lost", "error_after", "error_before", "error_kept", "bad_gateway_after", "connection_reset"]
KINDS += ["lock_timeout", "rate_limited", "conflict"]
TIMING = replace(FAST, call_deadline_s=2)


def patient(shop):
    """Backs off for minutes."""
    subscriber = shop.another_subscriber(timing=replace(TIMING, backoff_base_s=900, backoff_max_s=900))
    subscriber._chance.seed(1)
    return subscriber


def test_a_row_becomes_one_subscription_that_names_it(shop):
    customer = shop.tell()

    shop.work()

    (made,) = shop.made(customer)
    assert shop.ask("SELECT state, subscription FROM signup") == [("created", made.id)]
    assert made.metadata["meterpost_row"] == shop.ask("SELECT identifier FROM signup")[0]
    assert shop.steps() == ["price", "list", "create+"]


def test_one_reading_of_a_price_serves_the_rows_of_minutes(shop):
    shop.tell(*[{"row_id": f"s{number}"} for number in range(5)])

    shop.work()

    assert set(shop.states().values()) == {"created"}
    assert shop.steps().count("price") <= 5
    shop.tell(row_id="s9")
    shop.work()
    assert shop.ask("SELECT step FROM signup_attempt JOIN signup USING (signup_id) WHERE row_id = 's9' ORDER BY 1") == [
        "create",
        "list",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_befalls_a_creation_it_is_made_once(shop, kind):
    shop.fault(kind, times=1)
    customer = shop.tell()

    shop.work(2)
    for _ in range(3):
        shop.pass_time(seconds=3)
        shop.work()

    assert len(shop.made(customer)) == 1
    assert shop.states() == {"s1": "created"}


def test_an_answer_that_was_lost_is_found_in_the_list(shop):
    shop.fault("reply_lost", times=1)
    customer = shop.tell()

    shop.work(2)

    assert shop.states() == {"s1": "created"}
    assert shop.steps() == ["price", "list", "create+", "list"]
    assert len(shop.made(customer)) == 1


def test_an_answer_that_was_lost_and_is_asked_for_after_stripe_forgot_its_key_is_found(shop):
    shop.fault("reply_lost", times=1)
    customer = shop.tell()
    patient(shop).turn(shop.lease())
    assert shop.states() == {"s1": "unknown"}
    shop.pass_time(hours=30)

    shop.work()

    assert shop.states() == {"s1": "created"}
    assert len(shop.made(customer)) == 1
