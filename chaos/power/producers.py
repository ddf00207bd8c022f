"""Applications that report usage through everything, and remember what they were told is safe."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from meterpost import Meterpost, NotPublished

DEADLINE_S = 1.0  # of a call; a cut is over in about that time
CALLS_MAX = 30  # of one batch, with the same ids, until the queue says that it has them
GIVES_UP_SHARE = 0.1  # of the calls that failed: the application is gone, and nobody knows whether the rows are
BATCH_ROWS = 10
BATCHES_A_CUT = 60  # of one producer: rather more than a second's
PAUSE_S = 0.02
CUSTOMERS = [f"cus_{number:06d}" for number in range(50)]
METER = "tokens"


@dataclass(slots=True, kw_only=True)
class Producer:
    """One application with batches of rows, each row of a value that its number tells."""

    name: str
    broker_url: str
    chance: Random
    offered: int = 0
    told: set[str] = field(default_factory=set)
    _granted: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._publish_on, name=self.name)
        self._thread.start()

    def grant(self) -> None:
        """So many batches more, and then wait: a slow machine must not measure how long a queue it can fill."""
        self._granted.release(BATCHES_A_CUT)

    def stop(self) -> None:
        self._stopping.set()
        self._granted.release()
        assert self._thread is not None, "started before it is stopped"
        self._thread.join()

    def _publish_on(self) -> None:
        with Meterpost(self.broker_url, deadline_s=DEADLINE_S) as client:
            while self._granted.acquire() and not self._stopping.is_set():
                first, self.offered = self.offered, self.offered + BATCH_ROWS
                self._publish(client, range(first, first + BATCH_ROWS))
                self._stopping.wait(PAUSE_S)

    def _publish(self, client: Meterpost, numbers: Sequence[int]) -> None:
        """As a producer must: the same ids again while the queue does not confirm. Some die instead."""
        for _ in range(CALLS_MAX):
            try:
                with client.batch() as batch:
                    for number in numbers:
                        customer, row_id = CUSTOMERS[number % len(CUSTOMERS)], f"{self.name}-{number}"
                        batch.usage(customer, METER, value_of(row_id), row_id=row_id, source="power")
            except NotPublished:
                if self.chance.random() < GIVES_UP_SHARE:
                    return
            else:
                self.told |= {f"{self.name}-{number}" for number in numbers}
                return


def value_of(row_id: str) -> int:
    return 1 + int(row_id.rpartition("-")[2]) % 7
