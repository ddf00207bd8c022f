"""A queue of wake-ups on a real Valkey, a worker that answers them in this process, and forged jobs."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from service import wakeups
from service.timing import FAST
from service.wakeups import WakeUps, WakeUpWorker


class QuietWorker(WakeUpWorker):
    """Leaves the signals of the process that runs the tests alone."""

    def _install_signal_handlers(self) -> None:
        """None of them."""


@pytest.fixture
def connection(valkey_url: str) -> Iterator["redis.Redis"]:
    with wakeups.connect(valkey_url) as connection:
        yield connection


@pytest.fixture
def bells(connection: "redis.Redis") -> WakeUps:
    return WakeUps(connection, "submit", timing=FAST)


@pytest.fixture
def answered() -> list[Any]:
    """What the worker was woken for."""
    return []


@pytest.fixture
def answer_all(bells: WakeUps, answered: list[Any]) -> Callable[[], None]:
    """Run the worker until its queue is empty."""

    def submit(*told: Any) -> None:
        answered.append(told)

    def answer() -> None:
        QuietWorker(bells, {"submit": submit}, stopping=threading.Event()).work(burst=True, logging_level="ERROR")

    return answer


@pytest.fixture
def forge(bells: WakeUps, connection: "redis.Redis") -> Callable[..., str]:
    """Queue a job as anyone who reaches Redis can: by a call's path, with these fields of its hash replaced."""

    def forge(call: str = "submit", *arguments: Any, serializer: Any = JSONSerializer, **fields: bytes) -> str:
        job = Queue(bells.queue.name, connection=connection, serializer=serializer).enqueue(call, *arguments)
        if fields:
            connection.hset(f"rq:job:{job.id}", mapping=fields)
        return str(job.id)

    return forge
