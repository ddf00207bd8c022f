"""The courier: takes events to the webhook endpoints that want them, signed anew at each attempt.

Deliveries repeat with doubling pauses of real time until a 2xx or `webhook_attempts_max`; any other answer, redirects
included, is a failure. Order is not kept, as at Stripe.
"""

import asyncio
import hmac
import json
from collections import deque
from hashlib import sha256

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.books import Books
from sandbox.resources.events import Event
from sandbox.resources.webhook_endpoints import WebhookEndpoint
from sandbox.wire import JsonObject

PAUSE_MAX_S = 60.0
ATTEMPTS_KEPT_MAX = 10_000
NO_ANSWER = 0


class Courier:
    def __init__(self) -> None:
        self._session: ClientSession | None = None
        self._deliveries: set[asyncio.Task[None]] = set()
        self._attempts: deque[JsonObject] = deque(maxlen=ATTEMPTS_KEPT_MAX)

    def announce(self, books: Books, event_id: str) -> None:
        """Starts the delivery of a new event to every endpoint that wants it."""
        event = books.shelf(Event)[event_id]
        for endpoint in books.shelf(WebhookEndpoint).values():
            if endpoint.wants(event.type):
                event.pending += 1
                delivery = asyncio.get_running_loop().create_task(self._deliver(books, event, endpoint))
                self._deliveries.add(delivery)
                delivery.add_done_callback(self._deliveries.discard)

    async def repeat(self, books: Books, event: Event, *, times: int) -> list[int]:
        """Sends a known event that often at once to each endpoint that wants it; the statuses."""
        endpoints = [found for found in books.shelf(WebhookEndpoint).values() if found.wants(event.type)]
        return await asyncio.gather(
            *(self._attempt(books, event, endpoint) for endpoint in endpoints for _ in range(times)),
        )

    def attempts(self) -> list[JsonObject]:
        return list(self._attempts)

    async def close(self) -> None:
        for delivery in self._deliveries:
            delivery.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, books: Books, event: Event, endpoint: WebhookEndpoint) -> None:
        pause_s = books.settings.webhook_backoff_s
        for _ in range(books.settings.webhook_attempts_max):
            if 200 <= await self._attempt(books, event, endpoint) < 300:  # noqa: PLR2004 - any 2xx
                event.pending -= 1
                return
            await asyncio.sleep(pause_s)
            pause_s = min(PAUSE_MAX_S, pause_s * 2)

    async def _attempt(self, books: Books, event: Event, endpoint: WebhookEndpoint) -> int:
        body = json.dumps(event.render(), indent=2).encode()
        status = await self._post(endpoint, body, stamp=books.clock.now(), timeout_s=books.settings.webhook_timeout_s)
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


def signature(secret: str, body: bytes, *, stamp: int) -> str:
    """The Stripe-Signature header: HMAC-SHA256 over `{stamp}.{body}`."""
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    return f"t={stamp},v1={digest}"
