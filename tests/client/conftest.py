"""A client on a real queue, a look into that queue, and a network that loses replies."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from local.valkey import valkey
from meterpost import Meterpost
from meterpost.broker import QUEUE_NAME
from meterpost.envelope import open_item


class QueuedRows:
    """What stands in the queue, read without taking it."""

    recent = datetime.now(UTC).isoformat()

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def messages(self) -> list[dict[str, Any]]:
        items: Any = self._client.lrange(QUEUE_NAME, 0, -1)
        opened = [open_item(item, queue=QUEUE_NAME, tag="") for item in reversed(items)]
        return [json.loads(envelope["body"]) for envelope in opened if envelope is not None]

    def rows(self) -> list[dict[str, Any]]:
        return [row for message in self.messages() for row in message["rows"]]


class LossyProxy:
    """Stands before a server and drops the replies to the next `replies_to_drop` pushes, after they took effect."""

    def __init__(self, url: str) -> None:
        self._upstream = (urlsplit(url).hostname, urlsplit(url).port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.replies_to_drop = 0
        self.pushes = 0
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}{urlsplit(url).path}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                peer = self._listener.accept()[0]
            except OSError:
                return  # closed: the test is over
            thread = threading.Thread(target=self._forward, args=[peer])
            self._threads.append(thread)
            thread.start()

    def _forward(self, peer: socket.socket) -> None:
        with peer, socket.create_connection(self._upstream) as server:
            while asked := peer.recv(65536):
                server.sendall(asked)
                reply = server.recv(65536)
                is_push = b"LPUSH" in asked
                self.pushes += is_push
                if is_push and self.replies_to_drop > 0:
                    self.replies_to_drop -= 1
                    return
                peer.sendall(reply)


@pytest.fixture
def meterpost(valkey_url: str) -> Iterator[Meterpost]:
    with Meterpost(valkey_url) as client:
        yield client


@pytest.fixture
def queued(valkey_url: str) -> Iterator[QueuedRows]:
    with redis.Redis.from_url(valkey_url) as client:
        yield QueuedRows(client)


@pytest.fixture
def lossy_proxy(valkey_url: str) -> Iterator[LossyProxy]:
    proxy = LossyProxy(valkey_url)
    yield proxy
    proxy.close()


@pytest.fixture
def lossy_meterpost(lossy_proxy: LossyProxy) -> Iterator[Meterpost]:
    with Meterpost(lossy_proxy.url, deadline_s=0.5) as client:
        yield client


@pytest.fixture
def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def full_valkey_url() -> Iterator[str]:
    with valkey() as server, redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", "1")
        yield server.url
