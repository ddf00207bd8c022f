"""The control's run: messages over stock kombu and stock RQ, while consumer, worker and Stripe's answers die."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from kombu.connection import Connection
from kombu.entity import Queue
from redis import Redis

from chaos import events
from chaos.control.consume import JOBS, QUEUE
from chaos.judge import compare
from chaos.zygote import Zygote
from local.guarded import Server
from local.sandbox import ask_sandbox, make_key, sandbox
from local.valkey import valkey

MESSAGES = 160
MINUTE_S = 60
FAULTS = 40
BREATH_S = 0.3
QUIET_S = 60.0  # the longest wait for the queues to empty after the last fault
POLL_S = 0.2
KEY, ACCOUNT, METER = "sk_test_control", "acct_control", "control"
AT_STRIPE = ("reply_lost", "error_after", "bad_gateway_after", "truncated", "rate_limited")
KINDS = ("kill consume", "kill work", "stripe", "stripe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Units that stock parts lost and doubled, under so many faults by kind."""

    told: Decimal
    billed: Decimal
    lost: Decimal
    extra: Decimal
    is_settled: bool  # False: what is missing may only be late
    faults: dict[str, int]

    @property
    def is_blind(self) -> bool:
        return not (self.extra or (self.lost and self.is_settled))


@dataclass(kw_only=True)
class _Parts:
    redis: Server
    sandbox: Server
    workers: Zygote
    messages: list[dict[str, Any]]


def control(seed: int, *, log_dir: Path) -> Control:
    """Publish all messages, hurt what carries them, wait until nothing moves any more, and compare."""
    chance = Random(seed)
    with _parts(chance, log_dir=log_dir) as parts:
        played: Counter[str] = Counter()
        for number in range(FAULTS):
            _publish(parts, parts.messages[number::FAULTS])
            played[_hurt(parts, chance)] += 1
            threading.Event().wait(BREATH_S)
        ask_sandbox(parts.sandbox.url, "/_sandbox/faults", method="DELETE")
        return _compared(parts, dict(played), is_settled=_settles(parts))


@contextmanager
def _parts(chance: Random, *, log_dir: Path) -> Iterator[_Parts]:
    with ExitStack() as until_the_end:
        redis_server = until_the_end.enter_context(valkey())
        stripe_server = until_the_end.enter_context(sandbox())
        make_key(stripe_server.url, KEY, account=ACCOUNT)
        env = {
            "PATH": os.defpath,
            "HOME": str(log_dir),
            "BROKER_URL": redis_server.url,
            "REDIS_URL": redis_server.url,
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": stripe_server.url,
        }
        modules = {name: f"chaos.control.{name}" for name in ("consume", "work")}
        workers = until_the_end.enter_context(Zygote(modules, env, log_dir=log_dir))
        messages = _messages(stripe_server.url, chance)
        yield _Parts(redis=redis_server, sandbox=stripe_server, workers=workers, messages=messages)


def _messages(url: str, chance: Random) -> list[dict[str, Any]]:
    client = events.connect(KEY, url)
    client.v1.billing.meters.create(
        {"display_name": METER, "event_name": METER, "default_aggregation": {"formula": "sum"}}
    )
    customers = [client.v1.customers.create({"name": f"{n}"}).id for n in range(20)]
    begins_at = int(datetime.now(UTC).timestamp()) // MINUTE_S * MINUTE_S - MESSAGES * MINUTE_S
    return [
        {
            "customer": chance.choice(customers),
            "meter": METER,
            "value": chance.randrange(1, 100),
            "timestamp": begins_at + number * MINUTE_S,
        }
        for number in range(MESSAGES)
    ]


def _publish(parts: _Parts, messages: list[dict[str, Any]]) -> None:
    with Connection(parts.redis.url) as connection:  # type: ignore[no-untyped-call]
        producer = connection.Producer()
        for message in messages:
            producer.publish(message, routing_key=QUEUE, declare=[Queue(QUEUE)], retry=True)  # type: ignore[no-untyped-call]


def _hurt(parts: _Parts, chance: Random) -> str:
    kind = chance.choice(KINDS)
    if kind != "stripe":
        parts.workers.kill(kind.removeprefix("kill "))
        return kind
    at_stripe = chance.choice(AT_STRIPE)
    fault = {"kind": at_stripe, "path": "/v1/billing/meter_events", "times": 2}
    ask_sandbox(parts.sandbox.url, "/_sandbox/faults", fault)
    return f"stripe: {at_stripe}"


def _settles(parts: _Parts) -> bool:
    """Whether the queues are empty within our patience."""
    deadline = time.monotonic() + QUIET_S
    with Redis.from_url(parts.redis.url) as connection:
        while time.monotonic() < deadline and _waiting(connection):
            threading.Event().wait(POLL_S)
        is_settled = not _waiting(connection)
    threading.Event().wait(1.0)  # for the job that is running
    return is_settled


def _waiting(connection: Any) -> bool:
    """Whether anything is queued, or claimed by somebody who may have died."""
    return bool(connection.llen(QUEUE) or connection.hlen("unacked") or connection.llen(f"rq:queue:{JOBS}"))


def _compared(parts: _Parts, played: dict[str, int], *, is_settled: bool) -> Control:
    """By message, each of which has a minute of its own: what one lost hides nothing that another doubled."""
    told = {(each["customer"], METER, each["timestamp"]): Decimal(each["value"]) for each in parts.messages}
    minutes = ask_sandbox(parts.sandbox.url, f"/_sandbox/audit/minutes?account={ACCOUNT}")["data"]
    billed = {(each["customer"], METER, each["minute"]): Decimal(each["value"]) for each in minutes}
    differences = compare(told, billed)
    nothing = Decimal(0)
    return Control(
        told=sum(told.values(), nothing),
        billed=sum(billed.values(), nothing),
        lost=sum((each.told - each.billed for each in differences if each.told > each.billed), nothing),
        extra=sum((each.billed - each.told for each in differences if each.billed > each.told), nothing),
        is_settled=is_settled,
        faults=played,
    )
