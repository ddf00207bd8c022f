"""A meterpost in this process on a PostgreSQL whose files can be kept and put back.

The steps are the workers' own, walked one at a time. Kept is the whole directory of the stopped server, as a snapshot
of a disk would have it; put back, it starts with other processes on the same address, as any restored server does.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import psycopg
import stripe

from local.account import lasting_directory, server_user
from local.guarded import Server
from local.postgres import postgres
from local.sandbox import ask_sandbox
from meterpost import Meterpost
from service import settings, wakeups
from service.epoch import Guard
from service.gateway import API_VERSION, Gateway
from service.ledger import Ledger, LedgerUnavailable, accounts
from service.ledger.epochs import open_restore
from service.limiter import Unlimited
from service.queues import RowQueue
from service.settings import Settings
from service.timing import FAST
from service.witness import FileWitness, Keeps, RedisWitness
from workers.reconcile import Reconciler
from workers.record import Recorder
from workers.seal import Sealer
from workers.submit import Submitter

TIMING = replace(FAST, seal_linger_s=0, backoff_base_s=0, confirm_after_s=0, poll_s=0.01, unread_wait_s=0)
LITTLE_WAL = {"min_wal_size": "32MB", "max_wal_size": "48MB", "wal_recycle": "off"}  # all of it is copied
FORKED_S_MAX = 30  # until they notice; a moment, on a machine that is not busy
FORKED_POLL_S = 0.02
TRIES_MAX = 20  # of a step whose connections broke; each try finds another of the pool's
THREADS = 4
Answer = TypeVar("Answer")


class RestorableServer:
    """PostgreSQL with its files in `directory`; between `keep` and `put_back` it lives on and is forgotten."""

    def __init__(self, server: Server, directory: Path) -> None:
        self.url = server.url
        self._server = server
        self._directory = lasting_directory(directory, server_user())

    def keep(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        self._kill()
        _mirror(self._directory / "cluster", self._directory / "kept")
        self._server.start()

    def put_back(self) -> None:
        self._kill()
        _mirror(self._directory / "kept", self._directory / "cluster")
        self._server.start()

    def _kill(self) -> None:
        """With all that it forked, which goes on for a moment: files that change meanwhile are no snapshot."""
        pid = self._server.pid
        forked = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self._server.kill()
        pause, deadline_s = threading.Event(), time.monotonic() + FORKED_S_MAX
        while any(Path(f"/proc/{child}").exists() for child in forked):
            assert time.monotonic() < deadline_s, "PostgreSQL's processes end with the one that forked them"
            pause.wait(FORKED_POLL_S)

    def restart(self) -> None:
        """A crash, and the recovery from it."""
        self._kill()
        self._server.start()


@contextmanager
def restorable(directory: Path) -> Iterator[RestorableServer]:
    with postgres(directory, fsync=False, changed=LITTLE_WAL) as server:
        yield RestorableServer(server, directory)


@dataclass(kw_only=True)
class Place:
    """The steps of one meterpost, and the means to look at its books and at Stripe's."""

    settings: Settings
    ledger: Ledger
    guard: Guard
    client: Meterpost
    recorder: Recorder
    sealer: Sealer
    submitter: Submitter
    reconciler: Reconciler
    stripe: stripe.StripeClient
    stripe_account: str

    def record(self) -> int:
        """Everything that producers were told is safe."""
        recorded = 0
        while found := self.patiently(self.recorder.record_some):
            recorded += found
        return recorded

    def seal(self) -> int:
        return self.patiently(self.sealer.seal_due)

    def send(self) -> None:
        self.patiently(lambda: self.submitter.drain("default", 0))

    def confirm(self) -> int:
        return self.patiently(self.reconciler.confirm_due)

    def walk(self) -> None:
        """Every step until none finds anything, a bounded number of times."""
        for _ in range(TRIES_MAX):
            self.record()
            sealed = self.seal()
            self.send()
            if sealed + self.confirm() == 0:
                return

    def patiently(self, step: Callable[[], Answer]) -> Answer:
        """As a worker's loop does it: a ledger that was away is asked again."""
        for _ in range(TRIES_MAX - 1):
            try:
                return step()
            except LedgerUnavailable:
                continue
        return step()

    def ask(self, question: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.settings.database_url) as ledger:
            return ledger.execute(question.encode()).fetchall()

    def write(self, statement: str) -> None:
        """Change the ledger behind everybody's back."""
        with psycopg.connect(self.settings.database_url) as ledger:
            ledger.execute(statement.encode())

    def waits_for_person(self) -> bool:
        with psycopg.connect(self.settings.database_url) as tx:
            return open_restore(tx) is not None

    def calls(self) -> int:
        """How many meter events were told to Stripe, as it saw it."""
        asked = f"/_sandbox/audit/calls?account={self.stripe_account}&path=/v1/billing/meter_events&limit=1000"
        return len(ask_sandbox(self.settings.stripe_api_base, asked)["data"])

    def counted(self) -> dict[str, int]:
        """What Stripe counted, by customer."""
        audit = ask_sandbox(self.settings.stripe_api_base, f"/_sandbox/audit?account={self.stripe_account}")
        return {total["customer"]: int(total["value"]) for total in audit["totals"]}

    def make_meter(self, event_name: str, *, formula: str = "sum") -> None:
        self.stripe.v1.billing.meters.create(
            {"display_name": event_name, "event_name": event_name, "default_aggregation": {"formula": formula}}
        )

    def make_customer(self) -> str:
        return str(self.stripe.v1.customers.create({"name": "Ada"}).id)


