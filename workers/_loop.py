"""How every polling step runs: ask what is due, do it, wait a little; stop within seconds of SIGTERM.

A dependency that is away (PostgreSQL, Redis, Stripe) is waited for. Anything else ends the process: the supervisor
starts it again, and what was half done is in the ledger or was never begun.
"""

import signal
import threading
from collections.abc import Callable, Sequence

from redis.exceptions import RedisError

from service.gateway import StripeUnavailable
from service.ledger import LedgerUnavailable
from service.limiter import Throttled
from service.logs import say
from service.queues import QueueUnavailable

AWAY = (LedgerUnavailable, QueueUnavailable, StripeUnavailable, RedisError, Throttled)
FAILURES_TOLD_MAX = 10  # besides the first; they are mostly alike
PATIENCE_S_MAX = 5.0  # between two looks at a dependency that is away


def repeat(name: str, step: Callable[[], int], *, poll_s: float) -> None:
    """Call `step` until SIGTERM or SIGINT: again at once while it finds work (more than 0), else after `poll_s`.

    The signals are ours from here on only: before, while a process waits for what it needs, they end it at once.
    """
    repeat_until(stop_on_signals(), name, step, poll_s=poll_s)


def repeat_until(stopping: threading.Event, name: str, step: Callable[[], int], *, poll_s: float) -> None:
    """As `repeat`, until `stopping` is set."""
    say("worker.started", step=name)
    patience_s = poll_s
    while not stopping.is_set():
        try:
            found = step()
        except AWAY as away:
            say("worker.waiting", step=name, reason=str(away), wait_s=patience_s)
            stopping.wait(patience_s)
            patience_s = min(PATIENCE_S_MAX, patience_s * 2)
            continue
        patience_s = poll_s
        if found == 0:
            stopping.wait(poll_s)
    say("worker.stopped", step=name)


def raise_first(failures: Sequence[BaseException]) -> None:
    """Raise the first, if any, with what else went wrong as notes."""
    if not failures:
        return
    for another in failures[1 : 1 + FAILURES_TOLD_MAX]:
        failures[0].add_note(f"and another turn: {another!r}")
    raise failures[0]


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping
