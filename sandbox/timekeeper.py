"""Drives the clock: what falls due in real time is carried out then, and a jump goes from due instant to due instant.

A jump over three months would otherwise finalize invoices before anyone could be told that they were drafted. So
between two instants it lets the deliveries made so far be answered, as time would have, and so are calls that come in
on the way: each finds the sandbox at the instant that the journey has reached.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sandbox.clock import Clock


class Timekeeper:
    def __init__(self, *, clock: Clock, deliveries_answered: Callable[[], Awaitable[None]]) -> None:
        self._clock = clock
        self._deliveries_answered = deliveries_answered
        self._change = asyncio.Event()
        self._travelling = asyncio.Lock()
        clock.on_change = self._change.set

    async def run(self) -> None:
        """Carries out what falls due, until cancelled."""
        while True:
            self._change.clear()
            self._clock.strike()
            await self._next_due_or_change()

    async def travel(self, instant: float) -> None:
        """Goes to the instant, through everything that falls due on the way; one journey at a time.

        Backwards it undoes nothing: what was carried out stays, for tests that share a sandbox.
        """
        async with self._travelling:
            if instant < self._clock.instant():
                return self._clock.move_to(instant)
            await self._deliveries_answered()
            while (due := self._clock.next_due()) is not None and due <= instant:
                self._clock.move_to(max(due, self._clock.instant()))
                self._clock.strike()
                await self._deliveries_answered()
                await asyncio.sleep(0)  # where nobody had to be told, nothing else would let go of the loop
            return self._clock.move_to(max(instant, self._clock.instant()))

    async def _next_due_or_change(self) -> None:
        due = self._clock.next_due()
        try:
            async with asyncio.timeout(None if due is None else self._clock.real_s_until(due)):
                await self._change.wait()
        except TimeoutError:
            return
