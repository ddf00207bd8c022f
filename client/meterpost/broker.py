"""The queue of rows: its name, and how a broker URL becomes a connection.

The URL chooses the broker. Redis goes through our own transport, because stock kombu loses messages there; RabbitMQ
goes through kombu's, as a quorum queue with publisher confirms.
"""

from __future__ import annotations

from ssl import CERT_REQUIRED
from typing import Any, Final
from urllib.parse import urlsplit

from kombu.connection import Connection
from kombu.entity import Queue

from meterpost.items import garbled_queue

QUEUE_NAME: Final = "meterpost.usage"
VISIBILITY_TIMEOUT_S: Final = 60  # more than ten times the longest transaction that records a claim

_REDIS: Final = frozenset({"redis", "rediss"})
_AMQP: Final = frozenset({"amqp", "amqps", "pyamqp"})


def connect(broker_url: str, *, visibility_timeout_s: int = VISIBILITY_TIMEOUT_S) -> Connection:
    """A connection to the broker, not yet open. Raises ValueError for a URL of no known broker."""
    if is_redis(broker_url):
        options = {"visibility_timeout": visibility_timeout_s}
        # Where the URL says nothing of certificates kombu would accept any, and with a transport of our own speak
        # in the clear.
        tls = {"ssl_cert_reqs": CERT_REQUIRED} if urlsplit(broker_url).scheme == "rediss" else False
        return Connection(  # type: ignore[no-untyped-call]  # kombu has no annotations there
            broker_url, transport="meterpost.transport:Transport", transport_options=options, ssl=tls
        )
    if urlsplit(broker_url).scheme in _AMQP:
        return Connection(broker_url, transport_options={"confirm_publish": True})  # type: ignore[no-untyped-call]
    try:
        return Connection(broker_url)  # type: ignore[no-untyped-call]
    except (KeyError, ValueError) as unknown:
        raise ValueError("the broker URL names no broker we know; write redis://, rediss:// or amqp://") from unknown


def open_channel(connection: Connection) -> Any:
    """The connection's first channel. One attempt: kombu would repeat for ever, and repeating is the caller's."""
    connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)  # type: ignore[no-untyped-call]
    return connection.channel()  # type: ignore[no-untyped-call]


def is_redis(broker_url: str) -> bool:
    return urlsplit(broker_url).scheme in _REDIS


def row_queues(broker_url: str) -> list[Queue]:
    """The queues a consumer of rows listens to. Garbled items come first: they are few, and rows never end."""
    if is_redis(broker_url):
        return [_queue(name, no_declare=True) for name in (garbled_queue(QUEUE_NAME), QUEUE_NAME)]
    arguments = {"x-queue-type": "quorum"} if urlsplit(broker_url).scheme in _AMQP else None
    return [_queue(QUEUE_NAME, durable=True, queue_arguments=arguments)]


def _queue(name: str, **options: Any) -> Queue:
    return Queue(name, **options)  # type: ignore[no-untyped-call]  # kombu has no annotations there
