"""What a test says is wrong, who watches for it, and somebody who listens at a port."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from service import settings
from service.alarm_calls import Receiver
from service.alarms import Kind
from service.ledger import Ledger
from service.ledger.actions import Order
from service.ledger.alarm_posts import write_acknowledged
from service.ledger.alarms import Alarm, acknowledge_alarm, alarms
from service.settings import Settings
from service.timing import FAST
from service.variables import VARIABLES
from workers._posting import Poster
from workers._watching import Watcher

TIMING = replace(FAST, watch_s=0, unread_wait_s=0, rate_again_s=0, post_wait_s=0, post_deadline_s=1)
HERE = Path(__file__).parent
SECRET = "made-up-secret-of-the-tests"
PUT = """
INSERT INTO mirror (account, kind, object_id, as_of, is_deleted, facts, object)
VALUES ('default', 'wrong', %s, now(), false, %s, '{}')
ON CONFLICT (account, kind, object_id) DO UPDATE SET facts = EXCLUDED.facts
"""


def kind_of(question: str) -> Kind:
    """A kind of a test's own, by the file that has its question."""
    return Kind(name=question, question=str(HERE / question), sentence="A test's.", remedy="end the test")


@dataclass
class Stripe:
    """Answers with the prices it was given; an exception among them is raised."""

    has: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def objects(self) -> "Stripe":
        return self

    def retrieve(self, kind: str, object_id: str) -> Any:
        assert kind == "price"
        self.asked.append(object_id)
        if isinstance(self.has[object_id], Exception):
            raise self.has[object_id]
        return self.has[object_id]


@dataclass(kw_only=True)
class World:
    """The ledger, who watches it, and the means to make something wrong and to look."""

    ledger: Ledger
    stripe: Stripe

    def watcher(self, *questions: str, **more: Any) -> Watcher:
        kinds = [kind_of(question) for question in questions or ("wrong",)]
        wanted = {"timing": TIMING, "kinds": kinds, "is_posting": True} | more
        return Watcher(self.ledger, self.stripe, "default", **wanted)

    def watch(self, *questions: str, **more: Any) -> None:
        self.watcher(*questions, **more).watch_due()

    def wrong(self, subject: str = "one", **facts: Any) -> None:
        self.write(PUT, subject, json.dumps(facts))

    def right(self, subject: str = "one") -> None:
        self.write("DELETE FROM mirror WHERE kind = 'wrong' AND object_id = %s", subject)

    def alarms(self, **wanted: Any) -> list[Alarm]:
        with self.ledger.transaction() as tx:
            return alarms(tx, "default", **wanted)

    def alarm(self) -> Alarm:
        (found,) = self.alarms()
        return found

    def ask(self, question: str) -> list[Any]:
        with self.ledger.transaction() as tx:
            return tx.execute(question.encode()).fetchall()

    def write(self, statement: str, *values: Any) -> None:
        with self.ledger.transaction() as tx:
            tx.execute(statement.encode(), values or None)

    def write_with(self, statement: str, **values: Any) -> None:
        with self.ledger.transaction() as tx:
            tx.execute(statement.encode(), values)


@pytest.fixture
def world(warm_ledger: Ledger) -> World:
    return World(ledger=warm_ledger, stripe=Stripe())


@pytest.fixture
def acknowledged(world: World) -> Callable[[], None]:
    """A person sees the only alarm."""

    def acknowledge() -> None:
        with world.ledger.transaction() as tx:
            (alarm_id,) = [alarm.alarm_id for alarm in world.alarms()]
            acknowledge_alarm(tx, "default", alarm_id, order=Order(actor="ada", reason="seen"))
            write_acknowledged(tx, "default", alarm_id)

    return acknowledge


@dataclass
class Listener:
    """A receiver at a port of this machine: what it heard, and what it answers."""

    url: str = ""
    status: int = 200
    location: str | None = None
    drips: bool = False
    body: bytes = b"ok"
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    going: threading.Event = field(default_factory=threading.Event)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.heard]

    @property
    def types(self) -> list[str]:
        return [body["type"] for body in self.bodies]


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.heard.append((dict(self.headers), body))
            self.send_response(listener.status)
            if listener.location:
                self.send_header("Location", listener.location)
            self.send_header("Content-Length", str(1000 if listener.drips else len(listener.body)))
            self.end_headers()
            while listener.drips and not listener.going.wait(0.1):
                self.wfile.write(b".")
            self.wfile.write(listener.body)

        def log_message(self, *_: Any) -> None:
            """A test's output stays its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # whoever is dripped at hangs up
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    listener.url = f"http://127.0.0.1:{server.server_port}/alarms?token=made_up"
    yield listener
    listener.going.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Settings]:
    """Settings with this address for alarms."""

    def choose(url: str, secret: str = SECRET) -> Settings:
        monkeypatch.chdir(tmp_path)
        for variable in VARIABLES:
            monkeypatch.delenv(variable.name, raising=False)
        monkeypatch.setenv("METERPOST_ALARM_URL", url)
        monkeypatch.setenv("METERPOST_ALARM_SECRET", secret)
        return replace(settings.load(), timing=TIMING)

    return choose


@pytest.fixture
def poster(world: World, listener: Listener, chosen: Callable[..., Settings]) -> Poster:
    return Poster(world.ledger, Receiver(chosen(listener.url)), "default", timing=TIMING)


@pytest.fixture
def poster_to(world: World, chosen: Callable[..., Settings]) -> Callable[[str], Poster]:
    """To another address."""
    return lambda url: Poster(world.ledger, Receiver(chosen(url)), "default", timing=TIMING)