@contextmanager
def opened(*, witness_file: Path | None = None, is_redis_witness: bool = True) -> Iterator[Place]:
    """What the processes of a deployment open at their start, by the settings of the environment."""
    chosen = replace(settings.load(), timing=TIMING)
    with ExitStack() as stack:
        redis = stack.enter_context(wakeups.connect(chosen.redis_url))
        ledger, gateway = Ledger(chosen.database_url, connections_max=THREADS + 2), Gateway(chosen)
        stack.callback(ledger.close)
        key = gateway.account()
        with ledger.transaction() as tx:
            accounts.pin_account(tx, "default", stripe_account=key.stripe_account, is_live=key.is_live)
        places: list[Keeps] = [RedisWitness(redis, key.stripe_account, is_live=False)] if is_redis_witness else []
        places += [FileWitness(witness_file)] if witness_file else []
        yield _composed(chosen, ledger, gateway, stack=stack, places=places, stripe_account=key.stripe_account)


def _composed(
    chosen: Settings,
    ledger: Ledger,
    gateway: Gateway,
    *,
    stack: ExitStack,
    places: Sequence[Keeps],
    stripe_account: str,
) -> Place:
    guard = Guard(ledger, places)
    guard.watch()
    queue = RowQueue(chosen.broker_url, visibility_timeout_s=5, prefetch_messages=50)
    stack.callback(queue.close)
    stopping = threading.Event()
    return Place(
        settings=chosen,
        ledger=ledger,
        guard=guard,
        client=stack.enter_context(Meterpost(chosen.broker_url)),
        recorder=Recorder(ledger, queue, timing=TIMING),
        sealer=Sealer(ledger, gateway, "default", timing=TIMING, guard=guard),
        submitter=Submitter(
            ledger, gateway, Unlimited(), timing=TIMING, threads=THREADS, stopping=stopping, guard=guard
        ),
        reconciler=Reconciler(ledger, gateway, "default", timing=TIMING),
        stripe=stripe.StripeClient(
            chosen.stripe_secret_key, stripe_version=API_VERSION, base_addresses={"api": chosen.stripe_api_base}
        ),
        stripe_account=stripe_account,
    )


def _mirror(source: Path, target: Path) -> None:
    """Make `target` the same, with owners and modes, on which PostgreSQL insists. What is the same already stays."""
    wanted, there = _tree(source), _tree(target)
    for name in sorted(there.keys() - wanted.keys(), reverse=True):  # what is in a folder before the folder
        gone = target / name
        gone.rmdir() if gone.is_dir() else gone.unlink()
    for name, known in sorted(wanted.items()):
        copy = target / name
        if (source / name).is_dir():
            copy.mkdir(exist_ok=True)
        elif there.get(name) != known:
            shutil.copyfile(source / name, copy)
        shutil.copystat(source / name, copy)
        at = (source / name).stat()
        os.chown(copy, at.st_uid, at.st_gid)


def _tree(folder: Path) -> dict[str, tuple[int, int]]:
    """The folder itself and all that is in it, with sizes and times of change."""
    if not folder.exists():
        return {}
    found = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}
