"""Whatever stands where our keys should be, no message is lost, and what stood there is kept."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from meterpost.broker import QUEUE_NAME

Write = Callable[["redis.Redis", str], object]

KINDS: dict[str, Write] = {
    "a string": lambda client, key: client.set(key, "strange"),
    "a list": lambda client, key: client.rpush(key, "strange"),
    "a set": lambda client, key: client.sadd(key, "strange"),
    "a hash": lambda client, key: client.hset(key, "strange", "1"),
    "a sorted set": lambda client, key: client.zadd(key, {"strange": 1}),
    "a stream": lambda client, key: client.xadd(key, {"strange": "1"}),
}
BESIDE = {
    f"{QUEUE_NAME}.unacked": "a hash",
    f"{QUEUE_NAME}.unacked_index": "a sorted set",
    f"{QUEUE_NAME}.garbled": "a list",
    f"{QUEUE_NAME}.garbled.unacked": "a hash",
    f"{QUEUE_NAME}.garbled.unacked_index": "a sorted set",
}
FOREIGN = [(key, kind) for key, ours in BESIDE.items() for kind in KINDS if kind != ours]


@pytest.mark.parametrize(("key", "kind"), FOREIGN)
def test_a_key_of_another_type_beside_the_queue_costs_no_message(queue: Any, key: str, kind: str) -> None:
    KINDS[kind](queue.redis, key)
    queue.put(b"1")
    queue.put_garbled(b"{")

    claimed = queue.claim_until(queue.consumer(), messages=2)

    assert sorted(message.body for message in claimed) == [b"1", b"{"]
    assert len(queue.redis.keys(f"{key}.foreign.*")) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "a list"])
def test_a_queue_of_another_type_is_kept_apart_and_the_next_message_arrives(queue: Any, kind: str) -> None:
    KINDS[kind](queue.redis, QUEUE_NAME)
    consumer = queue.consumer()
    consumer.claim(messages_max=1, wait_s=0)
    queue.put(b"1")

    assert [message.body for message in consumer.claim(messages_max=1, wait_s=5)] == [b"1"]
    assert len(queue.redis.keys(f"{QUEUE_NAME}.foreign.*")) == 1


def test_what_is_claimed_comes_back_into_a_queue_that_became_another_type_meanwhile(queue: Any) -> None:
    queue.put(b"1")
    slow = queue.consumer()
    slow.claim(messages_max=1, wait_s=5)
    KINDS["a string"](queue.redis, QUEUE_NAME)

    slow.close()

    assert [message.body for message in queue.consumer().claim(messages_max=1, wait_s=5)] == [b"1"]


def test_forged_claims_without_an_item_and_items_without_a_claim_stop_nothing(queue: Any) -> None:
    queue.redis.zadd(f"{QUEUE_NAME}.unacked_index", {f"forged{n}": 0 for n in range(1000)})
    queue.redis.hset(f"{QUEUE_NAME}.unacked", mapping={"nobody:1": b"never claimed", b"\xff\x00": b""})
    queue.put(b"1")

    claimed = queue.claim_until(queue.consumer(), messages=1)

    assert [message.body for message in claimed] == [b"1"]
    assert queue.redis.hget(f"{QUEUE_NAME}.unacked", "nobody:1") == b"never claimed"
