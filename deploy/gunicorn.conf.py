# ruff: noqa: INP001 - a file of settings, not a module of a package
"""How gunicorn serves the webhook door: few small requests, each answered after one commit.

Stripe sends from the open internet, so every size is bounded here and the body in the application. TLS and slow clients
belong to a proxy in front, one that buffers requests. Without it a client that says half a request holds a thread for
READ_S and is hung up on: the door opens again by itself, though whoever keeps coming with many of them keeps it busy.
"""

import os
import socket
import time
from contextlib import suppress
from http import HTTPStatus
from threading import Event, Thread

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.http.message import Request
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import TConn, ThreadWorker

from service.logs import configure
from webhooks.strangers import Reason, Strangers, Told


class OneFormat(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """Sends gunicorn's own lines the way of all others, from the first one and after every reload."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        configure(
            process="web",
            log_format=os.environ.get("METERPOST_LOG_FORMAT", "auto"),
            log_level=os.environ.get("METERPOST_LOG_LEVEL", "info"),
        )


READ_S = 3.0  # for a whole request to arrive; Stripe's come in one piece
TICK_S = 0.5  # between two looks for whoever takes longer
TOO_LARGE = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
}


class ImpatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is untyped
    """Bounds the time in which a request is read: gunicorn's own timeout does not see threads that wait for bytes."""

    def init_process(self) -> None:
        self._until: dict[TConn, float] = {}
        Thread(target=self._watch, daemon=True).start()  # one for all: a timer for each would cost a thread a request
        super().init_process()

    def handle(self, conn: TConn) -> object:
        self._until[conn] = time.monotonic() + READ_S
        try:
            return super().handle(conn)
        finally:
            self._until.pop(conn, None)

    def _watch(self) -> None:
        # Nothing more is read from then on, so that drips do not help; the answer to what was read still goes out.
        tick = Event()
        while not tick.wait(TICK_S):
            now = time.monotonic()
            for conn, until in self._until.copy().items():
                if now > until and self._until.pop(conn, None):
                    _stop_reading(conn.sock)

    def handle_error(  # noqa: PLR0917 - gunicorn's signature
        self, req: Request | None, client: socket.socket, addr: tuple[str, int] | None, exc: Exception
    ) -> None:
        """What is no HTTP gets constant words and is counted: gunicorn's would repeat it, and log a line for each."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        status = TOO_LARGE.get(type(exc), HTTPStatus.BAD_REQUEST)
        strangers = _strangers(self)
        if strangers is not None:
            strangers.count(
                Reason.GARBLED, lambda: Told(remote_address=addr[0] if addr else "", body=str(exc).encode())
            )
        with suppress(OSError):  # it has gone
            client.sendall(_answer(status))


def worker_exit(_server: object, worker: Worker) -> None:
    """What was counted since the last ten seconds is written down when a worker ends in order."""
    strangers = _strangers(worker)
    if strangers is not None:
        strangers.close()


def _strangers(worker: Worker) -> Strangers | None:
    """None before the application is loaded, and with another application than ours."""
    counts: Strangers | None = getattr(getattr(worker, "wsgi", None), "extensions", {}).get("strangers")
    return counts


def _answer(status: HTTPStatus) -> bytes:
    body = f"{status.phrase}\n"
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    return f"{head}Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def _stop_reading(connection: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        connection.shutdown(socket.SHUT_RD)


bind = f"{os.environ.get('WEB_HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
proc_name = "meterpost-web"

# Threads, because a request waits for PostgreSQL; two workers, so that one may die or restart unnoticed.
worker_class = ImpatientWorker
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4

# A Stripe request has a short path and a dozen fields; its signature grows with each secret being rolled.
limit_request_line = 2048
limit_request_fields = 50
limit_request_field_size = 8190

timeout = 15  # a worker that is silent for so long is replaced
graceful_timeout = 15  # on SIGTERM: what was accepted is committed and answered; below the units' stop time
keepalive = 5  # Stripe and proxies reuse connections for a burst of events

# Against slow leaks; the jitter keeps the workers from leaving together.
max_requests = 20_000
max_requests_jitter = 2_000

control_socket_disable = True  # it would write below HOME, which is read-only in a container
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108 - heartbeats off the disk

logger_class = OneFormat
accesslog = None  # the application says what it received, with ids and without bodies
