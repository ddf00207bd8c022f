"""The service's end of the queue: claim, and acknowledge what is committed."""

import base64
import json
import os
import pickle
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from meterpost import Meterpost
from service.queues import QueueDepth, QueueUnavailable, RowQueue

NOTHING = QueueDepth(waiting=0, unacked=0, garbled=0, oldest_sent_at=None)


def test_messages_come_in_the_order_they_were_put(queue: Any) -> None:
    queue.put(b"1", b"2")
    queue.put(b"3")
    claimed = queue.consumer().claim(messages_max=10, wait_s=5)
    assert [message.body for message in claimed] == [b"1", b"2", b"3"]


def test_what_a_client_published_is_json(queue: Any) -> None:
    with Meterpost(queue.url) as meterpost:
        meterpost.usage("cus_1", "api_requests", 1)
    [message] = queue.consumer().claim(messages_max=10, wait_s=5)
    assert (message.is_json, message.is_garbled, message.is_redelivered) == (True, False, False)


def test_an_empty_queue_answers_with_nothing(queue: Any) -> None:
    assert queue.consumer().claim(messages_max=10, wait_s=0) == []


def test_a_message_that_comes_while_waiting_is_claimed(queue: Any) -> None:
    consumer = queue.consumer()
    consumer.claim(messages_max=1, wait_s=0)
    later = threading.Timer(0.05, queue.put, [b"1"])
    later.start()
    assert [message.body for message in consumer.claim(messages_max=1, wait_s=30)] == [b"1"]
    later.join()


def test_no_more_is_claimed_than_asked_for(queue: Any) -> None:
    queue.put(b"1", b"2", b"3")
    consumer = queue.consumer()
    claimed = consumer.claim(messages_max=2, wait_s=5)
    consumer.ack(claimed)
    assert [message.body for message in claimed] == [b"1", b"2"]
    assert [message.body for message in consumer.claim(messages_max=2, wait_s=5)] == [b"3"]


def test_no_more_is_taken_from_the_queue_than_the_prefetch(queue: Any) -> None:
    queue.put(b"1", b"2", b"3")
    consumer = queue.consumer(prefetch_messages=2)
    assert len(consumer.claim(messages_max=10, wait_s=0)) == 2
    assert consumer.depth().waiting == 1


def test_what_was_not_acknowledged_comes_first_in_the_next_claim(queue: Any) -> None:
    queue.put(b"1", b"2", b"3")
    consumer = queue.consumer(prefetch_messages=3)
    consumer.claim(messages_max=2, wait_s=5)
    again = consumer.claim(messages_max=3, wait_s=5)
    consumer.ack(again)
    assert [(message.body, message.is_redelivered) for message in again] == [
        (b"1", True),
        (b"2", True),
        (b"3", False),
    ]
    assert consumer.depth() == NOTHING


def test_what_is_acknowledged_is_gone_also_after_the_visibility_timeout(queue: Any) -> None:
    queue.put(b"1")
    consumer = queue.consumer(visibility_timeout_s=0.01)
    consumer.ack(consumer.claim(messages_max=1, wait_s=5))
    assert consumer.claim(messages_max=1, wait_s=0.1) == []
    assert consumer.depth() == NOTHING


def test_acknowledging_a_part_leaves_the_rest(queue: Any) -> None:
    queue.put(b"1", b"2")
    consumer = queue.consumer()
    consumer.ack(consumer.claim(messages_max=2, wait_s=5)[:1])
    assert consumer.depth().unacked == 1
    assert [message.body for message in consumer.claim(messages_max=2, wait_s=5)] == [b"2"]


def test_claims_are_acknowledged_in_their_order(queue: Any) -> None:
    queue.put(b"1", b"2")
    consumer = queue.consumer()
    claimed = consumer.claim(messages_max=2, wait_s=5)
    with pytest.raises(AssertionError, match="in their order"):
        consumer.ack(claimed[1:])


