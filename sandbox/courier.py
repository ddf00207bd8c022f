"""The courier: takes events to the webhook endpoints that want them, signed anew at each attempt.

Deliveries repeat with doubling pauses of the sandbox's clock until a 2xx or `webhook_attempts_max`; any other answer,
redirects included, is a failure. Order is not kept, as at Stripe. Signatures are stamped with the wall clock, whatever
the sandbox's says: the receiver compares them with its own.
"""

import asyncio
import hmac
import json
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.books import Books
from sandbox.resources.events import Event
from sandbox.resources.webhook_endpoints import WebhookEndpoint
from sandbox.wire import JsonObject

PAUSE_MAX_S = 60.0
ATTEMPTS_KEPT_MAX = 10_000
NO_ANSWER = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one endpoint."""

    books: Books
    event: Event
    endpoint: WebhookEndpoint
    pause_s: float
    """Before the next attempt, if this one fails."""
    attempts_left: int

    def later(self) -> "Delivery":
        return replace(self, pause_s=min(PAUSE_MAX_S, self.pause_s * 2), attempts_left=self.attempts_left - 1)


class Courier:
    def __init__(self) -> None:
        self._session: ClientSession | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._attempts: deque[JsonObject] = deque(maxlen=ATTEMPTS_KEPT_MAX)

    def announce(self, books: Books, event_id: str) -> None:
        """Starts the delivery of a new event to every endpoint that wants it."""
        event = books.shelf(Event).get(event_id)
        if event is None:
            return
        for endpoint in books.shelf(WebhookEndpoint).values():
            if endpoint.wants(event.type):
                event.pending += 1
                self._start(_first_delivery(books, event, endpoint))

    async def repeat(self, books: Books, event: Event, *, times: int) -> list[int]:
        """Sends a known event that often at once to each endpoint that wants it; the statuses."""
        endpoints = [found for found in books.shelf(WebhookEndpoint).values() if found.wants(event.type)]
        return await asyncio.gather(
            *(self._attempt(books, event, endpoint) for endpoint in endpoints for _ in range(times)),
        )

    def attempts(self) -> list[JsonObject]:
        return list(self._attempts)

    async def answered(self) -> None:
        """Waits until the attempts now under way have their answers, or have given up waiting for them."""
        await asyncio.gather(*self._under_way)

    async def close(self) -> None:
        for delivery in self._under_way:
            delivery.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _start(self, delivery: Delivery) -> None:
        attempt = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._under_way.add(attempt)
        attempt.add_done_callback(self._under_way.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        status = await self._attempt(delivery.books, delivery.event, delivery.endpoint)
        if 200 <= status < 300:  # noqa: PLR2004 - any 2xx
            delivery.event.delivered(delivery.books.now)
        elif delivery.attempts_left > 1:
            clock = delivery.books.clock
            clock.at(clock.instant() + delivery.pause_s, partial(self._start, delivery.later()))

    async def _attempt(self, books: Books, event: Event, endpoint: WebhookEndpoint) -> int:
        body = json.dumps(event.render(), indent=2).encode()
        stamp = int(books.clock.wall())
        status = await self._post(endpoint, body, stamp=stamp, timeout_s=books.settings.webhook_timeout_s)
        self._attempts.append(
            {
                "account": books.account,
                "event": event.id,
                "type": event.type,
                "endpoint": endpoint.id,
                "status": status,
            },
        )
        return status

    async def _post(self, endpoint: WebhookEndpoint, body: bytes, *, stamp: int, timeout_s: float) -> int:
        """The status answered; NO_ANSWER where there was none."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(endpoint.secret, body, stamp=stamp),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        timeout = ClientTimeout(total=timeout_s)
        try:
            async with self._opened().post(
                endpoint.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as reply:
                return reply.status
        except (ClientError, TimeoutError, OSError):
            return NO_ANSWER

    def _opened(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession()
        return self._session


def _first_delivery(books: Books, event: Event, endpoint: WebhookEndpoint) -> Delivery:
    return Delivery(
        books=books,
        event=event,
        endpoint=endpoint,
        pause_s=books.settings.webhook_backoff_s,
        attempts_left=books.settings.webhook_attempts_max,
    )


def signature(secret: str, body: bytes, *, stamp: int) -> str:
    """The Stripe-Signature header: HMAC-SHA256 over `{stamp}.{body}`."""
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    return f"t={stamp},v1={digest}"
