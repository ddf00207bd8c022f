"""Two files tell the same customers at the same time, to several workers of each step: no customer is billed twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.queues import RowQueue
from tests.signups.conftest import TIMING, Shop
from workers.record import Recorder

CUSTOMERS = 12
FILES = ("march.csv", "march-again.csv")


@pytest.fixture
def told(shop: Shop) -> list[str]:
    """The customers of two files, each row a message of its own, so that both `record` workers have some."""
    customers = [shop.customer() for _ in range(CUSTOMERS)]
    for number, customer in enumerate(customers):
        for name in FILES:
            row = {"customer": customer, "price": shop.price, "row_id": f"{name}-{number}", "import_name": name}
            shop.client.publish_subscriptions([row])
    return customers


def record_at_once(shop: Shop) -> None:
    queues = [RowQueue(shop.settings.broker_url, visibility_timeout_s=5, prefetch_messages=4) for _ in range(2)]
    recorders = [Recorder(shop.ledger, queue, timing=TIMING) for queue in queues]

    def record(recorder: Recorder) -> None:
        while recorder.record_some():
            continue

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(record, recorders))
    for queue in queues:
        queue.close()


def subscribe_at_once(shop: Shop) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda worker: worker.drain("default", 0), [shop.another_subscriber() for _ in range(2)]))


def test_of_two_files_at_once_one_row_a_customer_is_made_and_the_other_waits_for_a_person(
    shop: Shop, told: list[str]
) -> None:
    record_at_once(shop)
    subscribe_at_once(shop)

    by_customer = shop.ask("SELECT array_agg(state ORDER BY state) FROM signup GROUP BY signup_lane_id")
    assert by_customer == [["blocked", "created"]] * CUSTOMERS
    assert [len(shop.made(customer)) for customer in told] == [1] * CUSTOMERS
    assert set(shop.ask("SELECT split_part(reason, ':', 1) FROM signup WHERE state = 'blocked'")) <= {
        "overlaps_import",
        "duplicate_subscription",
    }
    assert [call["method"] for call in shop.calls()].count("POST") == CUSTOMERS


def test_rows_are_made_while_others_are_recorded(shop: Shop, told: list[str]) -> None:
    with ThreadPoolExecutor(2) as pool:
        recording = pool.submit(record_at_once, shop)
        while not recording.done():
            subscribe_at_once(shop)
    subscribe_at_once(shop)

    assert [len(shop.made(customer)) for customer in told] == [1] * CUSTOMERS
