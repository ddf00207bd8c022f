"""A process that forks consumers of the row queue and kills or freezes them; run by `conftest.py`, not by pytest.

A consumer claims, writes what it claimed into the journal (its "commit"), and acknowledges. Forking one costs
milliseconds, so that dozens can be killed at chance moments within a test.
"""

import os
import random
import signal
import sys
import threading

from service.queues import RowQueue

VISIBILITY_TIMEOUT_S = 1
PREFETCH_MESSAGES = 20
ROUND_S = 0.003  # about what claiming, recording and acknowledging take


def main() -> None:
    url, journal = sys.argv[1:]
    for line in sys.stdin:
        command, *arguments = line.split()
        answer = COMMANDS[command](url, journal, *arguments)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def kill(url: str, journal: str, kills: str) -> str:
    """Kill so many consumers, each at a chance moment after a few claims."""
    chance = random.Random(7)
    for _ in range(int(kills)):
        pid, claims = _fork_consumer(url, journal)
        for _ in range(chance.randrange(5)):
            os.read(claims, 1)
        # A chance moment of its round, not a wait for something: the kill must also fall into the claim itself.
        threading.Event().wait(chance.uniform(0, ROUND_S))
        _end(pid, claims)
    return "killed"


def freeze(url: str, journal: str) -> str:
    """Freeze a consumer while it waits on an empty queue, and end it with this process."""
    pid, claims = _fork_consumer(url, journal)
    os.read(claims, 1)
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    FROZEN.append((pid, claims))
    return "frozen"


def drain(url: str, journal: str) -> str:
    """Consume until nothing waits and nothing is claimed."""
    queue = _queue(url)
    redelivered = 0
    while (depth := queue.depth()).waiting or depth.unacked or depth.garbled:
        claimed = queue.claim(messages_max=PREFETCH_MESSAGES, wait_s=0.1)
        redelivered += sum(message.is_redelivered for message in claimed)
        _record(journal, [message.body for message in claimed])
        queue.ack(claimed)
    queue.close()
    return str(redelivered)


def _fork_consumer(url: str, journal: str) -> tuple[int, int]:
    claims, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        _consume(url, journal, told)
    os.close(told)
    return pid, claims


def _consume(url: str, journal: str, told: int) -> None:
    queue = _queue(url)
    while True:
        claimed = queue.claim(messages_max=PREFETCH_MESSAGES, wait_s=0.01)
        os.write(told, b".")
        _record(journal, [message.body for message in claimed])
        queue.ack(claimed)


def _record(journal: str, bodies: list[bytes]) -> None:
    opened = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(opened, b"".join(body + b"\n" for body in bodies))
    os.close(opened)


def _queue(url: str) -> RowQueue:
    return RowQueue(url, visibility_timeout_s=VISIBILITY_TIMEOUT_S, prefetch_messages=PREFETCH_MESSAGES)


def _end(pid: int, claims: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(claims)


FROZEN: list[tuple[int, int]] = []
COMMANDS = {"kill": kill, "freeze": freeze, "drain": drain}

if __name__ == "__main__":
    try:
        main()
    finally:
        for frozen in FROZEN:
            _end(*frozen)
