"""Steps beside the main one of a process, each in a thread of its own, so that none waits for another's calls.

Stripe or a receiver may be slow for as long as a call may take, again and again; what is wrong must be said within a
minute all the same. A step that ends on an error that nobody expected ends the process, as the main one does.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from workers._loop import raise_first, repeat_until

STOP_S_MAX = 15  # for what is under way; then the process ends without it, and the ledger knows what was begun


@contextmanager
def beside(steps: Mapping[str, Callable[[], int]], *, poll_s: float, stopping: threading.Event) -> Iterator[None]:
    """Repeat each of `steps` while the block runs; whichever fails sets `stopping`, and is raised at the end."""
    failures: list[BaseException] = []

    def run(name: str, step: Callable[[], int]) -> None:
        try:
            repeat_until(stopping, name, step, poll_s=poll_s)
        except BaseException as failure:  # noqa: BLE001  # raised again by the process' own thread
            failures.append(failure)
            stopping.set()

    threads = [threading.Thread(target=run, args=told, name=told[0], daemon=True) for told in steps.items()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(STOP_S_MAX)
    raise_first(failures)
