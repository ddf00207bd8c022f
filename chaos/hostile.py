"""What somebody who can write to Redis would write there, against running processes."""

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import redis
from rq import Queue
from rq.job import Job
from rq.serializers import DefaultSerializer, JSONSerializer, Serializer

from meterpost.broker import QUEUE_NAME

STEPS = ("submit", "apply")
ORDERS = ("shutdown", "kill-horse")
HUGE = b"x" * 8_000_000


class Opener:
    """Opens a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


def poison_wakeups(connection: "redis.Redis", proof: Path) -> None:
    """Jobs that would run programs, hashes and keys that would end a worker, orders to stop."""
    for step in STEPS:
        _forge(connection, step, command=f"touch {proof}")
        _forge(connection, step, command=f"touch {proof}", serializer=DefaultSerializer)
        for field, value in {
            "meta": pickle.dumps(Opener(proof)),
            "success_callback_name": b"os.getcwd",
            "webhooks": json.dumps([{"url": "http://127.0.0.1:1/", "job_status": "finished"}]).encode(),
            "data": HUGE,
            "timeout": b"soon",
            "created_at": b"\xff\xfe",
        }.items():
            job = _forge(connection, step, command="touch nothing")
            connection.hset(f"rq:job:{job.id}", field, value)
        connection.set(f"rq:job:strange-{step}", "no hash")
        connection.rpush(f"rq:queue:meterpost-{step}", f"strange-{step}", b"\xff\xfe\x00", "gone")
    _stop_all(connection)
    registries = [f"rq:{name}:meterpost-{step}" for name in ("wip", "failed", "workers") for step in STEPS]
    for key in ("rq:queues", *registries):
        connection.set(key, "strange")
    connection.set("rq:suspended", "1")


def poison_limiter(connection: "redis.Redis") -> None:
    """The witness as well."""
    for key in [*connection.keys("meterpost:limiter:*"), *connection.keys("meterpost:witness:*")]:
        connection.rpush("strange", "strange")
        connection.rename("strange", key)  # at once: the workers write there as well


def poison_rows(connection: "redis.Redis") -> int:
    """Items that no client writes. Returns how many."""
    pickled = base64.b64encode(pickle.dumps(Opener(Path("never")))).decode()
    envelope = {"headers": {}, "content-encoding": "binary", "properties": {"body_encoding": "base64"}}
    forged = {**envelope, "body": pickled, "content-type": "application/x-python-serialize"}
    items = [b"{", b"", b"\xff" * 1000, b"[" * 100_000, HUGE, json.dumps(forged).encode()]
    connection.lpush(QUEUE_NAME, *items)
    connection.zadd(f"{QUEUE_NAME}.unacked_index", {f"forged{n}": 0 for n in range(1000)})
    return len(items)


def _forge(connection: "redis.Redis", step: str, *, command: str, serializer: Serializer = JSONSerializer) -> Job:
    return Queue(f"meterpost-{step}", connection=connection, serializer=serializer).enqueue("os.system", command)


def _stop_all(connection: "redis.Redis") -> None:
    workers: set[bytes] = connection.smembers("rq:workers")  # type: ignore[assignment]  # undecoded, as we ask for
    for worker in workers:
        channel = f"rq:pubsub:{worker.decode().removeprefix('rq:worker:')}"
        for order in ORDERS:
            connection.publish(channel, json.dumps({"command": order}))
