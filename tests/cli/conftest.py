"""The command as its user meets it: arguments in; exit code, stdout and stderr out."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from cli.main import run
from meterpost.rows import BadRow, UsageRow, parse_message, read_row
from meterpost.subscription import SubscriptionRow
from service.ledger import intake
from service.queues import RowQueue
from service.timing import FAST
from service.variables import VARIABLES


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A directory and an environment without any setting."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(bare: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command in this process, without any setting but those that other fixtures make."""

    def ran(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run(arguments)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return ran


@pytest.fixture
def queue(bare: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A queue of the test's own, named by the settings."""
    monkeypatch.setenv("BROKER_URL", valkey_url)
    return valkey_url


@pytest.fixture
def stripe_key(bare: object, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A key of an account of the test's own, named by the settings."""
    key: str = sandbox_server.new_account()
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    monkeypatch.setenv("STRIPE_API_BASE", sandbox_server.url)
    return key


@pytest.fixture
def ledger(bare: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger of the test's own, named by the settings."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def published(queue: str) -> Iterator[Callable[[], list[UsageRow]]]:
    """The rows on the queue, oldest first."""
    consumer = RowQueue(queue, visibility_timeout_s=60, prefetch_messages=100)

    def rows() -> list[UsageRow]:
        messages = consumer.claim(messages_max=100, wait_s=0.2)
        return [row for message in messages for row in parse_message(message.body, now=datetime.now(UTC)).rows]

    yield rows
    consumer.close()


@pytest.fixture
def told(queue: str) -> Iterator[Callable[[], list[SubscriptionRow]]]:
    """The subscriptions on the queue, oldest first, each told once."""
    consumer = RowQueue(queue, visibility_timeout_s=60, prefetch_messages=100)

    def rows() -> list[SubscriptionRow]:
        messages = consumer.claim(messages_max=100, wait_s=0.2)
        consumer.ack(messages)
        return [row for message in messages for row in parse_message(message.body, now=datetime.now(UTC)).signups]

    yield rows
    consumer.close()


@dataclass(frozen=True)
class Books:
    """The ledger, written to as the steps would."""

    url: str

    def record(self, *rows: UsageRow) -> None:
        with psycopg.connect(self.url) as tx:
            intake.record(tx, rows, (), messages=1, timing=FAST)

    def sign_up(self, rows: Sequence[SubscriptionRow]) -> None:
        with psycopg.connect(self.url) as tx:
            intake.record_signups(tx, rows, (), messages=1)

    def quarantine(self, raw: bytes, *, row_id: str, reason: str) -> None:
        bad = BadRow(raw=raw, row_id=row_id, field="value", reason=reason, sent_at=None)
        with psycopg.connect(self.url) as tx:
            intake.record(tx, (), [bad], messages=1, timing=FAST)

    def execute(self, statement: LiteralString) -> None:
        with psycopg.connect(self.url) as tx:
            tx.execute(statement)


@pytest.fixture
def books(ledger: str) -> Books:
    return Books(ledger)


@pytest.fixture
def usage_row() -> Callable[..., UsageRow]:
    """A good row; what matters to a test is told by it."""

    def made(row_id: str, **said: Any) -> UsageRow:
        now = datetime.now(UTC)
        usual = {"customer": "cus_1", "meter": "api_requests", "value": 3, "source": "app", "occurred_at": now}
        row = read_row(usual | said | {"row_id": row_id}, sent_at=now, now=now)
        assert isinstance(row, UsageRow), row
        return row

    return made
