"""A program's log as its reader gets it: JSON lines, with the logging set-up put back after the test."""

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from service import logs

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def _logging_put_back() -> Iterator[None]:
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = list(root.handlers), root.level
    logging.getLogger("rq.worker").setLevel(logging.NOTSET)  # its workers keep the level of the last one that ran
    yield
    sys.excepthook, threading.excepthook = hooks
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    for name in logs.CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def lines(_logging_put_back: None, capsys: pytest.CaptureFixture[str]) -> Lines:
    """All lines since the last call, of a program that logs JSON and everything there is."""
    logging.getLogger().handlers.clear()  # pytest's own raise on what cannot be formatted
    logs.configure(process="record", log_format="json", log_level="debug")
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def console(_logging_put_back: None, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """The text since the last call, of a program that somebody watches."""
    logs.configure(process="record", log_format="console")
    return lambda: capsys.readouterr().out
