"""A secret is rolled while events come: by real doors, one taking the other's place, and Stripe's two signatures."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

OLD, NEW = "whsec_before", "whsec_after"
LASTS = timedelta(seconds=3)  # the old secret, once its end is told
MORE = 20  # events that are sent before the load is taken for gone on


@dataclass(frozen=True, kw_only=True)
class Sent:
    event_id: str
    secret: str
    status: int
    sent_at: float
    answered_at: float


@dataclass(kw_only=True)
class Load:
    """Stripe, sending one event after the other, signed with each of `secrets` in turn."""

    post: Callable[[str, str], int]
    secrets: tuple[str, ...] = (OLD,)
    sent: list[Sent] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        for number in count():
            if self._ended.is_set():
                return
            self._send(f"evt_{number}", self.secrets[number % len(self.secrets)])

    def _send(self, event_id: str, secret: str) -> None:
        sent_at = time.time()
        status = self.post(event_id, secret)
        self.sent.append(
            Sent(event_id=event_id, secret=secret, status=status, sent_at=sent_at, answered_at=time.time())
        )

    def goes_on(self, *, until: float = 0) -> None:
        """Wait for some more events, and for that moment."""
        wanted = len(self.sent) + MORE
        while len(self.sent) < wanted or time.time() < until:
            threading.Event().wait(0.01)

    def end(self) -> None:
        self._ended.set()


@pytest.fixture
def load(address, gunicorns, event, sign) -> Iterator[Load]:
    def post(event_id: str, secret: str) -> int:
        body = event(id=event_id)
        return address.post(body, header=sign(body, secret=secret))

    sending = Load(post=post)
    thread = threading.Thread(target=sending.run)
    thread.start()
    yield sending
    sending.end()
    thread.join()


@pytest.fixture
def open_door(start_gunicorn, gunicorns, monkeypatch):
    """Open a door with these secrets beside those that are open; returns how to close it."""

    def opened(secrets: str) -> Callable[[], None]:
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", secrets)
        start_gunicorn()
        server = gunicorns[-1]

        def close() -> None:
            server.terminate()
            server.wait(30)

        return close

    return opened


@pytest.fixture
def wait_for_door(load):
    """Wait until a door that knows this secret answers."""

    def wait(secret: str) -> None:
        while load.post("evt_probe", secret) != 200:
            threading.Event().wait(0.01)

    return wait


def test_a_secret_rolled_under_load_costs_no_event_and_ends_when_it_was_told_to(load, door, open_door, wait_for_door):
    close_first = open_door(OLD)
    load.goes_on()
    ends_at = datetime.now(UTC) + LASTS
    open_door(f"{NEW},{OLD}@{ends_at.isoformat()}")
    wait_for_door(NEW)
    close_first()
    only_second = time.time()
    load.secrets = (OLD, NEW)
    load.goes_on(until=ends_at.timestamp())
    load.goes_on()

    end = ends_at.timestamp()
    good = [sent for sent in load.sent if sent.secret == NEW or sent.answered_at < end]
    ended = [sent for sent in load.sent if sent.secret == OLD and sent.sent_at > max(end, only_second)]
    assert ({sent.status for sent in good}, {sent.status for sent in ended}) == ({200}, {400})
    assert {sent.event_id for sent in good} <= {event_id for event_id, _, _ in door.events()}
