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

COURIERS = 8
HEAP, HEAP_MAX = 1_000, 3_000  # letters that wait while the couriers work: no fewer, until the end, and no more
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
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _couriers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(COURIERS))
    _under_way: list[Future[None]] = field(default_factory=list)
    _is_closing: bool = False

    def __post_init__(self) -> None:
        self._under_way = [self._couriers.submit(self._carry_on) for _ in range(COURIERS)]

    def take(self, event: dict[str, Any]) -> None:
        """Three copies on the heap, or none at all; waits while the heap is high."""
        if self.chance.random() < DROPPED:
            self.dropped.add(event["id"])
            return
        body = json.dumps(event).encode()
        with self._turn:
            self._turn.wait_for(lambda: len(self._heap) < HEAP_MAX, PATIENCE_S)
            self._heap += [(event["id"], body)] * COPIES
            self._turn.notify_all()

    def finish(self) -> None:
        """Everything on the heap is delivered, and nothing more is taken. Raises what a courier met."""
        with self._turn:
            self._is_closing = True
            self._turn.notify_all()
        self._couriers.shutdown()
        for courier in self._under_way:
            courier.result()

    def _carry_on(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_TIMEOUT_S)
        try:
            while (letter := self._draw()) is not None:
                self._carry(connection, *letter)
        finally:
            connection.close()

    def _draw(self) -> tuple[str, bytes] | None:
        """Any letter, once there are many to draw from; None: the last one is drawn."""
        with self._turn:
            self._turn.wait_for(lambda: self._is_closing or len(self._heap) > HEAP)
            if not self._heap:
                return None
            place = self.chance.randrange(len(self._heap))
            self._heap[place], self._heap[-1] = self._heap[-1], self._heap[place]
            self._turn.notify_all()
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
