"""Real servers for the tests: one Valkey, one PostgreSQL and one sandbox a worker, and a fresh view of each a test."""

import itertools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from local.guarded import ROOT, Server
from local.parent import end_with_parent
from local.postgres import postgres
from local.sandbox import ask_sandbox, make_key, sandbox
from local.valkey import valkey
from service.migrate import migrate

TEMPLATE = "ledger_template"
FILES = ROOT / ".pytest_tmp" / str(os.getpid())  # in the checkout, and of this run alone
QUEUES_DATABASE = 2  # not the one a careless default would use
numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # xdist's workers end with the process that started them, and have its directory
    end_with_parent()
    if config.option.basetemp is None:
        FILES.mkdir(parents=True)
        config.option.basetemp = FILES


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(FILES, ignore_errors=True)


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


@pytest.fixture
def database_url(postgres_url: str, ledger_template: str) -> Iterator[str]:
    """A fresh, migrated ledger of the test's own."""
    name = f"ledger_{next(numbers)}"
    _run(postgres_url, f"CREATE DATABASE {name} TEMPLATE {ledger_template}")
    yield _named(postgres_url, name)
    _run(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


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


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
