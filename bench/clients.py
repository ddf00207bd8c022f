"""Clients that know what they must be answered: each counts its own units and checks every answer against them.

A client has its own customer, so none disturbs another's sums; what it sends and asks is drawn from its own seed.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, TypeAlias

from aiohttp import ClientSession

EVENTS = "/v1/billing/meter_events"
VALUE_MAX = 1_000
CENTS_PER_UNIT = 3

Form: TypeAlias = dict[str, str]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What all clients saw together."""

    calls: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What the clients share: where to call, and the meter they report to."""

    http: ClientSession
    url: str
    key: str
    meter: str
    tally: Tally

    async def call(self, method: str, path: str, *, form: Form | None = None, key: str | None = None) -> "Reply":
        headers = {"Authorization": f"Bearer {self.key}"} | ({"Idempotency-Key": key} if key else {})
        query, body = (form, None) if method == "GET" else (None, form)
        began = time.perf_counter()
        async with self.http.request(method, self.url + path, params=query, data=body, headers=headers) as answer:
            reply = Reply(
                status=answer.status,
                body=await answer.json(content_type=None),
                is_replay=answer.headers.get("Idempotent-Replayed") == "true",
            )
        self.tally.latencies_s.append(time.perf_counter() - began)
        return reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    body: Any
    is_replay: bool

    @property
    def message(self) -> str:
        return str(self.body.get("error", {}).get("message", ""))


@dataclass(slots=True, kw_only=True)
class Client:
    shop: Shop
    customer: str
    subscription: str
    chance: Random
    began_at: int
    """The minute from which on its summaries are asked for."""
    units: int = 0
    events: int = 0
    latest: Form = field(default_factory=dict)

    async def send_only(self, *, until: float) -> None:
        while time.monotonic() < until:
            await self._checked("a new event", self.new_event)

    async def use_everything(self, *, until: float) -> None:
        """One call after the other until that moment of the monotonic clock, of all kinds."""
        await self._checked("a new event", self.new_event)
        names, weights = zip(*((action, weight) for action, (weight, _) in ACTIONS.items()), strict=True)
        while time.monotonic() < until:
            (name,) = self.chance.choices(names, weights)
            await self._checked(name, ACTIONS[name][1].__get__(self))

    async def new_event(self) -> bool:
        value = self.chance.randint(1, VALUE_MAX)
        self.events += 1
        self.latest = {
            "event_name": "calls",
            "identifier": f"{self.customer}-{self.events}",
            "payload[stripe_customer_id]": self.customer,
            "payload[value]": str(value),
        }
        reply = await self.shop.call("POST", EVENTS, form=self.latest, key=self.latest["identifier"])
        self.units += value
        return reply.status == 200 and not reply.is_replay

    async def same_call_again(self) -> bool:
        reply = await self.shop.call("POST", EVENTS, form=self.latest, key=self.latest["identifier"])
        return reply.status == 200 and reply.is_replay and reply.body["identifier"] == self.latest["identifier"]

    async def same_identifier_new_key(self) -> bool:
        reply = await self.shop.call("POST", EVENTS, form=self.latest)
        expected = f"An event already exists with identifier {self.latest['identifier']}."
        return reply.status == 400 and reply.message == expected

    async def same_key_other_value(self) -> bool:
        other = self.latest | {"payload[value]": "999999"}
        reply = await self.shop.call("POST", EVENTS, form=other, key=self.latest["identifier"])
        return reply.status == 400 and reply.body["error"]["type"] == "idempotency_error"

    async def unknown_parameter(self) -> bool:
        reply = await self.shop.call("POST", EVENTS, form=self.latest | {"quantity": "1"})
        return reply.status == 400 and reply.body["error"].get("code") == "parameter_unknown"

    async def summary(self) -> bool:
        end = int(time.time()) // 60 * 60 + 120
        form = {"customer": self.customer, "start_time": str(self.began_at), "end_time": str(end)}
        reply = await self.shop.call("GET", f"/v1/billing/meters/{self.shop.meter}/event_summaries", form=form)
        return reply.status == 200 and Decimal(str(reply.body["data"][0]["aggregated_value"])) == self.units

    async def preview(self) -> bool:
        reply = await self.shop.call("POST", "/v1/invoices/create_preview", form={"subscription": self.subscription})
        return reply.status == 200 and reply.body["total"] == self.units * CENTS_PER_UNIT

    async def subscriptions(self) -> bool:
        reply = await self.shop.call("GET", "/v1/subscriptions", form={"customer": self.customer})
        return reply.status == 200 and [found["id"] for found in reply.body["data"]] == [self.subscription]

    async def own_customer(self) -> bool:
        reply = await self.shop.call("GET", f"/v1/customers/{self.customer}")
        return reply.status == 200 and reply.body["id"] == self.customer

    async def nobody(self) -> bool:
        reply = await self.shop.call("GET", "/v1/customers/cus_nobody")
        return reply.status == 404 and reply.body["error"]["code"] == "resource_missing"

    async def _checked(self, name: str, action: Callable[[], Awaitable[bool]]) -> None:
        self.shop.tally.calls[name] += 1
        if not await action():
            self.shop.tally.wrong.append(f"{self.customer}: {name}")


ACTIONS: dict[str, tuple[int, Callable[[Client], Awaitable[bool]]]] = {
    "a new event": (70, Client.new_event),
    "the same call again": (5, Client.same_call_again),
    "the same identifier under a new key": (5, Client.same_identifier_new_key),
    "the same key with another value": (3, Client.same_key_other_value),
    "an unknown parameter": (3, Client.unknown_parameter),
    "a summary": (4, Client.summary),
    "a preview": (3, Client.preview),
    "the subscriptions of a customer": (3, Client.subscriptions),
    "a customer": (2, Client.own_customer),
    "a customer that does not exist": (2, Client.nobody),
}
"""What a client does, and how often out of a hundred."""


async def clients(shop: Shop, *, count: int, seed: int) -> list[Client]:
    """As many customers, each with a subscription to the meter at 3 cents a unit."""
    product = {"currency": "usd", "unit_amount": str(CENTS_PER_UNIT), "product_data[name]": "Calls"}
    recurring = {"recurring[interval]": "month", "recurring[usage_type]": "metered", "recurring[meter]": shop.meter}
    price = (await shop.call("POST", "/v1/prices", form=product | recurring)).body["id"]
    return await asyncio.gather(*(_client(shop, price, seed=seed + number) for number in range(count)))


async def _client(shop: Shop, price: str, *, seed: int) -> Client:
    customer = (await shop.call("POST", "/v1/customers", form={"name": f"Customer {seed}"})).body["id"]
    wanted = {"customer": customer, "items[0][price]": price}
    subscription = (await shop.call("POST", "/v1/subscriptions", form=wanted)).body["id"]
    return Client(
        shop=shop,
        customer=customer,
        subscription=subscription,
        chance=Random(seed),
        began_at=int(time.time()) // 60 * 60,
    )
