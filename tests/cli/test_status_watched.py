"""Watching: one look after the other, until somebody ends it."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

PROGRAM = [sys.executable, "-c", "from cli.main import main; main()", "status", "--watch", "--interval", "0.1"]
Watch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def watching(queue: str, ledger: str) -> Iterator[Watch]:
    """The command under way, ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **more: Any) -> "subprocess.Popen[str]":
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen([*PROGRAM, *arguments], **{**pipes, **more}))
        return started[-1]

    yield start
    for program in started:
        program.kill()
        program.communicate()


def _end(program: "subprocess.Popen[str]") -> tuple[int, str]:
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=30)
    return program.returncode, err


def test_away_from_a_terminal_each_look_is_plain_lines(watching: Watch, books: Any) -> None:
    books.quarantine(b"{}", row_id="c", reason="bad")
    program = watching()

    lines = [program.stdout.readline() for _ in range(4)]

    assert "record quarantined  1  oldest" in lines[0]
    assert "record quarantined  1  oldest" in lines[2]
    assert _end(program) == (130, "")


def test_in_json_each_look_is_one_line(watching: Watch) -> None:
    program = watching("--json")

    looks = [json.loads(program.stdout.readline()) for _ in range(2)]

    assert [list(look) for look in looks] == [["steps", "pauses", "away", "breaker", "restore", "alarms"]] * 2
    assert _end(program) == (130, "")


def test_at_a_terminal_it_is_redrawn_and_leaves_it_in_order(watching: Watch) -> None:
    ours, its = pty.openpty()
    program = watching(stdout=its, env=os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "50"})
    os.close(its)
    seen = ""
    while seen.count("Ctrl-C ends this") < 2:
        seen += os.read(ours, 4096).decode()

    assert _end(program) == (130, "")
    os.close(ours)
    assert "quarantined" in seen


@pytest.mark.parametrize("interval", ["0", "often", "-1"])
def test_an_interval_is_some_seconds(watching: Watch, interval: str) -> None:
    program = watching("--interval", interval)

    _, err = program.communicate(timeout=30)

    assert program.returncode == 2
    assert "--interval" in err
