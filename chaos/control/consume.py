"""A stock consumer: kombu's own Redis transport, a job of RQ's for each message, and the acknowledgement after it."""

import os
from typing import Any

from kombu.connection import Connection
from kombu.entity import Queue
from redis import Redis
from rq import Queue as JobQueue
from rq import Retry

QUEUE = "control-rows"
JOBS = "control"
RETRIES = 3
OPTIONS = {"visibility_timeout": 2}  # seconds; its default of an hour would only be waited for


def main() -> None:
    jobs = JobQueue(JOBS, connection=Redis.from_url(os.environ["REDIS_URL"]))

    def take(body: Any, message: Any) -> None:
        jobs.enqueue("chaos.control.jobs.send", body, retry=Retry(max=RETRIES))
        message.ack()

    with (
        Connection(os.environ["BROKER_URL"], transport_options=OPTIONS) as connection,  # type: ignore[no-untyped-call]
        connection.Consumer([Queue(QUEUE)], callbacks=[take]),  # type: ignore[no-untyped-call]
    ):
        while True:
            connection.drain_events()


if __name__ == "__main__":
    main()
