"""A run of cuts: producers, a queue and a ledger under the shim, the real `record` between them, and the count."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg

from chaos.power.cut import Powered, cut
from chaos.power.disk import compiled
from chaos.power.producers import Producer, value_of
from chaos.power.servers import postgres_on_disk, valkey_on_disk
from local.account import server_user
from local.child import Child, Launch
from local.guarded import ROOT
from local.place import scratch
from service import invariants
from service.migrate import migrate
from service.queues import RowQueue
from service.timing import FAST

PRODUCERS = 2
LOAD_MIN_S, LOAD_MAX_S = 0.1, 0.5  # between two cuts
STANDSTILL_SHARE = 0.4  # of the cuts, with `record` frozen before them: rows wait in the queue for nothing but the cut
PROGRESS_TIMEOUT_S = 60  # a busy machine, a pool that waits longer each time, a claim that comes back
DRAIN_TIMEOUT_S = 120
STOP_TIMEOUT_S = 10
POLL_S = 0.05
RECORDER_LOG = "record.log"
LOG_TAIL = 3000
WHICH = (("valkey",), ("postgres",), ("valkey", "postgres"))

RECORDED = """
SELECT row_key.row_id, count(entry.entry_id), coalesce(sum(value), 0)
FROM row_key LEFT JOIN entry USING (source, row_id)
GROUP BY row_key.row_id
"""
RECORDED_COUNT = "SELECT coalesce(sum(recorded), 0) FROM intake"
AMISS = "SELECT coalesce(sum(conflicts + quarantined), 0) FROM intake"


class StandsStill(Exception):
    """Nothing moves any more; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is cut, how often, and what the servers were told about durability other than ours."""

    cuts: int
    seed: int
    which: tuple[tuple[str, ...], ...] = WHICH
    valkey: Mapping[str, str] = field(default_factory=dict)
    postgres: Mapping[str, str] = field(default_factory=dict)
    standstill_share: float = STANDSTILL_SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came out. `lost` are acknowledged rows without an entry, `extra` entries that nobody offered or twice."""

    servers: tuple[Powered, ...]
    offered: int
    acknowledged: int
    recorded: int
    lost: int
    extra: int
    wrong: tuple[str, ...]
    seconds: float


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything that runs."""

    queue: Powered
    ledger: Powered
    recorder: Child
    recorder_log: Path
    producers: list[Producer]

    @property
    def told(self) -> int:
        return sum(len(producer.told) for producer in self.producers)

    def recorded(self) -> int:
        """Rows in the ledger; -1 while it does not answer."""
        try:
            with psycopg.connect(self.ledger.server.url, connect_timeout=2) as ledger:
                row = ledger.execute(RECORDED_COUNT).fetchone()
        except psycopg.OperationalError:
            return -1
        return int(row[0]) if row else 0


def play(plan: Plan) -> Tally:
    """Cut the power as planned, let everything come to rest, and count. Raises StandsStill."""
    began, chance = time.monotonic(), Random(plan.seed)
    with _scene(plan) as scene:
        try:
            for number in range(plan.cuts):
                _live_through(scene, plan, number=number, chance=chance)
            for producer in scene.producers:
                producer.stop()
            _drain(scene)
        except StandsStill as still:
            raise StandsStill(f"{still}; record says:\n{scene.recorder_log.read_text()[-LOG_TAIL:]}") from still
        return _count(scene, seconds=time.monotonic() - began)


def _live_through(scene: Scene, plan: Plan, *, number: int, chance: Random) -> None:
    """One cut. Every second one leaves torn pieces behind."""
    for producer in scene.producers:
        producer.grant()
    _load(scene, chance, standstill_share=plan.standstill_share)
    names = plan.which[number % len(plan.which)]
    servers = [powered for powered in (scene.queue, scene.ledger) if powered.name in names]
    cut(servers, Random(chance.random()) if number % 2 else None)
    scene.recorder.kill(signal.SIGCONT)


@contextmanager
def _scene(plan: Plan) -> Iterator[Scene]:
    with ExitStack() as until_the_end:
        place = until_the_end.enter_context(scratch(server_user()))
        library = compiled(place)
        queue = until_the_end.enter_context(valkey_on_disk(place, library, changed=plan.valkey))
        ledger = until_the_end.enter_context(postgres_on_disk(place, library, changed=plan.postgres))
        migrate(ledger.server.url)
        with psycopg.connect(ledger.server.url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")  # the tables are on the disk, even where commits are not
        recorder = _recorder(place, queue.server.url, ledger.server.url)
        until_the_end.callback(_end, recorder)
        names = [f"app{number}" for number in range(PRODUCERS)]
        broker_url, seed = queue.server.url, plan.seed
        producers = [Producer(name=name, broker_url=broker_url, chance=Random(f"{seed}-{name}")) for name in names]
        for producer in producers:
            producer.start()
            until_the_end.callback(producer.stop)
        log = place / RECORDER_LOG
        yield Scene(queue=queue, ledger=ledger, recorder=recorder, recorder_log=log, producers=producers)


def _recorder(place: Path, broker_url: str, database_url: str) -> Child:
    """The step as it runs in earnest; it waits for what is away, and is started again should it die."""
    env = {
        "PATH": os.defpath,
        "HOME": str(place),
        "BROKER_URL": broker_url,
        "REDIS_URL": broker_url.removesuffix("0") + "1",
        "DATABASE_URL": database_url,
        "METERPOST_TIMING": "fast",
    }
    command = [sys.executable, "-m", "workers.record"]
    recorder = Child(Launch(name="record", command=command, env=env, cwd=ROOT, log=place / RECORDER_LOG))
    recorder.start()
    return recorder


def _end(recorder: Child) -> None:
    recorder.ask_to_stop()
    recorder.ensure_stopped(STOP_TIMEOUT_S)


def _load(scene: Scene, chance: Random, *, standstill_share: float) -> None:
    """Until rows came to the queue and to the ledger since the last cut, and for a moment more."""
    told, recorded = scene.told, -1
    _eventually(lambda: scene.told > told, "producers are told of nothing")

    def is_recorded() -> bool:
        nonlocal recorded
        now = scene.recorded()
        recorded = now if recorded < 0 else recorded
        return now > recorded >= 0

    _eventually(is_recorded, "nothing is recorded")
    if chance.random() < standstill_share:
        scene.recorder.kill(signal.SIGSTOP)
    time.sleep(chance.uniform(LOAD_MIN_S, LOAD_MAX_S))


def _drain(scene: Scene) -> None:
    """Until nothing waits and nothing is claimed."""
    queue = RowQueue(scene.queue.server.url, visibility_timeout_s=5, prefetch_messages=1)

    def is_empty() -> bool:
        depth = queue.depth()
        return depth.waiting + depth.unacked + depth.garbled == 0

    try:
        _eventually(is_empty, "the queue does not become empty", timeout_s=DRAIN_TIMEOUT_S)
    finally:
        queue.close()


def _count(scene: Scene, *, seconds: float) -> Tally:
    """The producers' own memory against the ledger's rows, row by row."""
    told = set().union(*(producer.told for producer in scene.producers))
    offered = {f"{each.name}-{number}" for each in scene.producers for number in range(each.offered)}
    with psycopg.connect(scene.ledger.server.url) as ledger:
        recorded = {row_id: (entries, value) for row_id, entries, value in ledger.execute(RECORDED)}
        breaches = invariants.check(ledger, timing=FAST)
        (amiss,) = ledger.execute(AMISS).fetchone() or (0,)
    right = {row_id for row_id, found in recorded.items() if found == (1, value_of(row_id))}
    wrong = [f"{amiss} rows in conflict or quarantine"] if amiss else []
    return Tally(
        servers=(scene.queue, scene.ledger),
        offered=len(offered),
        acknowledged=len(told),
        recorded=len(right),
        lost=len(told - right),
        extra=len(recorded.keys() - offered) + len(recorded.keys() - right),
        wrong=(*wrong, *(f"{breach.invariant}: {breach.subject} {breach.said}" for breach in breaches)),
        seconds=seconds,
    )


def _eventually(claim: Callable[[], bool], otherwise: str, *, timeout_s: float = PROGRESS_TIMEOUT_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not claim():
        if time.monotonic() > deadline:
            raise StandsStill(f"{otherwise} for {timeout_s} s")
        time.sleep(POLL_S)
