"""The faults of a plan, played on a world; each kind is one entry of the table.

What strikes at once counts when it is played. What is armed and waits for a call (a lost reply, a fault of the sandbox)
counts when it has struck, which `struck` asks its witnesses: the sandbox and the wires.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chaos.plan import KINDS, SANDBOX, SERVERS, STOPS, WEBHOOKS, Step
from chaos.world import STEPS, World
from service.timing import FAST

FREEZE_MARGIN_S = 1.5  # past the lease, and past the visibility timeout
SLOW_S = 1.0
POLL_S = 0.05
HELD_BACK_S = 2.0  # a delivery, so that later ones pass it
DRIP_BYTES_PER_S = 20  # an answer of some hundred bytes outlasts the call's deadline
LATENCY_S = FAST.call_deadline_s + 1.5  # it is applied when nobody waits for the answer any more
METER_EVENTS = "/v1/billing/meter_events"
FIELDS: dict[str, dict[str, object]] = {
    "rate_limited": {"reason": "endpoint-rate", "times": 3},
    "slow_drip": {"bytes_per_s": DRIP_BYTES_PER_S},
    "latency": {"delay_s": LATENCY_S},
}
REPLIES = {  # kind → the wire, and what of a request tells it
    "lose a reply of stripe": ("stripe", b"POST /v1/billing/meter_events "),
    "lose a reply to a publish": ("redis", b"LPUSH"),
    "lose a reply to a claim": ("redis", b"EVALSHA"),
    "lose a reply to a commit": ("postgres", b"COMMIT\0"),
}
BACKENDS = """
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY backend_start
"""

Fault = Callable[[World, Random], None]


def play(world: World, step: Step) -> None:
    """Let it happen; returns when it has, or is armed, or has begun."""
    FAULTS[step.kind](world, Random(step.draw))


def struck(world: World, played: Counter[str]) -> dict[str, int]:
    """How often each kind has happened so far."""
    found = {kind: played[kind] for kind in KINDS}
    found |= {kind: world.wires[name].lost[to] for kind, (name, to) in REPLIES.items()}
    at_stripe: Counter[str] = Counter()
    for fault in world.ask_stripe("/_sandbox/faults")["data"]:
        at_stripe[fault["kind"]] += fault["struck"] > 0
    on_the_way: Counter[str] = Counter()
    for fault in world.ask_stripe("/_sandbox/delivery_faults")["data"]:
        on_the_way[fault["kind"]] += fault["times"] == 0
    found |= {f"stripe: {kind}": at_stripe[kind] for kind in SANDBOX}
    return found | {f"webhook: {kind}": on_the_way[kind] for kind in WEBHOOKS}


def _kill(step: str, world: World, chance: Random) -> None:
    world.workers.kill(chance.choice(world.names(step)))


def _kill_web(world: World, _: Random) -> None:
    world.web.kill("web")


def _kill_producer(world: World, chance: Random) -> None:
    world.producers.kill(chance.randrange(100))


def _crash(server: str, world: World, _: Random) -> None:
    world.crash(server)


def _kill_backend(world: World, chance: Random) -> None:
    """PostgreSQL then ends all its backends and recovers as after a crash."""
    with suppress(ProcessLookupError):  # it ended by itself just now
        os.kill(_backend(world, chance), signal.SIGKILL)


def _terminate_backend(world: World, chance: Random) -> None:
    world.ask("SELECT pg_terminate_backend(%s)", _backend(world, chance))


def _backend(world: World, chance: Random) -> int:
    """One of the workers' connections; just after a crash they have to be waited for."""
    while not (found := world.ask(BACKENDS)):
        threading.Event().wait(POLL_S)
    return int(chance.choice(found)[0])


def _freeze(step: str, world: World, chance: Random) -> None:
    longest_s = max(FAST.lease_s, FAST.visibility_timeout_s)
    world.freeze(step, for_s=longest_s + FREEZE_MARGIN_S + chance.random())


def _forget_wakeups(world: World, _: Random) -> None:
    with redis.Redis.from_url(world.stack.env["REDIS_URL"], retry=Retry(NoBackoff(), 0)) as connection:
        connection.flushdb()


def _lose_reply(kind: str, world: World, _: Random) -> None:
    wire, to = REPLIES[kind]
    world.wires[wire].lose_reply(to)


def _cut(wire: str, world: World, _: Random) -> None:
    world.wires[wire].cut()


def _slow(wire: str, world: World, chance: Random) -> None:
    world.wires[wire].stand_still(SLOW_S + chance.random())


def _at_stripe(kind: str, world: World, chance: Random) -> None:
    fault = {"kind": kind, "path": METER_EVENTS, "times": 1, "seed": chance.randrange(2**16), **FIELDS.get(kind, {})}
    world.ask_stripe("/_sandbox/faults", fault)


def _on_the_way(kind: str, world: World, chance: Random) -> None:
    """What befalls the next event's delivery."""
    fault = {"kind": kind, "delay_s": HELD_BACK_S, "times": 1, "seed": chance.randrange(2**16)}
    world.ask_stripe("/_sandbox/delivery_faults", fault)


FAULTS: dict[str, Fault] = {
    **{f"kill {step}": partial(_kill, step) for step in STEPS},
    "kill producer": _kill_producer,
    "kill web": _kill_web,
    "kill redis": partial(_crash, "valkey"),
    "kill postgres": partial(_crash, "postgres"),
    "kill a backend": _kill_backend,
    **dict(zip(STOPS, (partial(_freeze, "submit"), partial(_freeze, "record")), strict=True)),
    **dict(zip(SERVERS, (_forget_wakeups, _terminate_backend), strict=True)),
    **{kind: partial(_lose_reply, kind) for kind in REPLIES},
    **{f"cut the wires to {wire}": partial(_cut, wire) for wire in ("stripe", "redis", "postgres")},
    **{f"slow wire to {wire}": partial(_slow, wire) for wire in ("stripe", "redis", "postgres")},
    **{f"stripe: {kind}": partial(_at_stripe, kind) for kind in SANDBOX},
    **{f"webhook: {kind}": partial(_on_the_way, kind) for kind in WEBHOOKS},
}
assert FAULTS.keys() == set(KINDS), "each kind of the plan can be played"
