"""The doctor on Redis: whether it keeps what it acknowledged, and whether anyone answers the wake-ups.

Rows stand in BROKER_URL's Redis until they are recorded, so it must write before it answers and never evict. That of
REDIS_URL may lose everything; there only the answer counts.
"""

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.worker_registration import get_keys

from meterpost.broker import is_redis
from service.findings import Finding, fail, fine, warn
from service.redaction import scrub
from service.settings import Settings
from service.wakeups import WakeUps

TIMEOUT_S = 3
VERSION_MIN = (6, 2)  # of the commands that the queue's scripts use
DURABLE = {
    "appendonly": ("yes", "rows that producers were told are safe are gone when Redis stops"),
    "appendfsync": ("always", "rows of up to a second, acknowledged to producers, are gone when the machine stops"),
    "maxmemory-policy": ("noeviction", "Redis throws rows away when its memory is full"),
}
STEPS = ("submit", "subscribe", "apply")


class RedisServer(Protocol):
    """As much of redis.Redis as is asked here."""

    def info(self) -> Mapping[str, object]: ...

    def config_get(self, pattern: str) -> Mapping[str, str]: ...


def check_broker(settings: Settings) -> list[Finding]:
    if not settings.broker_url:
        return [fail("queue", "BROKER_URL is not set", "set it to a Redis or Valkey, such as redis://localhost:6379/0")]
    if not is_redis(settings.broker_url):
        return [warn("queue", "this broker cannot be examined from here", "see that its queues are durable")]
    with connect(settings.broker_url) as server:
        return examine_broker(server, place=_place(settings.broker_url))


def check_wakeups(settings: Settings) -> list[Finding]:
    if not settings.redis_url:
        return [
            fail("wake-ups", "REDIS_URL is not set", "set it to a Redis or Valkey, such as redis://localhost:6379/1")
        ]
    with connect(settings.redis_url) as server:
        findings = examine_reach(server, name="wake-ups", place=_place(settings.redis_url))
        return [*findings, *(_examine_workers(server, settings) if _is_fine(findings) else [])]


def examine_broker(server: RedisServer, *, place: str) -> list[Finding]:
    """Whether this Redis may be trusted with rows."""
    findings = examine_reach(server, name="queue", place=place)
    return [*findings, *(_examine_durability(server) if _is_fine(findings) else [])]


def examine_reach(server: RedisServer, *, name: str, place: str) -> list[Finding]:
    try:
        found = server.info()
    except redis.RedisError as away:
        return [fail(name, f"Redis at {place} does not answer: {scrub(str(away))}", "start it, or correct its address")]
    version = str(found.get("redis_version", "0"))
    if _numbers(version) < VERSION_MIN:
        return [fail(name, f"Redis at {place} is version {version}", "use Redis 6.2 or later, or any Valkey")]
    product = "Valkey" if "valkey_version" in found else "Redis"
    return [fine(name, f"{product} {found.get('valkey_version', version)} at {place} answers")]


def connect(url: str) -> "redis.Redis":
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def _examine_durability(server: RedisServer) -> list[Finding]:
    return [_examine_setting(server, name, wanted=wanted, harm=harm) for name, (wanted, harm) in DURABLE.items()]


def _examine_setting(server: RedisServer, name: str, *, wanted: str, harm: str) -> Finding:
    try:
        value = server.config_get(name).get(name)
    except redis.RedisError as refused:
        value, said = None, f": {refused}"
    else:
        said = ""
    if value is None:
        return warn(f"queue {name}", f"Redis does not tell its {name}{said}", f"see to it that {name} is {wanted}")
    if value == wanted:
        return fine(f"queue {name}", f"{name} is {wanted}")
    return fail(f"queue {name}", f"{name} is {value}: {harm}", f"set `{name} {wanted}` in redis.conf")


def _examine_workers(server: "redis.Redis", settings: Settings) -> list[Finding]:
    missing = [step for step in STEPS if not _is_worked(server, step, settings)]
    if missing:
        text = f"nobody answers the wake-ups of {', '.join(missing)}"
        return [warn("workers", text, "start the Procfile's processes, such as with meterpost up")]
    return [fine("workers", f"{', '.join(STEPS)} are running")]


def _is_worked(server: "redis.Redis", step: str, settings: Settings) -> bool:
    # A worker that was killed stays listed, but its own key ends soon after.
    keys = get_keys(queue=WakeUps(server, step, timing=settings.timing).queue)
    return bool(keys) and bool(server.exists(*keys))


def _is_fine(findings: list[Finding]) -> bool:
    return not any(finding.remedy for finding in findings)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"  # never the password
