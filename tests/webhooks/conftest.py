"""The door on a ledger of the test's own, and Stripe's side of it: bodies and their signatures."""

import hmac
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from signal import SIGKILL
from socket import socket
from subprocess import DEVNULL
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient

from local.parent import tethered
from service import settings
from service.ledger import Ledger
from webhooks.app import STRANGERS, app_for
from webhooks.strangers import Strangers

SECRET, OLD_SECRET, WRONG_SECRET = "whsec_new", "whsec_old", "whsec_of_somebody_else"
ROOT = Path(__file__).parent.parent.parent
ANSWER_TIMEOUT_S = 30

Sign = Callable[..., str]
MakeEvent = Callable[..., bytes]


def _sign(body: bytes, *, at: float | None = None, secret: str = SECRET) -> str:
    stamp = str(int(time.time() if at is None else at))
    return f"t={stamp},v1={hmac.new(secret.encode(), f'{stamp}.'.encode() + body, sha256).hexdigest()}"


def _event(**fields: Any) -> bytes:
    told = {"id": "evt_1", "object": "event", "type": "customer.created", "created": 1_790_000_000, "livemode": False}
    return json.dumps(told | fields).encode()


@pytest.fixture(scope="session")
def sign() -> Sign:
    """The Stripe-Signature header of a body; `at` and `secret` may be others than the door expects."""
    return _sign


@pytest.fixture(scope="session")
def event() -> MakeEvent:
    """A webhook's body; fields may be replaced."""
    return _event


@dataclass(frozen=True, kw_only=True)
class Door:
    """The door, and what the ledger holds of events."""

    client: FlaskClient
    database_url: str

    def post(self, body: bytes, header: str | None = None, **options: Any) -> Any:
        headers = {"Stripe-Signature": _sign(body) if header is None else header}
        return self.client.post("/stripe/webhook", data=body, headers=headers, **options)

    @property
    def strangers(self) -> Strangers:
        counts: Strangers = self.client.application.extensions[STRANGERS]
        return counts

    def events(self) -> list[tuple[Any, ...]]:
        """(event_id, deliveries, state) of each."""
        return self.ask("SELECT event_id, deliveries, state FROM event ORDER BY event_id")

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(question.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a door needs, set in this process's environment as well."""
    wanted = {"DATABASE_URL": database_url, "STRIPE_WEBHOOK_SECRETS": f"{SECRET},{OLD_SECRET}"}
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    return wanted


@pytest.fixture
def door(environment: dict[str, str], warm_ledger: Ledger) -> Iterator[Door]:
    app = app_for(settings.load(), warm_ledger)
    yield Door(client=app.test_client(), database_url=environment["DATABASE_URL"])
    app.extensions[STRANGERS].close()


@pytest.fixture
def closed_door(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """A door whose PostgreSQL does not answer."""
    monkeypatch.setattr("service.ledger.connection.POOL_WAIT_S", 1)
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: every connection is refused
        ledger = Ledger(f"postgresql://127.0.0.1:{taken.getsockname()[1]}/nowhere")
        yield app_for(settings.load(), ledger).test_client()
        ledger.close()


@dataclass(frozen=True, kw_only=True)
class Gunicorn:
    """The door as it is deployed, reached over a socket."""

    port: int
    door: Door = field(repr=False)

    def post(self, body: Any, *, header: str, **options: Any) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_TIMEOUT_S)
        try:
            connection.request("POST", "/stripe/webhook", body, {"Stripe-Signature": header}, **options)
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture
def listener() -> Iterator[socket]:
    """Where the deployed door will answer; whoever connects before gunicorn is up waits here."""
    with socket() as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen()
        yield opened


@pytest.fixture
def gunicorns() -> Iterator[list[subprocess.Popen[bytes]]]:
    """What was started, to be ended in order."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    _stop(started)


@pytest.fixture
def start_gunicorn(listener: socket, gunicorns: list[subprocess.Popen[bytes]]) -> Callable[[], None]:
    """Open the door with what the environment says now."""
    arguments = ["--config", "deploy/gunicorn.conf.py", "--workers", "1", "--bind", f"fd://{listener.fileno()}"]
    command = [sys.executable, "-m", "gunicorn", *arguments, "webhooks.app:create_app()"]

    def start() -> None:
        launch = tethered(command, ended_by=SIGKILL)
        gunicorns.append(
            subprocess.Popen(launch, cwd=ROOT, pass_fds=[listener.fileno()], stdout=DEVNULL, stderr=DEVNULL)
        )

    return start


@pytest.fixture
def stop_gunicorn(gunicorns: list[subprocess.Popen[bytes]]) -> Callable[[], None]:
    """Close the door in order, and wait until it is."""
    return lambda: _stop(gunicorns)


def _stop(servers: list[subprocess.Popen[bytes]]) -> None:
    for server in servers:
        server.terminate()
        server.wait(ANSWER_TIMEOUT_S)


@pytest.fixture
def address(door: Door, listener: socket) -> Gunicorn:
    """Where the deployed door is, or will be."""
    return Gunicorn(port=listener.getsockname()[1], door=door)


@pytest.fixture
def gunicorn(address: Gunicorn, start_gunicorn: Callable[[], None]) -> Gunicorn:
    start_gunicorn()
    return address
