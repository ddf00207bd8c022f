"""Our transport under kombu's own producers and consumers."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from kombu import Connection, Consumer, Producer, Queue

from meterpost.broker import connect, open_channel
from meterpost.envelope import open_item, unmark, wrap_garbled

TLS_HANDSHAKE = b"\x16"


@pytest.fixture
def connection(valkey_url: str) -> Iterator[Connection]:
    with connect(valkey_url) as opened:
        yield opened


class Listener:
    """Hears the first byte that a client says, and hangs up."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._heard: list[bytes] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        self.port = self._socket.getsockname()[1]

    def first_byte(self) -> bytes:
        self._thread.join()
        return self._heard[0]

    def close(self) -> None:
        self._socket.close()

    def _listen(self) -> None:
        peer, _ = self._socket.accept()
        with peer:
            self._heard.append(peer.recv(1))


@pytest.fixture
def server_hello() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def calls(valkey_url: str) -> Iterator[Any]:
    """How many commands the server has answered since."""
    with redis.Redis.from_url(valkey_url) as client:
        client.config_resetstat()
        yield lambda: {name: told["calls"] for name, told in client.info("commandstats").items()}


def _consumer(connection: Connection, messages: list[Any], *, prefetch_count: int = 100) -> Consumer:
    queue = Queue("q", no_declare=True)
    channel = open_channel(connection)
    consumer = Consumer(channel, [queue], on_message=messages.append, prefetch_count=prefetch_count)
    consumer.consume()
    return consumer


def _publish(connection: Connection, *bodies: bytes) -> None:
    with Producer(open_channel(connection)) as producer, producer.batch():
        for body in bodies:
            producer.publish(body, routing_key="q", content_type="application/json", content_encoding="utf-8")


def test_a_message_is_delivered_as_it_was_published(connection: Connection) -> None:
    messages: list[Any] = []
    with _consumer(connection, messages):
        _publish(connection, b'{"a": 1}')
        connection.drain_events(timeout=5)
    assert [(bytes(told.body), told.content_type) for told in messages] == [(b'{"a": 1}', "application/json")]


def test_a_hundred_messages_are_pushed_by_one_command(connection: Connection, calls: Any) -> None:
    _publish(connection, *[b"{}"] * 100)
    assert calls()["cmdstat_lpush"] == 1


def test_acknowledging_many_is_one_round_trip(connection: Connection, calls: Any) -> None:
    messages: list[Any] = []
    with _consumer(connection, messages):
        _publish(connection, *[b"{}"] * 100)
        connection.drain_events(timeout=5)
        messages[-1].ack(multiple=True)
    assert (calls()["cmdstat_hdel"], calls()["cmdstat_zrem"], calls()["cmdstat_exec"]) == (1, 1, 1)


def test_acknowledging_up_to_a_message_leaves_those_behind_it(connection: Connection) -> None:
    messages: list[Any] = []
    with _consumer(connection, messages) as consumer:
        _publish(connection, b"1", b"2", b"3")
        connection.drain_events(timeout=5)
        messages[1].ack(multiple=True)
        assert list(consumer.channel.qos._delivered) == [messages[2].delivery_tag]


def test_no_more_than_the_prefetch_is_claimed(connection: Connection) -> None:
    messages: list[Any] = []
    with _consumer(connection, messages, prefetch_count=2) as consumer:
        _publish(connection, b"1", b"2", b"3")
        connection.drain_events(timeout=5)
        assert consumer.channel.items.depth("q").waiting == 1


def test_a_requeued_message_comes_again(connection: Connection) -> None:
    messages: list[Any] = []
    with _consumer(connection, messages):
        _publish(connection, b"1")
        connection.drain_events(timeout=5)
        messages[0].requeue()
        connection.drain_events(timeout=5)
    assert [told.delivery_info["redelivered"] for told in messages] == [False, True]


def test_a_rejected_message_is_gone(connection: Connection) -> None:
    messages: list[Any] = []
    with _consumer(connection, messages) as consumer:
        _publish(connection, b"1")
        connection.drain_events(timeout=5)
        messages[0].reject()
        assert consumer.channel.items.depth("q").unacked == 0


def test_a_prefix_of_keys_is_kept_from_publishing_to_restoring(valkey_url: str, connection: Connection) -> None:
    options = {"global_keyprefix": "team:"}
    with Connection(valkey_url, transport="meterpost.transport:Transport", transport_options=options) as prefixed:
        messages: list[Any] = []
        consumer = _consumer(prefixed, messages)
        _publish(prefixed, b"1")
        prefixed.drain_events(timeout=5)
        consumer.channel.close()
    plain = open_channel(connection).items
    assert (plain.depth("q").waiting, plain.depth("team:q").waiting) == (0, 1)


def test_an_empty_queue_is_a_timeout(connection: Connection) -> None:
    with _consumer(connection, []), pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.01)


def test_every_command_is_sent_once(connection: Connection) -> None:
    retry = open_channel(connection).pool.connection_kwargs["retry"]
    assert retry.get_retries() == 0


def test_rediss_without_options_is_spoken_in_tls(server_hello: Any) -> None:
    with pytest.raises(redis.ConnectionError):
        open_channel(connect(f"rediss://127.0.0.1:{server_hello.port}/0"))
    assert server_hello.first_byte() == TLS_HANDSHAKE


@pytest.mark.parametrize(
    "item",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"body": "e30=", "content-type": "application/json"}',
        b'{"body": "!", "content-type": "a", "headers": {}, "properties": {"body_encoding": "base64"}}',
        b'{"body": "a", "content-type": "a", "headers": {}, "properties": {"body_encoding": "rot13"}}',
        b'{"body": "a", "content-type": "a", "headers": {"compression": "zlib"}, "properties": {}}',
        b'{"body": "a", "content-type": "a\\u0000", "headers": {}, "properties": {}}',
        b'{"body": {}, "content-type": "a", "headers": {}, "properties": {}}',
        b'{"body": "\\ud800", "content-type": "a", "headers": {}, "properties": {}}',
    ],
    ids=lambda item: repr(item[:30]),
)
def test_an_item_that_is_no_envelope_in_every_part_is_garbled(item: bytes) -> None:
    assert open_item(item, queue="q", tag="t") is None
    assert wrap_garbled(item, queue="q", tag="t")["body"] == item


def test_a_body_is_never_decoded_by_its_own_word() -> None:
    item = b'{"body": "gAQ=", "content-type": "application/x-python-serialize", "headers": {}, "properties": {}}'
    opened = open_item(item, queue="q", tag="t")
    assert opened is not None
    assert opened["body"] == b"gAQ="


def test_the_mark_of_a_redelivery_is_not_part_of_the_item() -> None:
    assert unmark(b"\x1eredelivered\x1e{}") == b"{}"
