"""A meterpost whose ledger can be kept and put back: as a database of the tests' server, or with a server's files."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from chaos.restores.place import Place, RestorableServer, opened, restorable
from cli.main import run
from service.migrate import migrate

METER = "tokens"
numbers = itertools.count(1)


class RestorableDatabase:
    """One database of a server that others use as well; put back as a restored dump would be."""

    def __init__(self, server_url: str, url: str) -> None:
        self.url = url
        self._server_url = server_url
        self._name = url.rpartition("/")[2]

    def keep(self) -> None:
        self._copy(self._name, f"{self._name}_kept")

    def put_back(self) -> None:
        self._copy(f"{self._name}_kept", self._name)

    def end(self) -> None:
        self._run(f"DROP DATABASE IF EXISTS {self._name}_kept WITH (FORCE)")

    def _copy(self, source: str, target: str) -> None:
        """Nobody may be connected meanwhile; pools that try meet a database that is away."""
        for statement in (
            f"ALTER DATABASE {source} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'",
            f"DROP DATABASE IF EXISTS {target} WITH (FORCE)",
            f"CREATE DATABASE {target} TEMPLATE {source}",
            f"ALTER DATABASE {source} ALLOW_CONNECTIONS true",
            f"ALTER DATABASE {target} ALLOW_CONNECTIONS true",
        ):
            self._run(statement)

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(statement.encode())


@dataclass
class Works:
    """Processes on a ledger that can be put back, and the producers before them."""

    server: RestorableDatabase | RestorableServer
    place: Place
    open: Callable[[], Place]
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)

    def customer(self, name: str = "Ada") -> str:
        return self.customers.setdefault(name, self.place.make_customer())

    def sends(self, row_id: str, value: int, *, customer: str = "Ada", minute: int = 0, meter: str = METER) -> None:
        """A producer sends a row of some minutes after an hour that is over, and it is recorded."""
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
        row = {"customer": self.customer(customer), "meter": meter, "value": value, "row_id": row_id, "source": "app"}
        self.told[row_id] = {**row, "occurred_at": hour + timedelta(minutes=minute)}
        self.sends_again(row_id)

    def sends_again(self, *row_ids: str) -> None:
        self.place.client.publish_many([self.told[row_id] for row_id in row_ids])
        self.place.record()

    def forgets(self, *, is_started_anew: bool = False) -> None:
        """The ledger is put back to where it was kept."""
        self.server.put_back()
        if is_started_anew:
            self.place = self.open()

    def flush(self) -> None:
        with redis.Redis.from_url(self.place.settings.redis_url) as connection:
            connection.flushdb()

    def confirms(self) -> None:
        """A person compares, once Stripe's summaries have had their time, and confirms."""
        self.place.walk()
        self.place.write("UPDATE ledger_clock SET ahead_by = ahead_by + interval '5 s'")
        run(["reconcile", "--epoch"])
        assert run(["reconcile", "--epoch", "--confirm", "--yes", "--reason", "INC-42"]) == 0

    def counts(self, customer: str = "Ada") -> int:
        """What Stripe counted."""
        return self.place.counted().get(self.customer(customer), 0)


@contextmanager
def working(
    server: RestorableDatabase | RestorableServer,
    sandbox: Any,
    valkey_url: str,
    *,
    patch: pytest.MonkeyPatch,
    **more: Any,
) -> Iterator[Works]:
    for name, value in {
        "DATABASE_URL": server.url,
        "BROKER_URL": valkey_url.rpartition("/")[0] + "/3",
        "REDIS_URL": valkey_url,
        "STRIPE_SECRET_KEY": sandbox.new_account(),
        "STRIPE_API_BASE": sandbox.url,
        "METERPOST_TIMING": "fast",
        "METERPOST_CALLS_PER_S": "1000",
    }.items():
        patch.setenv(name, value)
    with ExitStack() as stack:
        place = stack.enter_context(opened(**more))
        place.make_meter(METER)
        yield Works(server, place, lambda: stack.enter_context(opened(**more)))


@pytest.fixture
def restorable_database(postgres_url: str, database_url: str) -> Iterator[RestorableDatabase]:
    server = RestorableDatabase(postgres_url, database_url)
    yield server
    server.end()


@pytest.fixture
def works(
    restorable_database: RestorableDatabase, sandbox_server: Any, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Works]:
    with working(restorable_database, sandbox_server, valkey_url, patch=monkeypatch) as found:
        yield found


@pytest.fixture
def works_with_file(
    restorable_database: RestorableDatabase,
    sandbox_server: Any,
    valkey_url: str,
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Works]:
    """With a witness file beside Redis."""
    more = {"patch": monkeypatch, "witness_file": tmp_path / "witness.json"}
    with working(restorable_database, sandbox_server, valkey_url, **more) as found:
        yield found


@pytest.fixture
def works_on_files(
    tmp_path_factory: pytest.TempPathFactory, sandbox_server: Any, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Works]:
    """On a PostgreSQL of its own, whose files are copied."""
    with restorable(tmp_path_factory.mktemp("server") / "postgres") as server:
        migrate(server.url)
        with working(server, sandbox_server, valkey_url, patch=monkeypatch) as found:
            yield found


@pytest.fixture
def in_json(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command in this process and read its JSON."""

    def ran(*arguments: str) -> Any:
        capsys.readouterr()
        run([*arguments, "--json"])
        return json.loads(capsys.readouterr().out)

    return ran


@pytest.fixture
def subscribed() -> Callable[[Works, str], None]:
    """Bills a customer for the meter."""

    def subscribe(works: Works, name: str) -> None:
        client = works.place.stripe
        (meter,) = [found for found in client.v1.billing.meters.list().data if found.event_name == METER]
        recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
        asked: Any = {"currency": "usd", "unit_amount": 1, "product_data": {"name": METER}, "recurring": recurring}
        price = client.v1.prices.create(asked)
        client.v1.subscriptions.create({"customer": works.customer(name), "items": [{"price": price.id}]})

    return subscribe
