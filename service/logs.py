"""One format for every line that any process writes: ours, RQ's, kombu's, gunicorn's and stripe's.

An event is a name, `noun.verb` in the past; its level and its sentence stand in one table, `service/log_lines.py`, so
that what a line means is decided once and a name that is not in it is a programmer's error. JSON wherever nobody
watches, coloured words on a terminal. Secrets are taken out last, of whatever any library has put in.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from types import TracebackType
from typing import Any, TextIO

from service.lean import without
from service.log_lines import EVENTS
from service.redaction import on_one_line, on_own_lines, redact_field

with without("rich"):
    import structlog
    from structlog.stdlib import ExtraAdder, ProcessorFormatter

__all__ = ["EVENTS", "configure", "say"]

Fields = MutableMapping[str, Any]

OURS = "meterpost"
FOREIGN = "library.said"  # the event of every line that is not ours; its sentence is the library's own
RESTYLED = ("rq", "kombu", "amqp", "gunicorn", "werkzeug", "stripe", "py.warnings")
OWN = frozenset({"ts", "level", "event", "logger", "process_type", "pid", "version"})  # said by this file, of no secret
CHATTY = ("stripe", "kombu", "amqp", "asyncio", "urllib3")  # a line a call: at hundreds of calls a second, noise
RQ_DROPPED = frozenset({"func", "arguments", "kwargs"})  # of RQ's failed jobs: never a payload in a log
_RQ_CALL = re.compile(r"([\w.]+)\(.*\)(?= \([\w.:-]+\)$)")  # "queue: path.function('argument') (job id)"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

# Not structlog's global configuration: a line of ours reaches the standard logger whatever a program sets up.
_STANDARD = logging.getLogger(OURS)
_LOGGER: structlog.stdlib.BoundLogger = structlog.wrap_logger(
    _STANDARD,
    processors=[structlog.contextvars.merge_contextvars, ProcessorFormatter.wrap_for_formatter],
    wrapper_class=structlog.stdlib.BoundLogger,
)


def say(event: str, /, **fields: object) -> None:
    """Log one event of the table, with ids and figures as fields. `exc_info=True` adds the traceback at hand."""
    assert event in EVENTS, f"{event} is not in the table of events: give it a level and a sentence there"
    if _STANDARD.isEnabledFor(EVENTS[event].level):  # asked first: many a line is of a level that nobody reads
        _LOGGER.log(EVENTS[event].level, event, **fields)


def configure(*, process: str, log_format: str, log_level: str = "info") -> None:
    """Send every logger's lines to one place in one format; may be called again, the last call holds.

    `process` names the kind of process (`record`, `web`, `cli`, …); `log_format` is auto, json or console. The command
    line's lines go to stderr, because its stdout carries the answer; all other processes' go to stdout.
    """
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Out)]:
        root.removeHandler(handler)
    out = _Out("stderr" if process == "cli" else "stdout")
    is_console = log_format == "console" or (log_format == "auto" and out.stream.isatty())
    out.setFormatter(_formatter(process, _console() if is_console else _json()))
    root.addHandler(out)
    root.setLevel(log_level.upper())
    _restyle(is_debug=log_level == "debug")
    _log_crashes()


class _Out(logging.StreamHandler[TextIO]):
    """Writes to whatever sys.stdout or sys.stderr is at the time, and never prints a line that it could not format."""

    def __init__(self, name: str) -> None:
        logging.Handler.__init__(self)
        self._stream_name = name

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # the base class keeps the stream it was made with
        return getattr(sys, self._stream_name)  # type: ignore[no-any-return]  # sys.stdout or sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the standard library's name
        """Say that a line was lost; the standard library would print its arguments, secrets and all."""
        error = sys.exc_info()[1]
        if isinstance(error, BrokenPipeError):
            return  # nobody reads any more, so there is nobody to tell
        record.msg, record.args, record.exc_info = "a line that could not be formatted was left out", (), None
        self.stream.write(self.format(record) + self.terminator)


def _formatter(process: str, last: list[Any]) -> ProcessorFormatter:
    return ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, ExtraAdder(), _speak_for_library],
        processors=[structlog.processors.format_exc_info, _Describe(process), _redact, *last],
        use_get_message=True,
    )


def _speak_for_library(_logger: object, _method: str, fields: Fields) -> Fields:
    record: logging.LogRecord = fields["_record"]
    sentence = _COLOUR.sub("", str(fields["event"]))
    if record.name.startswith("rq."):
        sentence = _RQ_CALL.sub(r"\1(…)", sentence)
    kept = {name: value for name, value in fields.items() if name not in RQ_DROPPED}
    return kept | {"event": FOREIGN, "sentence": sentence}


class _Describe:
    """Put what every line carries before the line's own fields."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, _logger: object, _method: str, fields: Fields) -> Fields:
        record: logging.LogRecord = fields.pop("_record")
        fields.pop("_from_structlog")
        event = str(fields.pop("event"))
        always = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": event,
            "sentence": fields.pop("sentence", None) or EVENTS[event].sentence,
            "logger": record.name,
            "process_type": self._process,
            "pid": os.getpid(),
            "version": _version(),
        }
        return always | {name: value for name, value in fields.items() if name not in always}


def _redact(_logger: object, _method: str, fields: Fields) -> Fields:
    return {name: value if name in OWN else redact_field(name, value) for name, value in fields.items()}


def _json() -> list[Any]:
    return [structlog.processors.JSONRenderer()]


def _console() -> list[Any]:
    plain = structlog.dev.plain_traceback
    return [_for_reading, structlog.dev.ConsoleRenderer(exception_formatter=plain, timestamp_key="ts", pad_event_to=24)]


def _for_reading(_logger: object, _method: str, fields: Fields) -> Fields:
    """Leave out what a person at a terminal knows, and let no value break the line or move the cursor."""
    hidden = {"pid", "version", "process_type"} | ({"logger"} if fields["logger"] == OURS else set())
    return {name: _on_one_line(name, value) for name, value in fields.items() if name not in hidden}


def _on_one_line(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    return on_own_lines(value) if name in {"exception", "stack"} else on_one_line(value)


def _restyle(*, is_debug: bool) -> None:
    """Take the libraries' own outlets away, so that their lines reach ours; RQ adds none once it finds one above."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in RESTYLED:
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).propagate = True
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET if is_debug else logging.WARNING)
    logging.captureWarnings(capture=True)


def _log_crashes() -> None:
    """What nobody caught goes the same way, because Python's own last words would show secrets as they are."""

    def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        say("program.crashed", exc_info=(kind, error, trace))

    def thread_crashed(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            crashed(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = crashed
    threading.excepthook = thread_crashed


@cache
def _version() -> str:
    return version("meterpost-service")
