"""Everything that one sandbox is behind its port: the parts composed, all on one clock.

A reset puts another world behind the same port: nothing has to be cleared, so nothing can be forgotten.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sandbox.auditor.audit import Audit
from sandbox.calls.door import Door
from sandbox.calls.faults import Faults
from sandbox.clock import Clock
from sandbox.controls.admin import Admin
from sandbox.keys import Keys
from sandbox.settings import Settings
from sandbox.timekeeper import Timekeeper
from sandbox.webhooks.courier import Courier


class World:
    def __init__(self, *, clock: Clock, seed: int, settings: Settings, renew: Callable[[], Awaitable[None]]) -> None:
        faults, audit = Faults(), Audit()
        self._courier = Courier()
        self._timekeeper = Timekeeper(clock=clock, deliveries_answered=self._courier.answered)
        self._timekeeping: asyncio.Task[None] | None = None
        keys = Keys(
            seed=seed,
            clock=clock,
            settings=settings,
            announce=self._courier.announce,
            rejected=audit.rejected,
        )
        self.door = Door(keys=keys, faults=faults, audit=audit, clock=clock)
        self.admin = Admin(
            clock=clock,
            timekeeper=self._timekeeper,
            keys=keys,
            faults=faults,
            audit=audit,
            courier=self._courier,
            renew=renew,
        )

    def start(self, *, on_end: Callable[[], None]) -> None:
        """Lets time pass, and tells where that ends by a fault: better no clock than one that lies."""
        self._timekeeping = asyncio.create_task(self._timekeeper.run())
        self._timekeeping.add_done_callback(lambda task: None if task.cancelled() else on_end())

    async def close(self) -> None:
        """Ends what is under way; raises what ended timekeeping."""
        await self._courier.close()
        if self._timekeeping is not None:
            self._timekeeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._timekeeping
