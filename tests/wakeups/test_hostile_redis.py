"""Who can write to Redis can delay us by a look; nobody can stop a worker, or keep it from its bells."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from service.wakeups import NO_ID, WakeUpWorker, kinds_of_keys

KINDS: dict[str, Callable[[Any, str], object]] = {
    "string": lambda connection, key: connection.set(key, "strange"),
    "list": lambda connection, key: connection.rpush(key, "strange"),
    "set": lambda connection, key: connection.sadd(key, "strange"),
    "hash": lambda connection, key: connection.hset(key, "strange", "1"),
    "zset": lambda connection, key: connection.zadd(key, {"strange": 1}),
}
KEYS = kinds_of_keys("meterpost-submit")
FOREIGN = [(key, kind) for key, ours in KEYS.items() for kind in KINDS if kind.encode() != ours]
ORDERS = ("shutdown", "kill-horse", "stop-job")


@pytest.mark.parametrize(("key", "kind"), FOREIGN)
def test_a_key_of_another_type_is_deleted_at_the_next_look_and_the_bell_is_answered(
    bells, answer_all, answered, connection, key, kind
):
    KINDS[kind](connection, key)
    bells.ring([("default", 0)])

    answer_all()

    assert answered == [("default", 0)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "hash"])
def test_a_job_of_another_type_is_passed_over_and_the_next_is_answered(bells, answer_all, answered, connection, kind):
    KINDS[kind](connection, "rq:job:strange")
    connection.rpush(bells.queue.key, "strange")
    bells.ring([("default", 0)])

    answer_all()

    assert answered == [("default", 0)]


def test_a_job_of_eight_megabytes_is_passed_over(forge, bells, answer_all, answered):
    forge("submit", data=b"x" * 8_000_000)
    bells.ring([("default", 0)])

    answer_all()

    assert answered == [("default", 0)]


def test_a_worker_takes_no_orders_from_a_channel(bells, connection):
    told = []

    def submit(*arguments: Any) -> None:
        (name,) = connection.smembers("rq:workers")
        for order in ORDERS:
            channel = f"rq:pubsub:{name.decode().removeprefix('rq:worker:')}"
            told.append(connection.publish(channel, json.dumps({"command": order, "job_id": NO_ID})))
        told.append(arguments)

    bells.ring([("default", 0)])
    worker = WakeUpWorker(bells, {"submit": submit}, stopping=threading.Event())
    worker._install_signal_handlers = lambda: None
    worker.work(burst=True, logging_level="CRITICAL")

    assert told == [0, 0, 0, ("default", 0)]


def test_nobody_suspends_our_workers_by_a_key(bells, answer_all, answered, connection):
    connection.set("rq:suspended", 1)
    bells.ring([("default", 0)])

    answer_all()

    assert answered == [("default", 0)]
