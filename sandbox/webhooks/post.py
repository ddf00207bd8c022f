"""The post: one POST to one destination, and the log of all of them.

Each destination has a queue of its own, so that a receiver which hangs keeps only itself waiting. Waiting attempts are
bounded by the events they are of, which are kept anyway.
"""

import asyncio
import json
from collections import deque
from weakref import WeakValueDictionary

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from sandbox.books import Books
from sandbox.webhooks.announcement import Announcement
from sandbox.webhooks.destinations import Destination
from sandbox.webhooks.signing import signature
from sandbox.wire import JsonObject

ATTEMPTS_KEPT_MAX = 10_000
AT_ONCE_MAX = 16
"""Open attempts per destination: a small receiver's threads are not overrun, and it still drains hundreds a second."""
NO_ANSWER = 0


class Post:
    def __init__(self) -> None:
        self._session: ClientSession | None = None
        self._gates: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._attempts: deque[JsonObject] = deque(maxlen=ATTEMPTS_KEPT_MAX)

    async def attempt(self, books: Books, event: Announcement, destination: Destination) -> int:
        """The status answered; NO_ANSWER where there was none."""
        gate = self._gates.setdefault(destination.id, asyncio.Semaphore(AT_ONCE_MAX))
        async with gate:
            status = await self._post(books, event, destination)
        self.note(books, event, destination, status=status)
        return status

    def note(self, books: Books, event: Announcement, destination: Destination, *, status: int | None) -> None:
        """Writes the attempt down; status is None for one that a fault kept from being made."""
        self._attempts.append(
            {
                "account": books.account,
                "event": event.id,
                "type": event.type,
                "endpoint": destination.id,
                "status": status,
                "at": books.now,
            },
        )

    def attempts(self) -> list[JsonObject]:
        return list(self._attempts)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _post(self, books: Books, event: Announcement, destination: Destination) -> int:
        body = json.dumps(destination.body_of(event), indent=2).encode()
        headers = _headers(books, destination, body)
        timeout = ClientTimeout(total=books.settings.webhook_timeout_s)
        try:
            async with self._opened().post(
                destination.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as reply:
                return reply.status
        except (ClientError, TimeoutError, OSError, UnicodeError):  # the last for a host that is no name
            return NO_ANSWER

    def _opened(self) -> ClientSession:
        """A connection each: one that the receiver has closed meanwhile would look like its refusal."""
        if self._session is None:
            self._session = ClientSession(connector=TCPConnector(limit=0, force_close=True))
        return self._session


def _headers(books: Books, destination: Destination, body: bytes) -> dict[str, str]:
    """Stamped with the wall clock, whatever the sandbox's says: the receiver compares it with its own."""
    secrets = destination.signing.secrets_at(books.now)
    stamp = int(books.clock.wall()) + books.settings.webhook_stamp_offset_s
    return {
        "Accept": "*/*; q=0.5, application/xml",
        "Cache-Control": "no-cache",
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature(secrets, body, stamp=stamp, livemode=books.livemode),
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