def test_closing_gives_back_at_once_and_in_order(queue: Any) -> None:
    queue.put(b"1", b"2", b"3")
    first = queue.consumer()
    first.claim(messages_max=2, wait_s=5)
    first.close()
    claimed = queue.consumer().claim(messages_max=10, wait_s=5)
    assert [(message.body, message.is_redelivered) for message in claimed] == [
        (b"1", True),
        (b"2", True),
        (b"3", True),
    ]


def test_a_claim_that_expired_goes_to_another_consumer(queue: Any) -> None:
    queue.put(b"1")
    queue.consumer().claim(messages_max=1, wait_s=5)
    [message] = queue.consumer(visibility_timeout_s=0.01).claim(messages_max=1, wait_s=5)
    assert (message.body, message.is_redelivered) == (b"1", True)


def test_a_late_acknowledgement_leaves_the_second_delivery(queue: Any) -> None:
    queue.put(b"1")
    slow, quick = queue.consumer(), queue.consumer(visibility_timeout_s=0.01)
    late = slow.claim(messages_max=1, wait_s=5)
    quick.claim(messages_max=1, wait_s=5)
    slow.ack(late)
    assert slow.depth().unacked == 1


def test_garbled_items_are_delivered_flagged_with_every_byte(queue: Any) -> None:
    items = [b"{", bytes(range(256)), b"[" * 100_000, b'{"body": 1}']
    queue.put_garbled(*items)
    queue.put(b"{}")
    claimed = queue.claim_until(queue.consumer(), messages=5)
    assert sorted(message.body for message in claimed if message.is_garbled) == sorted(items)
    assert [message.body for message in claimed if message.is_json] == [b"{}"]


def test_garbled_items_are_acknowledged_like_others(queue: Any) -> None:
    queue.put_garbled(b"{")
    queue.put(b"{}")
    consumer = queue.consumer()
    queue.claim_until(consumer, messages=2)
    assert consumer.depth() == NOTHING
    assert queue.redis.keys() == []


def test_a_pickle_is_delivered_as_it_is_and_never_loaded(queue: Any) -> None:
    pickled = {"content-type": "application/x-python-serialize", "content-encoding": "binary", "headers": {}}
    body = base64.b64encode(pickle.dumps(os._exit)).decode()
    queue.put_garbled(json.dumps(pickled | {"body": body, "properties": {"body_encoding": "base64"}}).encode())
    [message] = queue.consumer().claim(messages_max=1, wait_s=5)
    assert (message.content_type, message.is_json) == ("application/x-python-serialize", False)
    assert message.body == pickle.dumps(os._exit)


def test_the_depth_tells_the_oldest_message(queue: Any) -> None:
    before = datetime.now(UTC)
    with Meterpost(queue.url) as meterpost:
        meterpost.usage("cus_1", "api_requests", 1)
        meterpost.usage("cus_1", "api_requests", 1)
    depth = queue.consumer().depth()
    assert depth.waiting == 2
    assert depth.oldest_sent_at is not None
    assert before <= depth.oldest_sent_at <= datetime.now(UTC)


@pytest.mark.parametrize("item", [b"{", b'{"body": "1", "content-type": "a", "headers": {}, "properties": {}}'])
def test_the_depth_of_what_cannot_be_read_has_no_age(queue: Any, item: bytes) -> None:
    queue.put_garbled(item)
    assert queue.consumer().depth() == QueueDepth(waiting=1, unacked=0, garbled=0, oldest_sent_at=None)


def test_a_broker_that_is_away_is_one_kind_of_exception() -> None:
    away = RowQueue("redis://127.0.0.1:1/0", visibility_timeout_s=60, prefetch_messages=1)
    with pytest.raises(QueueUnavailable, match="ConnectionError"):
        away.claim(messages_max=1, wait_s=0)


def test_rows_travel_over_other_brokers_of_kombu_too() -> None:
    consumer = RowQueue("memory://", visibility_timeout_s=60, prefetch_messages=10)
    with Meterpost("memory://") as meterpost:
        row_id = meterpost.usage("cus_1", "api_requests", 1)
    claimed = consumer.claim(messages_max=10, wait_s=5)
    consumer.ack(claimed)
    assert [row_id.encode() in message.body for message in claimed] == [True]
    assert consumer.depth() == NOTHING
    consumer.close()
