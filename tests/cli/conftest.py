"""The command as its user meets it: arguments in; exit code, stdout and stderr out."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from meterpost.rows import UsageRow, parse_message
from service.queues import RowQueue
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
