"""The service's end of the row queue: claim, and acknowledge what is committed.

What is claimed stays on the broker until `ack`; if this process dies in between, or keeps it longer than the
visibility timeout, another one gets it again, and the unique key of the rows makes that harmless. So acknowledge only
after the commit, never before.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kombu.connection import Connection
from kombu.messaging import Consumer
from marshmallow import ValidationError

from meterpost.broker import QUEUE_NAME, connect, is_redis, open_channel, row_queues
from meterpost.envelope import GARBLED_CONTENT_TYPE, open_item
from meterpost.rules import read_occurred_at

JSON_CONTENT_TYPE: Final = "application/json"

logger = logging.getLogger("meterpost.queues")


class QueueUnavailable(Exception):
    """The broker cannot be reached, or broke off. Pause and call again: the next call connects anew.

    What was claimed and not acknowledged before it is delivered again.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message as it stood in the queue. `tag` acknowledges this claim, and only this one."""

    body: bytes
    content_type: str
    is_redelivered: bool
    tag: str

    @property
    def is_garbled(self) -> bool:
        """Whether no message was to be read at all; the body is then the item's bytes."""
        return self.content_type == GARBLED_CONTENT_TYPE

    @property
    def is_json(self) -> bool:
        """Whether the body may be parsed. Anything else is for quarantine, as it is, and never decoded."""
        return self.content_type == JSON_CONTENT_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """What waits, is claimed, or waits and cannot be read; and when the oldest waiting message was sent, if known."""

    waiting: int
    unacked: int
    garbled: int
    oldest_sent_at: datetime | None


class RowQueue:
    """One consumer of rows; for one thread. Connects at the first call, and again after QueueUnavailable."""

    def __init__(self, broker_url: str, *, visibility_timeout_s: int, prefetch_messages: int) -> None:
        """`prefetch_messages` bounds what this consumer holds of the queue, whether claimed here yet or not."""
        self._broker_url = broker_url
        self._visibility_timeout_s = visibility_timeout_s
        self._prefetch_messages = prefetch_messages
        self._connection: Connection | None = None
        self._channel: Any = None
        self._consumer: Consumer | None = None
        self._arrived: deque[Any] = deque()  # delivered by the broker, not yet claimed
        self._claimed: dict[str, Any] = {}  # tag → kombu's message, in the order of delivery

    def claim(self, *, messages_max: int, wait_s: float) -> list[Claimed]:
        """Up to `messages_max` messages, waiting up to `wait_s` for the first; none is a possible answer.

        What was claimed before and is not acknowledged comes first, again: its transaction did not happen.
        """
        self._take_back()
        with self._connected() as connection:
            if self._consumer is None:
                self._consumer = self._consume()
            if not self._arrived:
                self._drain(connection, messages_max=messages_max, wait_s=wait_s)
        return [self._take() for _ in range(min(messages_max, len(self._arrived)))]

    def ack(self, claimed: Sequence[Claimed]) -> None:
        """Remove them from the broker, in one round trip. Only after the commit, and oldest claims first."""
        current = [message.tag for message in claimed if message.tag in self._claimed]
        if not current:
            return  # claimed before the connection broke: they come again, and are recorded once
        assert current == list(self._claimed)[: len(current)], "claims are acknowledged in their order"
        with self._connected():
            self._claimed[current[-1]].ack(multiple=True)
        for tag in current:
            del self._claimed[tag]

    def depth(self) -> QueueDepth:
        with self._connected():
            if not is_redis(self._broker_url):
                waiting = self._channel.queue_declare(QUEUE_NAME, passive=True).message_count
                return QueueDepth(waiting=waiting, unacked=len(self._claimed), garbled=0, oldest_sent_at=None)
            depth = self._channel.items.depth(QUEUE_NAME)
        return QueueDepth(
            waiting=depth.waiting,
            unacked=depth.unacked,
            garbled=depth.garbled,
            oldest_sent_at=_read_sent_at(depth.oldest_item),
        )

    def close(self) -> None:
        """Give back at once what was claimed and not acknowledged, and disconnect."""
        connection, self._connection, self._channel, self._consumer = self._connection, None, None, None
        self._arrived.clear()
        self._claimed.clear()
        if connection is None:
            return
        try:
            connection.release()  # type: ignore[no-untyped-call]
        except connection.channel_errors as failure:  # those of the connection kombu passes over itself
            logger.warning("claims.not_given_back, they come by the visibility timeout: %s", type(failure).__name__)

    def _take_back(self) -> None:
        for message in self._claimed.values():
            message.delivery_info["redelivered"] = True
        self._arrived.extendleft(reversed(self._claimed.values()))
        self._claimed.clear()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        if self._connection is None:
            self._connection = connect(self._broker_url, visibility_timeout_s=self._visibility_timeout_s)
        connection = self._connection
        try:
            if self._channel is None:
                self._channel = open_channel(connection)
            yield connection
        except (*connection.connection_errors, *connection.channel_errors) as failure:
            self.close()
            raise QueueUnavailable(f"{type(failure).__name__}: {failure}") from failure

    def _consume(self) -> Consumer:
        consumer = Consumer(  # type: ignore[no-untyped-call]
            self._channel,
            queues=row_queues(self._broker_url),
            on_message=self._arrived.append,  # raw: kombu decodes nothing, whatever the message calls itself
            accept=["json"],
            prefetch_count=self._prefetch_messages,
        )
        consumer.consume()  # type: ignore[no-untyped-call]
        return consumer

    def _drain(self, connection: Connection, *, messages_max: int, wait_s: float) -> None:
        try:
            connection.drain_events(timeout=wait_s)  # type: ignore[no-untyped-call]
            while len(self._arrived) < messages_max:  # other brokers than Redis deliver one by one
                connection.drain_events(timeout=0)  # type: ignore[no-untyped-call]
        except TimeoutError:
            return  # nothing (more) is there, which is an answer

    def _take(self) -> Claimed:
        message = self._arrived.popleft()
        self._claimed[message.delivery_tag] = message
        return Claimed(
            body=_as_bytes(message.body),
            content_type=str(message.content_type),
            is_redelivered=bool(message.delivery_info.get("redelivered")),
            tag=message.delivery_tag,
        )


def _as_bytes(body: bytes | memoryview | str) -> bytes:
    return body.encode(errors="surrogateescape") if isinstance(body, str) else bytes(body)


def _read_sent_at(item: bytes | None) -> datetime | None:
    envelope = None if item is None else open_item(item, queue=QUEUE_NAME, tag="")
    if envelope is None:
        return None
    try:
        return read_occurred_at(json.loads(envelope["body"])["sent_at"])
    except (ValueError, RecursionError, LookupError, TypeError, ValidationError):
        return None  # it will be quarantined for it when it is claimed
