"""A server that answers each request with the next of its answers, byte for byte, and remembers what it was asked."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

import pytest
import stripe

from service import settings
from service.gateway import Gateway
from service.http import Http
from service.timing import FAST

PATIENCE_S = 10
TIMING = replace(FAST, connect_timeout_s=1, call_deadline_s=2)


class Server:
    """`answers`: bytes to send, "close" to hang up without a word, or a function that is given the connection."""

    def __init__(self) -> None:
        self.answers: list[bytes | str | Callable[[socket.socket], None]] = []
        self.asked: list[bytes] = []
        self.connections = 0
        self.is_over = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self.is_over.is_set():
                connection.close()
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while request := self._read(connection):
                self.asked.append(request)
                answer = self.answers.pop(0) if self.answers else "close"
                if answer == "close":
                    return
                if callable(answer):
                    answer(connection)
                    return
                connection.sendall(answer)

    def _read(self, connection: socket.socket) -> bytes:
        """A whole request; nothing when the other side has gone."""
        request = b""
        while b"\r\n\r\n" not in request or len(request) < self._length(request):
            try:
                some = connection.recv(65536)
            except OSError:
                return b""
            if not some:
                return b""
            request += some
        return request

    def _length(self, request: bytes) -> int:
        head, _, _ = request.partition(b"\r\n\r\n")
        told = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return len(head) + 4 + (int(told[0].split(b":")[1]) if told else 0)

    def stop(self) -> None:
        self.is_over.set()
        socket.create_connection(self._listener.getsockname()).close()
        for connection in self._open:
            with suppress(OSError):  # it may be closed by now
                connection.shutdown(socket.SHUT_RDWR)  # wakes who reads it, as closing would not
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._listener.close()


def _answer(body: bytes, *, status: int = 200, headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status} As It Is\r\nContent-Length: {len(body)}\r\nRequest-Id: req_1\r\n{headers}\r\n"
    return head.encode() + body


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def answer() -> Callable[..., bytes]:
    """The bytes of an HTTP answer."""
    return _answer


@pytest.fixture
def http() -> Http:
    return Http(connect_timeout_s=1, deadline_s=1, ca_bundle=stripe.ca_bundle_path)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which somebody listens whose backlog is full: packets are dropped, as behind a broken firewall."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def plain_port() -> Iterator[Callable[[bytes], int]]:
    """The port of somebody who speaks no TLS, says one greeting and hangs up."""
    with ExitStack() as stack:

        def listen(greeting: bytes) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(target=greet, args=(listener, greeting))
            stack.callback(thread.join, PATIENCE_S)
            thread.start()
            return int(listener.getsockname()[1])

        def greet(listener: socket.socket, greeting: bytes) -> None:
            with listener.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(greeting)

        yield listen


@pytest.fixture
def make_gateway(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Gateway]:
    """A gateway whose Stripe is at this address."""

    def make(url: str, **more: Any) -> Gateway:
        monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_made_up")
        monkeypatch.setenv("STRIPE_API_BASE", url)
        return Gateway(replace(settings.load(), timing=TIMING), **more)

    return make


@pytest.fixture
def send(make_gateway: Callable[..., Gateway], server: Server) -> Callable[[], Any]:
    """Report one meter event to the server."""
    gateway = make_gateway(server.url)

    def send() -> Any:
        return gateway.send_meter_event(
            "tokens",
            payload={"stripe_customer_id": "cus_1", "value": "5"},
            timestamp=1_800_000_000,
            identifier="mp-1",
            idempotency_key="key-1",
            call_id="mp-7-1",
        )

    return send
