"""The post: Stripe's events on their way to the door, each several times, in no order, and some of them never.

As Stripe does: signed over the bytes, sent again until the door answers 2xx. What waits is one heap, of which every
courier takes any, so that what happened late may come first.
"""

import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from random import Random
from typing import Any

COURIERS = 4
HEAP = 1_000  # letters that wait before the couriers begin, and while they work
COPIES = 3
DROPPED = 0.1
ANSWER_TIMEOUT_S = 30
PATIENCE_S = 120  # for one letter; the door is killed and comes back within seconds
AGAIN_S = 0.1


@dataclass(kw_only=True)
class Post:
    port: int
    secret: str
    chance: Random
    after_each: Callable[[], None]  # a letter that was taken, or refused: the place for a kill
    delivered: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    dropped: set[str] = field(default_factory=set)
    _heap: list[tuple[str, bytes]] = field(default_factory=list)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _couriers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(COURIERS))
    _under_way: list[Future[None]] = field(default_factory=list)

    def take(self, event: dict[str, Any]) -> None:
        """Three copies on the heap, or none at all."""
        if self.chance.random() < DROPPED:
            self.dropped.add(event["id"])
            return
        body = json.dumps(event).encode()
        with self._turn:
            self._heap += [(event["id"], body)] * COPIES

    def deliver(self, *, but: int = 0) -> None:
        """Everything on the heap but so many, which stay for later."""
        excess = len(self._heap) - but
        self._under_way = [self._couriers.submit(self._carry_some, excess // COURIERS + 1) for _ in range(COURIERS)]
        for courier in self._under_way:
            courier.result()

    def close(self) -> None:
        self._couriers.shutdown()

    def _carry_some(self, letters: int) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_TIMEOUT_S)
        try:
            for _ in range(letters):
                letter = self._draw()
                if letter is None:
                    return
                self._carry(connection, *letter)
        finally:
            connection.close()

    def _draw(self) -> tuple[str, bytes] | None:
        with self._turn:
            if not self._heap:
                return None
            place = self.chance.randrange(len(self._heap))
            self._heap[place], self._heap[-1] = self._heap[-1], self._heap[place]
            return self._heap.pop()

    def _carry(self, connection: HTTPConnection, event_id: str, body: bytes) -> None:
        until = time.monotonic() + PATIENCE_S
        while not self._is_taken(connection, event_id, body):
            if time.monotonic() > until:
                raise TimeoutError(f"the door did not take {event_id} within {PATIENCE_S} s")
            threading.Event().wait(AGAIN_S)

    def _is_taken(self, connection: HTTPConnection, event_id: str, body: bytes) -> bool:
        stamp = str(int(time.time()))
        signature = hmac.new(self.secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
        with self._turn:
            self.attempts[event_id] += 1
            self.after_each()
        try:
            headers = {"Stripe-Signature": f"t={stamp},v1={signature}", "Content-Type": "application/json"}
            connection.request("POST", "/stripe/webhook", body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            connection.close()
            return False
        if answer.status != HTTPStatus.OK:
            return False
        with self._turn:
            self.delivered[event_id] += 1
        return True
