"""Whatever is killed or frozen between claim and acknowledgement, no message is lost."""

from typing import Any

import pytest
import redis

from local.valkey import valkey
from meterpost.broker import QUEUE_NAME
from meterpost.publisher import Publisher
from service.queues import QueueUnavailable, RowQueue


def _messages(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


def test_sixty_killed_consumers_lose_none_of_six_thousand_messages(queue: Any, consumers: Any) -> None:
    queue.put(*_messages(6000))
    consumers.ask("kill 60")
    redelivered = int(consumers.ask("drain"))
    assert consumers.recorded() == {str(number) for number in range(6000)}
    assert redelivered > 0


def test_consumers_killed_while_restoring_lose_nothing(queue: Any, consumers: Any) -> None:
    queue.put(*_messages(1000))
    queue.consumer(prefetch_messages=1000).claim(messages_max=1000, wait_s=5)
    consumers.ask("kill 20")
    consumers.ask("drain")
    assert consumers.recorded() == {str(number) for number in range(1000)}


def test_a_frozen_consumer_holds_no_message(queue: Any, consumers: Any) -> None:
    consumers.ask("freeze")
    queue.put(b"1")
    claimed = queue.consumer().claim(messages_max=1, wait_s=5)
    assert [(message.body, message.is_redelivered) for message in claimed] == [(b"1", False)]


def test_killed_consumers_leave_every_garbled_item(queue: Any, consumers: Any) -> None:
    garbled = [b"garbled%d" % number for number in range(200)]
    queue.put_garbled(*garbled)
    consumers.ask("kill 20")
    consumers.ask("drain")
    assert consumers.recorded() == {item.decode() for item in garbled}


def test_a_server_killed_and_restarted_keeps_what_waits_and_what_is_claimed() -> None:
    with valkey() as server:
        publisher, consumer = Publisher(server.url), RowQueue(server.url, visibility_timeout_s=60, prefetch_messages=1)
        publisher.publish([b"1", b"2"])
        consumer.claim(messages_max=1, wait_s=5)
        server.kill()
        server.start()
        depth = consumer.depth()
        publisher.close()
        consumer.close()
    assert (depth.waiting, depth.unacked) == (1, 1)


def test_after_a_restart_of_the_server_the_next_call_goes_on(queue: Any) -> None:
    with valkey() as server:
        consumer = RowQueue(server.url, visibility_timeout_s=60, prefetch_messages=10)
        consumer.claim(messages_max=1, wait_s=0)
        server.kill()
        with pytest.raises(QueueUnavailable):
            consumer.claim(messages_max=1, wait_s=0)
        server.start()
        assert consumer.claim(messages_max=1, wait_s=0) == []
        consumer.close()


def test_claims_of_a_broken_connection_are_acknowledged_in_vain_and_come_again() -> None:
    with valkey() as server:
        publisher, consumer = Publisher(server.url), RowQueue(server.url, visibility_timeout_s=60, prefetch_messages=9)
        publisher.publish([b"1"])
        claimed = consumer.claim(messages_max=1, wait_s=5)
        server.kill()
        with pytest.raises(QueueUnavailable):
            consumer.ack(claimed)
        server.start()
        consumer.ack(claimed)
        assert consumer.depth().unacked == 1
        publisher.close()
        consumer.close()


def test_a_call_spans_a_restart_of_the_server() -> None:
    with valkey() as server:
        publisher = Publisher(server.url)
        publisher.publish([b"1"])
        server.kill()
        server.start()
        assert publisher.publish([b"2"]) is None
        publisher.close()


def test_a_full_server_refuses_rows_and_can_still_be_emptied() -> None:
    with valkey() as server, redis.Redis.from_url(server.url) as client:
        publisher, consumer = Publisher(server.url), RowQueue(server.url, visibility_timeout_s=60, prefetch_messages=9)
        publisher.publish([b"1", b"2"])
        client.config_set("maxmemory", "1")
        refused = publisher.publish([b"3"])
        consumer.ack(consumer.claim(messages_max=1, wait_s=0))
        consumer.close()
        publisher.close()
        assert "OutOfMemory" in type(refused).__name__
        assert client.llen(QUEUE_NAME) == 1


def test_closing_on_a_server_that_says_no_leaves_the_claims_to_the_visibility_timeout() -> None:
    with valkey() as server, redis.Redis.from_url(server.url) as client:
        publisher, consumer = Publisher(server.url), RowQueue(server.url, visibility_timeout_s=60, prefetch_messages=9)
        publisher.publish([b"1"])
        consumer.claim(messages_max=1, wait_s=5)
        client.replicaof("127.0.0.1", "1")  # and so read-only
        consumer.close()
        publisher.close()
        assert client.hlen(f"{QUEUE_NAME}.unacked") == 1
