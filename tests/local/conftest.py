"""Processes as the subject: looked at from outside, with a bounded wait."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.account import server_user
from local.guarded import ROOT
from local.place import scratch

PATIENCE_S = 20.0
POLL_S = 0.02

Start = Callable[..., "subprocess.Popen[str]"]


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _eventually(claim: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(POLL_S)
    return True


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Whether a process runs; one that is dead but not yet collected does not."""
    return _is_alive


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], bool]:
    """Whether a claim becomes true within our patience."""
    return _eventually


@pytest.fixture
def program() -> Iterator[Start]:
    """Start a Python program from its text, with open pipes; it is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(text: str, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", text, *arguments]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        child = subprocess.Popen(command, cwd=ROOT, **pipes, **options)
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A temporary directory that PostgreSQL's user can walk to, as it cannot to pytest's own when we are root."""
    with scratch(server_user()) as directory:
        yield directory
