"""Messages to the broker, as often as needed within a deadline: the one place where publishing is repeated.

A lost reply and a lost message look alike, so the same bytes are sent again; the row ids in them make a row that
arrives twice count once.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from kombu.messaging import Producer

from meterpost.broker import QUEUE_NAME, connect, is_redis, open_channel, row_queues
from meterpost.items import PushRefused

PUBLISH_DEADLINE_S: Final = 5.0  # for all attempts of a call: longer than a restart of Redis, bearable in a request
PAUSE_MIN_S: Final = 0.05  # between attempts; doubles up to
PAUSE_MAX_S: Final = 1.0
LINES_IDLE_MAX: Final = 16  # kept; threads beyond it connect for the call


class Publisher:
    """Publishes from any thread and after any fork: every call takes a line of its own, idle or new."""

    def __init__(self, broker_url: str, *, deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        self._broker_url = broker_url
        self._deadline_s = deadline_s
        self._idle: deque[_Line] = deque()
        self._pid = os.getpid()
        # Not opened; but a URL of no broker fails here and not at the first row.
        self._passing_errors = _Line(broker_url).passing_errors

    def publish(self, bodies: Sequence[bytes]) -> Exception | None:
        """All of them in one round trip; None when the broker has them, else why it did not say so in time."""
        ends_at = time.monotonic() + self._deadline_s
        pause_s = PAUSE_MIN_S
        while True:
            failure = self._publish_once(bodies)
            # A broker that was reached and said no (full, forbidden) will say so again.
            is_passing = isinstance(failure, self._passing_errors)
            if not is_passing or time.monotonic() + pause_s > ends_at:
                return failure
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _publish_once(self, bodies: Sequence[bytes]) -> Exception | None:
        line = self._take_line()
        try:
            line.publish(bodies)
        except line.errors as raised:
            line.close()
            failure: Exception = raised
            return failure
        except BaseException:  # interrupted: half a reply may stand in its socket, which nobody must read as theirs
            line.close()
            raise
        self._keep(line)
        return None

    def _take_line(self) -> _Line:
        if self._pid != os.getpid():  # forked: the idle lines are the parent's, who goes on using them
            self._idle, self._pid = deque(), os.getpid()
        try:
            return self._idle.pop()
        except IndexError:
            return _Line(self._broker_url)

    def _keep(self, line: _Line) -> None:
        if len(self._idle) < LINES_IDLE_MAX:
            self._idle.append(line)
        else:
            line.close()


class _Line:
    """One connection to the broker, opened at the first message."""

    def __init__(self, broker_url: str) -> None:
        self._connection = connect(broker_url)
        self._producer: Producer | None = None
        # Redis makes a list at the first push; elsewhere a message to no queue would be dropped without a word.
        self._declared = [] if is_redis(broker_url) else row_queues(broker_url)
        self.passing_errors: tuple[type[Exception], ...] = self._connection.connection_errors
        self.errors = (*self.passing_errors, *self._connection.channel_errors, PushRefused)

    def publish(self, bodies: Sequence[bytes]) -> None:
        if self._producer is None:
            self._producer = Producer(open_channel(self._connection))  # type: ignore[no-untyped-call]
        with self._producer.batch():  # type: ignore[no-untyped-call]  # pipelined on Redis, one by one elsewhere
            for body in bodies:
                self._producer.publish(  # type: ignore[no-untyped-call]
                    body,
                    # The default exchange: the key is the queue's name, and no binding can be missing.
                    routing_key=QUEUE_NAME,
                    content_type="application/json",
                    content_encoding="utf-8",
                    declare=self._declared,
                )

    def close(self) -> None:
        self._connection.release()  # type: ignore[no-untyped-call]
