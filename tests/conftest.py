"""Real servers for the tests: one Valkey, one PostgreSQL and one sandbox a worker, and a fresh view of each a test."""

import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from psycopg.conninfo import make_conninfo
from redis.backoff import NoBackoff
from redis.retry import Retry

from local.guarded import ROOT, Server
from local.parent import end_with_parent
from local.postgres import postgres
from local.sandbox import ask_sandbox, make_key, sandbox
from local.valkey import valkey
from service.ledger import Ledger
from service.migrate import migrate

TEMPLATE = "ledger_template"
FILES = ROOT / ".pytest_tmp" / str(os.getpid())  # in the checkout, and of this run alone
QUEUES_DATABASE = 2  # not the one a careless default would use
LONGEST = {"crashes", "demo", "model", "processes"}
RAM_DISK = Path("/dev/shm")
RAM_DISK_BYTES_MIN = 4 * 2**30  # a server's files take some fifty megabytes, and a dozen run at once
numbers = itertools.count(1)

# Hundreds of Pythons are started here, and without compiled files each compiles everything anew, as each run its tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

LARGE_BYTES = 16 * 2**20  # of a ledger that is not used again; an empty one has nine
TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
SEQUENCES = "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"
ALONE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND NOT (application_name = 'warm' AND state = 'idle')
"""
CATALOG = """
WITH lasting AS (SELECT oid, xmin FROM pg_class WHERE relpersistence = 'p')
SELECT count(*), max(xmin::text::bigint) FROM lasting
UNION ALL SELECT count(*), max(a.xmin::text::bigint) FROM pg_attribute AS a JOIN lasting AS l ON l.oid = a.attrelid
UNION ALL SELECT count(*), max(c.xmin::text::bigint) FROM pg_constraint AS c JOIN lasting AS l ON l.oid = c.conrelid
UNION ALL SELECT count(*), sum(hashtextextended(t::text, 0)) FROM pg_trigger AS t JOIN lasting AS l ON l.oid = t.tgrelid
UNION ALL SELECT count(*), max(xmin::text::bigint) FROM pg_proc
"""
"""Changes with whatever is made, altered or removed, but for the temporary tables of who is connected.

Triggers are compared by what they are: many a test turns one off and on again, and the ledger is as it was.
"""


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # xdist's workers end with the process that started them, and have its directory
    end_with_parent()
    _keep_files_in_memory(config)
    if config.option.basetemp is None:
        FILES.mkdir(parents=True)
        config.option.basetemp = FILES


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that at the end no core waits for one; the order is by chance otherwise."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(FILES, ignore_errors=True)


def _keep_files_in_memory(config: pytest.Config) -> None:
    """Where servers have their files: a disk slows down the more, the more of them were made and removed lately."""
    if "TMPDIR" in os.environ or not RAM_DISK.is_dir() or os.statvfs(RAM_DISK).f_flag & os.ST_NOEXEC:
        return
    if shutil.disk_usage(RAM_DISK).free >= RAM_DISK_BYTES_MIN:
        tempfile.tempdir = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="meterpost-tests-", dir=RAM_DISK)
        Path(tempfile.tempdir).chmod(0o711)  # PostgreSQL's user walks through
        config.add_cleanup(partial(shutil.rmtree, tempfile.tempdir, ignore_errors=True))


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Server]:
    with valkey() as server:
        yield server


@pytest.fixture
def valkey_url(valkey_server: Server) -> Iterator[str]:
    """An empty logical database of a durable Valkey."""
    url = f"{valkey_server.url.removesuffix('/0')}/{QUEUES_DATABASE}"
    with redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as connection:
        connection.flushdb()
        yield url
        connection.flushdb()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The maintenance database of a PostgreSQL without fsync; `database_url` is what tests mostly want."""
    with postgres(fsync=False) as server:
        yield server.url


@pytest.fixture(scope="session")
def ledger_template(postgres_url: str) -> str:
    """The name of a migrated, empty ledger to clone."""
    _run(postgres_url, f"CREATE DATABASE {TEMPLATE}")
    migrate(_named(postgres_url, TEMPLATE))
    return TEMPLATE


