"""The courier: takes events to the destinations that want them, again and again until each has answered 2xx.

Any other answer, redirects included, is a failure and is repeated on the sandbox's clock (`repeats.py`). Order is not
kept, as at Stripe. Where faults of deliveries are asked for (`delivery_faults.py`), first attempts are dropped,
doubled, delayed or shuffled; repeats never are.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from sandbox.books import Books
from sandbox.resources.core_events import CoreEvent
from sandbox.resources.events import Event
from sandbox.webhooks.announcement import Announcement, keep, settled
from sandbox.webhooks.delivery_faults import DeliveryFault, DeliveryFaults
from sandbox.webhooks.destinations import Destination, still_enabled, wanting
from sandbox.webhooks.post import Post
from sandbox.webhooks.repeats import next_pause_s
from sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one destination."""

    books: Books
    event: Announcement
    destination_id: str
    set_out_at: float
    """The clock's instant of the first attempt."""
    attempts: int = 1
    """Counting the one that is under way, or comes next."""

    def again(self) -> "Delivery":
        return replace(self, attempts=self.attempts + 1)


class Courier:
    def __init__(self) -> None:
        self.faults = DeliveryFaults()
        self._post = Post()
        self._under_way: set[asyncio.Task[None]] = set()
        self._held_back: dict[int, list[Delivery]] = {}
        """What each `shuffle` is holding, by the fault's identity."""

    def announce(self, books: Books, event_id: str) -> None:
        """Starts the delivery of a new event to every destination that wants it, and perhaps that of its double."""
        event = event_by_id(books, event_id)
        assert event is not None, "an event is shelved before it is announced"
        self._send(books, event)
        if self.faults.makes_twins(event_type=event.type, account=books.account):
            double = replace(event, id=books.ids.new("evt"), pending=0, acknowledged_at=None)
            keep(books, double)
            self._send(books, double)
            settled(double)

    async def repeat(self, books: Books, event: Announcement, *, times: int) -> list[int]:
        """Sends a known event that often at once to each destination that wants it; the statuses.

        By hand, as from the Dashboard: it does not end the repeats that are still to come.
        """
        posts = [self._post.attempt(books, event, found) for found in wanting(books, event) for _ in range(times)]
        return await asyncio.gather(*posts)

    async def resend(self, books: Books, event: Announcement, destination: Destination) -> int:
        """Sends it once more to one destination; the status."""
        return await self._post.attempt(books, event, destination)

    def attempts(self) -> list[JsonObject]:
        return self._post.attempts()

    async def answered(self) -> None:
        """Waits until the attempts now under way have their answers, or have given up waiting for them."""
        await asyncio.gather(*self._under_way)

    async def close(self) -> None:
        for delivery in self._under_way:
            delivery.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._post.close()

    def _send(self, books: Books, event: Announcement) -> None:
        for destination in wanting(books, event):
            event.pending += 1
            drawn = self.faults.drawn(event_type=event.type, account=books.account)
            delivery = Delivery(
                books=books, event=event, destination_id=destination.id, set_out_at=books.clock.instant()
            )
            if "drop" in drawn:
                self._post.note(books, event, destination, status=None)
                continue
            if duplicate := drawn.get("duplicate"):
                self._double(delivery, duplicate)
            self._set_out(delivery, delay=drawn.get("delay"), shuffle=drawn.get("shuffle"))

    def _double(self, delivery: Delivery, duplicate: DeliveryFault) -> None:
        for _ in range(duplicate.copies):
            self._later(delivery, duplicate.delay_s, partial(self._start, partial(self._copied, delivery)))

    def _set_out(self, delivery: Delivery, *, delay: DeliveryFault | None, shuffle: DeliveryFault | None) -> None:
        if shuffle is not None:
            self._hold_back(delivery, shuffle)
        else:
            self._later(delivery, delay.delay_s if delay else 0, partial(self._start, partial(self._deliver, delivery)))

    def _hold_back(self, delivery: Delivery, shuffle: DeliveryFault) -> None:
        """The first one held opens the window; at its end all of them leave."""
        held = self._held_back.setdefault(id(shuffle), [])
        held.append(delivery)
        if len(held) == 1:
            self._later(delivery, shuffle.delay_s, partial(self._release, shuffle))

    def _release(self, shuffle: DeliveryFault) -> None:
        held = self._held_back.pop(id(shuffle), [])
        shuffled = [held[position] for position in shuffle.in_another_order(len(held))]
        for _, group in groupby(sorted(shuffled, key=_destination_id), key=_destination_id):
            self._start(partial(self._one_by_one, list(group)))

    def _later(self, delivery: Delivery, delay_s: float, action: Callable[[], None]) -> None:
        clock = delivery.books.clock
        if delay_s:
            clock.at(clock.instant() + delay_s, action)
        else:
            action()

    def _start(self, errand: Callable[[], Coroutine[None, None, None]]) -> None:
        task = asyncio.get_running_loop().create_task(errand())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _one_by_one(self, deliveries: list[Delivery]) -> None:
        """In this order also at the receiver: each leaves when the one before was answered."""
        for delivery in deliveries:
            await self._deliver(delivery)

    async def _copied(self, delivery: Delivery) -> None:
        """A duplicate: whatever it is answered, nothing follows from it."""
        if destination := still_enabled(delivery.books, delivery.destination_id):
            await self._post.attempt(delivery.books, delivery.event, destination)

    async def _deliver(self, delivery: Delivery) -> None:
        """Gives up for good where the destination is gone or disabled when its turn comes."""
        destination = still_enabled(delivery.books, delivery.destination_id)
        if destination is None:
            return
        status = await self._post.attempt(delivery.books, delivery.event, destination)
        if 200 <= status < 300:  # noqa: PLR2004 - any 2xx
            delivery.event.delivered(delivery.books.now)
        else:
            self._repeat_later(delivery)

    def _repeat_later(self, delivery: Delivery) -> None:
        since_first_s = delivery.books.clock.instant() - delivery.set_out_at
        pause_s = next_pause_s(delivery.books, attempts=delivery.attempts, since_first_s=since_first_s)
        if pause_s is not None:
            self._later(delivery, pause_s, partial(self._start, partial(self._deliver, delivery.again())))


def event_by_id(books: Books, event_id: str) -> Announcement | None:
    """The snapshot or thin event of this id."""
    return books.shelf(Event).get(event_id) or books.shelf(CoreEvent).get(event_id)


def _destination_id(delivery: Delivery) -> str:
    return delivery.destination_id
