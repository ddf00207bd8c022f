"""RQ as a doorbell: jobs that say "look at this account" and carry nothing else.

A wake-up may be lost, doubled, stale or forged: whoever answers it asks the ledger what is due, and lanes are
leased. What stands in Redis is never trusted with more than that: a job names one of the steps that this process
offers, by a word and not by an import path; callbacks, webhooks and instances in a job's hash are dropped; a hash
that cannot be read is no job.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import uuid4

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from service.crash_points import crash_point
from service.logs import say
from service.timing import Timing

DEQUEUE_WAIT_S = 5  # bounds how long a stop can go unnoticed
FAILURE_TTL_S = 3600  # a failed wake-up is only worth a look; the ledger has the facts
NO_ID = "unreadable"  # no job is called so
SOCKET_TIMEOUT_S = 15  # longer than the dequeue waits

Step = Callable[..., None]


class NotOffered(Exception):
    """A job in Redis names something that this process does not offer; it was not run."""


class WakeUpJob(Job):
    """A job that can only be one of the offered steps."""

    offered: ClassVar[dict[str, Step]] = {}

    def refresh(self) -> None:
        try:
            super().refresh()  # type: ignore[no-untyped-call]  # RQ's
        except redis.ResponseError as foreign:
            say("wakeup.refused", job_id=self.id, reason="its key holds no job")
            raise NoSuchJobError(f"job {self.id} is no hash") from foreign

    def restore(self, raw_data: Any) -> Any:
        try:
            super().restore(raw_data)
        except Exception as unreadable:
            say("wakeup.refused", job_id=self.id, reason=f"unreadable: {type(unreadable).__name__}")
            raise NoSuchJobError(f"job {self.id} cannot be read") from unreadable
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []

    @property
    def func(self) -> Step:
        name = str(self.func_name)
        if self.instance is not None or name not in self.offered:
            say("wakeup.refused", job_id=self.id, reason=f"not offered: {name[:100]}")
            raise NotOffered(f"{name[:100]} is not one of {', '.join(sorted(self.offered))}")
        return self.offered[name]


class WakeUpQueue(Queue):
    """Passes over an id that is no text, at which RQ would end, and with it every worker that comes to it."""

    @classmethod
    def lmove(cls, connection: "redis.Redis", queue_key: str, timeout: int | None) -> Any:
        found = super().lmove(connection, queue_key, timeout)
        if found is None or found[1].isascii():
            return found
        connection.lrem(f"{queue_key}:intermediate", 1, found[1])
        say("wakeup.refused", job_id=NO_ID, reason="its id is no text")
        return queue_key, NO_ID


class WakeUps:
    """The queue of one step's wake-ups."""

    def __init__(self, connection: "redis.Redis", step: str, *, timing: Timing) -> None:
        self._step = step
        self._timing = timing
        self._kinds = kinds_of_keys(f"meterpost-{step}")
        self.queue = WakeUpQueue(
            f"meterpost-{step}", connection=connection, serializer=JSONSerializer, job_class=WakeUpJob
        )

    def ring(self, wanted: Sequence[tuple[str | int, ...]]) -> int:
        """Queue a wake-up for each of these arguments that has none queued. Returns how many were queued."""
        self._forget_foreign()
        job_ids: Any = self.queue.connection.lrange(self.queue.key, 0, -1)
        queued = {job_id.rpartition(b"-")[0] for job_id in job_ids}
        missing = [arguments for arguments in wanted if self._name(arguments).encode() not in queued]
        if missing:
            crash_point("wakeups.before_ring")
            self.queue.enqueue_many([self._job(arguments) for arguments in missing])
            crash_point("wakeups.after_ring")
        return len(missing)

    def _forget_foreign(self) -> None:
        """Delete keys of RQ's that hold something of another type: every worker would end that comes to one."""
        connection = self.queue.connection
        with connection.pipeline(transaction=False) as pipe:
            for key in self._kinds:
                pipe.type(key)
            found: list[bytes] = pipe.execute()
        foreign = [key for key, kind in zip(self._kinds, found, strict=True) if kind not in {b"none", self._kinds[key]}]
        for key in foreign:
            connection.delete(key)
            say("wakeup.refused", job_id=NO_ID, reason=f"{key} was of another type, and is deleted")

    def waiting(self) -> int:
        return int(self.queue.count)

    def _job(self, arguments: tuple[str | int, ...]) -> Any:
        return Queue.prepare_data(
            self._step,
            args=arguments,
            job_id=f"{self._name(arguments)}-{uuid4().hex[:12]}",
            timeout=self._timing.job_timeout_s,
            result_ttl=0,
            failure_ttl=FAILURE_TTL_S,
            description=self._step,
        )

    def _name(self, arguments: tuple[str | int, ...]) -> str:
        return "-".join(map(str, (self._step, *arguments)))


class WakeUpWorker(SimpleWorker):
    """Answers one queue's wake-ups in this process, as a fork a job costs more than the job; stops within seconds."""

    log_result_lifespan = False

    def __init__(self, wakeups: WakeUps, steps: dict[str, Step], *, stopping: threading.Event) -> None:
        WakeUpJob.offered = steps
        self._stopping = stopping
        super().__init__(
            [wakeups.queue],
            connection=wakeups.queue.connection,
            serializer=JSONSerializer,
            job_class=WakeUpJob,
            queue_class=WakeUpQueue,
            log_job_description=False,
        )

    @property
    def dequeue_timeout(self) -> int:
        return DEQUEUE_WAIT_S

    def subscribe(self) -> None:
        """To nothing: RQ would take orders to stop, and to end jobs, from whoever can publish to Redis."""

    def unsubscribe(self) -> None:
        """From nothing."""

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001 — RQ's signature
        """Not asked: any client could suspend all of RQ's workers by one key; `meterpost pause` is ours."""
        del burst

    def run_maintenance_tasks(self) -> None:
        """RQ's housekeeping, of which nothing depends; a registry of another type must not end the process."""
        try:
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]  # RQ's
        except redis.ResponseError as foreign:
            say("wakeup.refused", job_id=NO_ID, reason=f"a registry cannot be read: {foreign}")

    def request_stop(self, signum: Any, frame: Any) -> None:
        """SIGTERM: whatever answers a wake-up now sees it and comes to an end."""
        self._stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ's


def kinds_of_keys(queue: str) -> dict[str, bytes]:
    """Of which type RQ's keys of a queue are, those that it shares with other queues too."""
    registries = ("wip", "failed", "finished", "deferred", "scheduled", "canceled")
    return {
        f"rq:queue:{queue}": b"list",
        f"rq:queue:{queue}:intermediate": b"list",
        "rq:queues": b"set",
        "rq:workers": b"set",
        f"rq:workers:{queue}": b"set",
        **{f"rq:{registry}:{queue}": b"zset" for registry in registries},
    }


def connect(redis_url: str) -> "redis.Redis":
    """A client that never repeats a command by itself: what may be repeated is decided where it is idempotent."""
    return redis.Redis.from_url(
        redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=5
    )
