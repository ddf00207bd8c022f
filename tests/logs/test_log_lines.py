"""What every line carries, whoever wrote it."""

import logging
import re
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service import logs
from service.logs import EVENTS, say

ROOT = Path(__file__).parents[2]
FOLDERS = ("service", "workers", "webhooks", "cli", "local")
Lines = Callable[[], list[dict[str, Any]]]
Console = Callable[[], str]
ALWAYS = ["ts", "level", "event", "sentence", "logger", "process_type", "pid", "version"]


def test_a_line_says_what_happened_in_a_name_and_in_a_sentence(lines: Lines) -> None:
    say("meter_event.accepted", meter_event_id=7, request_id="req_1")

    (line,) = lines()
    assert line["event"] == "meter_event.accepted"
    assert line["sentence"] == "Stripe took a meter event."
    assert (line["meter_event_id"], line["request_id"]) == (7, "req_1")


def test_every_line_carries_the_same_first_fields(lines: Lines) -> None:
    say("worker.started")
    logging.getLogger("some.library").warning("hello")

    own, foreign = lines()
    assert list(own) == ALWAYS
    assert list(foreign) == ALWAYS


def test_times_are_utc_and_readable_by_machines(lines: Lines) -> None:
    say("worker.started")

    (line,) = lines()
    assert datetime.fromisoformat(line["ts"]).utcoffset() == timedelta(0)


def test_an_event_that_is_not_in_the_table_is_a_programmers_error() -> None:
    with pytest.raises(AssertionError, match="give it a level and a sentence"):
        say("row.swallowed")


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_a_noun_and_what_became_of_it_with_a_sentence(name: str) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", name)
    assert EVENTS[name].sentence.endswith(".")


def test_no_line_of_the_code_says_what_is_not_in_the_table() -> None:
    sources = [path.read_text() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]

    said = {name for text in sources for name in re.findall(r"\bsay\(\s*\"([^\"]+)\"", text)}

    assert said
    assert said <= EVENTS.keys()


def test_the_table_decides_how_loud_an_event_is(lines: Lines) -> None:
    say("wakeup.sent")
    say("meter_event.held")

    assert [line["level"] for line in lines()] == ["debug", "error"]


def test_quiet_events_are_left_out_unless_asked_for(lines: Lines) -> None:
    logs.configure(process="submit", log_format="json")

    say("wakeup.sent")

    assert lines() == []


@pytest.mark.parametrize("name", ["rq.worker", "kombu.connection", "gunicorn.error", "gunicorn.access", "stripe"])
def test_a_librarys_own_lines_come_out_in_our_format(lines: Lines, name: str) -> None:
    logging.getLogger(name).warning("it said %s", "so")

    (line,) = lines()
    assert (line["event"], line["logger"], line["sentence"]) == ("library.said", name, "it said so")


def test_a_library_that_had_its_own_outlet_loses_it(lines: Lines) -> None:
    logging.getLogger("gunicorn.error").addHandler(logging.StreamHandler())
    logging.getLogger("gunicorn.error").propagate = False

    logs.configure(process="web", log_format="json")
    logging.getLogger("gunicorn.error").warning("listening")

    assert [line["process_type"] for line in lines()] == ["web"]
    assert logging.getLogger("gunicorn.error").handlers == []


def test_the_arguments_of_rqs_jobs_are_dropped(lines: Lines) -> None:
    extra = {"func": "submit", "arguments": ("cus_1",), "kwargs": {"value": 3}, "queue": "submit"}
    logging.getLogger("rq.worker").error("it failed", extra=extra)
    logging.getLogger("rq.worker").info("submit: workers.submit.submit('cus_2', (4, 5)) (2c5e-11)")

    failed, begun = lines()
    assert failed.keys() - ALWAYS == {"queue"}
    assert begun["sentence"] == "submit: workers.submit.submit(…) (2c5e-11)"


def test_configuring_again_does_not_double_the_lines(lines: Lines) -> None:
    logs.configure(process="record", log_format="json")
    logs.configure(process="record", log_format="json")

    say("worker.started")

    assert len(lines()) == 1


def test_the_command_lines_log_leaves_stdout_to_the_answer(lines: Lines, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(process="cli", log_format="json")

    say("worker.started")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert '"worker.started"' in captured.err


@pytest.mark.filterwarnings("always")
def test_warnings_are_lines_too(lines: Lines) -> None:
    logs.configure(process="record", log_format="json")  # pytest's own net is set up after the fixture's

    warnings.warn("old ways", ResourceWarning, stacklevel=1)

    assert "old ways" in lines()[0]["sentence"]


def test_a_value_with_line_breaks_and_terminal_codes_stays_on_its_line(console: Console) -> None:
    say("stranger.refused", reason="bad\n2026-01-01 [error] forged \x1b[2J\r")

    text = console()
    assert text.count("\n") == 1
    assert "\x1b[2J" not in text
    assert "forged" in text


def test_an_exceptions_traceback_is_one_field(lines: Lines) -> None:
    try:
        int("three")
    except ValueError:
        say("event.failed", event_id="evt_1", exc_info=True)

    (line,) = lines()
    assert line["exception"].endswith("'three'")