class EmptyLedgers:
    """Ledgers that are used again, because a copy of the template costs ten times what it costs to empty one.

    A ledger whose catalog is no longer the template's, or that has grown large, is dropped instead.
    """

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._template = template
        self._given_back: list[str] = []
        self._cleaners: dict[str, psycopg.Connection] = {}
        self._warm: dict[str, Ledger] = {}
        with psycopg.connect(_named(server_url, template)) as ledger:
            self._catalog = ledger.execute(CATALOG).fetchall()
            self._rows = {table: _copied(ledger, table) for (table,) in ledger.execute(TABLES)}

    def take(self) -> str:
        if self._given_back:
            return self._given_back.pop()
        name = f"ledger_{next(numbers)}"
        _run(self._server_url, f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return _named(self._server_url, name)

    def give_back(self, url: str) -> None:
        ledger = self._cleaner(url)
        if self._is_as_made(ledger):
            self._empty(ledger)
            self._given_back.append(url)
        else:
            self._cleaners.pop(url).close()
            if url in self._warm:
                self._warm.pop(url).close()
            _run(self._server_url, f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def lend(self, url: str) -> Ledger:
        """Connections that know the ledger's tables already: a new one learns for longer than most tests use it."""
        if url not in self._warm:
            self._warm[url] = Ledger(make_conninfo(url, application_name="warm"), connections_max=10)
        self._warm[url]._pool.check()  # a test may have ended them
        return copy(self._warm[url])

    def close(self) -> None:
        for ledger in [*self._cleaners.values(), *self._warm.values()]:
            ledger.close()

    def _cleaner(self, url: str) -> psycopg.Connection:
        """A connection that stays: a new one costs ten times what is done with it. A test may have ended it."""
        try:
            return self._cleaners[url].execute("SELECT 1").connection
        except (KeyError, psycopg.OperationalError):
            self._cleaners[url] = psycopg.connect(url, autocommit=True)
            return self._cleaners[url]

    def _is_as_made(self, ledger: psycopg.Connection) -> bool:
        ledger.execute(ALONE)
        size = ledger.execute("SELECT pg_database_size(current_database())").fetchone()
        return size is not None and size[0] < LARGE_BYTES and ledger.execute(CATALOG).fetchall() == self._catalog

    def _empty(self, ledger: psycopg.Connection) -> None:
        with ledger.transaction():
            ledger.execute("SET LOCAL session_replication_role = replica")  # no trigger and no foreign key asks why
            ledger.execute(";".join(f"DELETE FROM {table}" for table in self._rows).encode())
            for table, rows in self._rows.items():
                if rows:
                    with ledger.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                        copy.write(rows)
            ledger.execute(SEQUENCES)


@pytest.fixture(scope="session")
def empty_ledgers(postgres_url: str, ledger_template: str) -> Iterator[EmptyLedgers]:
    ledgers = EmptyLedgers(postgres_url, ledger_template)
    yield ledgers
    ledgers.close()


@pytest.fixture
def database_url(empty_ledgers: EmptyLedgers) -> Iterator[str]:
    """A migrated ledger of the test's own, as empty as on its first day."""
    url = empty_ledgers.take()
    yield url
    empty_ledgers.give_back(url)


@pytest.fixture
def warm_ledger(empty_ledgers: EmptyLedgers, database_url: str) -> Iterator[Ledger]:
    """The test's ledger over connections that stay when it is over; nobody who does has them any more."""
    ledger = empty_ledgers.lend(database_url)
    yield ledger
    del ledger._pool


@dataclass(frozen=True)
class Sandbox:
    """A sandbox of Stripe; tests share its process, so each takes an account of its own."""

    url: str

    def new_account(self, *, livemode: bool = False) -> str:
        """A secret key of an account that nobody else uses."""
        key = f"sk_{'live' if livemode else 'test'}_made_up_{next(numbers)}"
        make_key(self.url, key, account=_account(key), livemode=livemode)
        return key

    def audit(self, key: str | None = None) -> Any:
        """The auditor's report, over all accounts or over the one that `key` belongs to."""
        account = "" if key is None else f"?account={_account(key)}"
        return ask_sandbox(self.url, f"/_sandbox/audit{account}")

    def fault(self, **fault: Any) -> Any:
        """A fault for the rest of the test; see the sandbox for kinds and fields."""
        return ask_sandbox(self.url, "/_sandbox/faults", fault)

    def clock(self, **clock: Any) -> Any:
        """Set the clock for the rest of the test: `offset`, `advance` or `frozen`."""
        return ask_sandbox(self.url, "/_sandbox/clock", clock)

    def forget(self) -> None:
        """Take faults and the clock back to what they were."""
        ask_sandbox(self.url, "/_sandbox/faults", method="DELETE")
        self.clock(frozen=False)
        self.clock(offset=0)


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with sandbox() as server:
        yield server.url


@pytest.fixture
def sandbox_server(sandbox_url: str) -> Iterator[Sandbox]:
    """The sandbox, without faults and at the present time."""
    server = Sandbox(sandbox_url)
    yield server
    server.forget()


def _account(key: str) -> str:
    return f"acct_{key.rpartition('_')[2]}"


def _named(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"


def _copied(ledger: psycopg.Connection, table: str) -> bytes:
    """The rows of a table."""
    with ledger.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
        return b"".join(bytes(block) for block in copy)


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
