"""The guard: a customer's usage of a meter is billed by one subscription, unless a row or a person says otherwise."""

from concurrent.futures import ThreadPoolExecutor

import pytest


def states_and_reasons(shop):
    return shop.ask("SELECT row_id, state, split_part(coalesce(reason, ''), ':', 1) FROM signup ORDER BY row_id")


def test_of_two_rows_of_one_file_the_first_is_made_and_the_second_waits_for_a_person(shop):
    customer = shop.customer()

    shop.tell({"row_id": "s1"}, {"row_id": "s2"}, customer=customer, import_name="march.csv")
    shop.work(2)

    assert states_and_reasons(shop) == [("s1", "created", ""), ("s2", "blocked", "duplicate_subscription")]
    assert len(shop.made(customer)) == 1


def test_two_imports_at_once_cannot_both_create(shop):
    customer = shop.customer()
    shop.tell({"row_id": "s1"}, customer=customer, import_name="a.csv")
    shop.tell({"row_id": "s2"}, customer=customer, import_name="b.csv")
    workers = [shop.another_subscriber() for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda worker: worker.drain("default", 0), workers))

    assert [state for _, state, _ in states_and_reasons(shop)] == ["created", "blocked"]
    assert len(shop.made(customer)) == 1


def test_a_subscription_made_by_hand_blocks_a_row_on_another_price_of_the_same_meter(shop):
    customer = shop.customer()
    (meter,) = {price.recurring.meter for price in shop.stripe.v1.prices.list().data}
    by_hand = shop.make_price(meter)
    made = shop.stripe.v1.subscriptions.create({"customer": customer, "items": [{"price": by_hand}]})

    shop.tell(customer=customer)
    shop.work()

    assert shop.states() == {"s1": "blocked"}
    assert made.id in shop.ask("SELECT reason FROM signup")[0]
    assert shop.steps() == ["price", "list"]


def test_a_subscription_on_another_meter_is_in_nobodys_way(shop):
    customer = shop.tell()
    other = shop.make_price(shop.make_meter("calls"))

    shop.tell(customer=customer, price=other, row_id="s2")
    shop.work()

    assert set(shop.states().values()) == {"created"}


@pytest.mark.parametrize("status", ["canceled"])
def test_a_subscription_that_has_ended_is_in_nobodys_way(shop, status):
    customer = shop.customer()
    made = shop.stripe.v1.subscriptions.create({"customer": customer, "items": [{"price": shop.price}]})
    assert shop.stripe.v1.subscriptions.cancel(made.id).status == status

    shop.tell(customer=customer)
    shop.work()

    assert shop.states() == {"s1": "created"}


def test_a_row_that_is_meant_makes_a_second_subscription(shop):
    customer = shop.tell()
    shop.work()

    shop.tell(customer=customer, row_id="s2", allow_duplicate=True)
    shop.work()

    assert set(shop.states().values()) == {"created"}
    assert len(shop.made(customer)) == 2


def test_a_row_of_another_import_on_the_same_price_is_held_back_though_it_is_meant(shop):
    customer = shop.tell(import_name="march.csv")
    shop.work()

    shop.tell(customer=customer, row_id="s2", allow_duplicate=True, import_name="march-again.csv")
    shop.work()

    assert states_and_reasons(shop)[1] == ("s2", "blocked", "overlaps_import")


def test_a_row_behind_one_in_doubt_waits_until_that_is_known(shop):
    customer = shop.customer()
    shop.fault("reply_lost", times=1)
    shop.fault("connection_reset", method="GET", times=3, path="/v1/subscriptions")

    shop.tell({"row_id": "s1"}, {"row_id": "s2"}, customer=customer)
    shop.work()
    for _ in range(6):
        shop.pass_time(seconds=3)
        shop.work()

    assert [state for _, state, _ in states_and_reasons(shop)] == ["created", "blocked"]
    assert len(shop.made(customer)) == 1
