"""A consumer and a producer on a real queue, and a process whose consumers can be killed and frozen."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from meterpost.broker import QUEUE_NAME
from meterpost.publisher import Publisher
from service.queues import Claimed, RowQueue

ROOT = Path(__file__).resolve().parents[2]


class Queue:
    """Puts messages on a queue, and makes consumers of it that are closed with the test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.redis = redis.Redis.from_url(url)
        self._publisher = Publisher(url)
        self._consumers: list[RowQueue] = []

    def put(self, *bodies: bytes) -> None:
        assert self._publisher.publish(bodies) is None

    def put_garbled(self, *items: bytes) -> None:
        self.redis.lpush(QUEUE_NAME, *items)

    def consumer(self, *, visibility_timeout_s: Any = 60, prefetch_messages: int = 100) -> RowQueue:
        consumer = RowQueue(self.url, visibility_timeout_s=visibility_timeout_s, prefetch_messages=prefetch_messages)
        self._consumers.append(consumer)
        return consumer

    def claim_until(self, consumer: RowQueue, *, messages: int) -> list[Claimed]:
        """Claim and acknowledge until so many have come; the test's timeout bounds it."""
        claimed: list[Claimed] = []
        while len(claimed) < messages:
            some = consumer.claim(messages_max=100, wait_s=0.1)
            consumer.ack(some)
            claimed += some
        return claimed

    def close(self) -> None:
        for consumer in self._consumers:
            consumer.close()
        self._publisher.close()
        self.redis.close()


class Consumers:
    """A process (`consumers.py`) that does to its own consumers what it is told, and tells what it saw."""

    def __init__(self, url: str, journal: Path) -> None:
        self.journal = journal
        self._zygote = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("consumers.py")), url, str(journal)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: str) -> str:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(command + "\n")
        self._zygote.stdin.flush()
        answer = self._zygote.stdout.readline().strip()
        assert answer, "the consumers' process ended"
        return answer

    def recorded(self) -> set[str]:
        return set(self.journal.read_text().split())

    def close(self) -> None:
        self._zygote.communicate()  # its input ends, and so does it, with its consumers


@pytest.fixture
def queue(valkey_url: str) -> Iterator[Queue]:
    opened = Queue(valkey_url)
    yield opened
    opened.close()


@pytest.fixture
def consumers(valkey_url: str, tmp_path: Path) -> Iterator[Consumers]:
    process = Consumers(valkey_url, tmp_path / "journal")
    yield process
    process.close()
