"""Everything on one machine, by one command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

PROGRAM = [sys.executable, "-c", "from cli.main import main; main()"]
STOP_TIMEOUT_S = 30


@dataclass(frozen=True)
class Running:
    """The command while it runs, and what it answered."""

    program: "subprocess.Popen[str]"
    answer: Any

    def ask(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        env = os.environ | self.answer["settings"]
        return subprocess.run([*PROGRAM, *arguments], env=env, capture_output=True, text=True, check=False)

    def stop(self) -> int:
        self.program.send_signal(signal.SIGINT)
        self.program.communicate(timeout=STOP_TIMEOUT_S)
        return self.program.returncode


@pytest.fixture
def running(bare: Path) -> Iterator[Running]:
    """`meterpost up` without any setting, once it has answered."""
    program = subprocess.Popen(
        [*PROGRAM, "up", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=bare
    )
    assert program.stdout is not None
    answer = ""
    while not answer.endswith("\n}\n") and (line := program.stdout.readline()):
        answer += line
    yield Running(program, json.loads(answer))
    program.kill()
    program.communicate()


def test_the_other_commands_find_what_was_started_and_it_ends_whole(running: Running) -> None:
    customer = running.answer["customers"]["api_requests"]

    added = running.ask("usage", "add", customer, "api_requests", "3")
    migrated = running.ask("migrate", "--check")
    code = running.stop()

    assert (added.returncode, migrated.returncode, code) == (0, 0, 130)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(running.answer["settings"]["DATABASE_URL"])


def test_the_answer_tells_all_that_the_other_commands_need(running: Running) -> None:
    assert list(running.answer) == ["webhook_url", "is_sandbox", "settings", "customers"]
    assert running.answer["is_sandbox"]
    assert running.answer["settings"].keys() >= {"DATABASE_URL", "BROKER_URL", "REDIS_URL", "STRIPE_SECRET_KEY"}
    assert running.answer["settings"]["METERPOST_TIMING"] == "fast"  # they judge by the workers' times
