"""A stock worker of RQ, which forks for each job; what a job needs is imported before."""

import os

from redis import Redis
from rq import Queue, Worker

from chaos.control import jobs
from chaos.control.consume import JOBS


def main() -> None:
    assert jobs.send.__module__ == "chaos.control.jobs", "a fork a job would otherwise import the SDK each time"
    connection = Redis.from_url(os.environ["REDIS_URL"])
    Worker([Queue(JOBS, connection=connection)], connection=connection).work()


if __name__ == "__main__":
    main()
