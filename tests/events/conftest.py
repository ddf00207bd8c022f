"""A Stripe account at the sandbox, a ledger that is pinned to it, and the catch-up between them."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import stripe

from local.sandbox import ask_sandbox
from service import settings
from service.event_bodies import parse
from service.gateway import API_VERSION, Gateway
from service.ledger import Ledger, accounts
from service.ledger.events import record_event
from service.timing import FAST
from workers._catching_up import CatchUp

TIMING = replace(FAST, catch_up_s=0, unread_wait_s=0)
ACCOUNT = "default"
REPORT = "v1.billing.meter.no_meter_found"


@dataclass(kw_only=True)
class Shop:
    """`found` is what catching up finds; `push` is what the door would do."""

    url: str
    key: str
    ledger: Ledger
    gateway: Gateway
    stripe: stripe.StripeClient
    catch_up: CatchUp

    @property
    def stripe_account(self) -> str:
        return str(self.ask("SELECT stripe_account FROM account")[0][0])

    def another_catch_up(self, **more: Any) -> CatchUp:
        """As another process has it."""
        timing = replace(TIMING, **more)
        return CatchUp(self.ledger, self.gateway, ACCOUNT, timing=timing)

    def catch_up_all(self) -> int:
        """Passes until nothing is left or new. Returns how many events that found."""
        before = len(self.events())
        any(iter(lambda: self.catch_up.catch_up_due() == 0, True))
        return len(self.events()) - before

    def make_customers(self, count: int) -> list[str]:
        """One event each: their ids, the oldest first."""
        made = [self.stripe.v1.customers.create({"name": f"Ada {n}"}).id for n in range(count)]
        by_object = {event["data"]["object"]["id"]: event["id"] for event in self.listed()}
        return [by_object[customer] for customer in made]

    def make_thin(self) -> str:
        asked = {"type": REPORT, "account": self.stripe_account, "data": {"reason": {}}}
        return str(ask_sandbox(self.url, "/_sandbox/core_events", asked)["id"])

    def listed(self) -> list[dict[str, Any]]:
        events = self.stripe.v1.events.list({"limit": 100}).auto_paging_iter()
        return [event.to_dict(for_json=True) for event in events]

    def push(self, event_id: str) -> int | None:
        """As the door records it."""
        (told,) = [event for event in self.listed() if event["id"] == event_id]
        event = parse(json.dumps(told).encode())
        assert event is not None
        with self.ledger.transaction() as tx:
            return record_event(tx, ACCOUNT, event)

    def events(self) -> dict[str, int]:
        """Deliveries, by id."""
        return {str(event_id): int(n) for event_id, n in self.ask("SELECT event_id, deliveries FROM event")}

    def cursor(self, stream: str) -> Any:
        return self.ask(f"SELECT read_to, read_until, chunk, page FROM event_cursor WHERE stream = '{stream}'")[0]

    def pass_time(self, passed: timedelta) -> None:
        self.ask(f"UPDATE ledger_clock SET ahead_by = ahead_by + interval '{passed.total_seconds()} s'")
        ask_sandbox(self.url, "/_sandbox/clock", {"advance": passed.total_seconds()})

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with self.ledger.transaction() as tx:
            cursor = tx.execute(question.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def shop(database_url: str, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Shop]:
    key = sandbox_server.new_account()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    monkeypatch.setenv("STRIPE_API_BASE", sandbox_server.url)
    monkeypatch.setenv("METERPOST_TIMING", "fast")
    with ExitStack() as stack:
        ledger, gateway = Ledger(database_url), Gateway(settings.load())
        stack.callback(ledger.close)
        whose = gateway.account()
        with ledger.transaction() as tx:
            accounts.pin_account(tx, ACCOUNT, stripe_account=whose.stripe_account, is_live=whose.is_live)
        client = stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": sandbox_server.url})
        catch_up = CatchUp(ledger, gateway, ACCOUNT, timing=TIMING)
        yield Shop(url=sandbox_server.url, key=key, ledger=ledger, gateway=gateway, stripe=client, catch_up=catch_up)


@pytest.fixture
def alarms(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The names of what needed a person so far."""

    def names() -> list[str]:
        return [record.msg["event"] for record in caplog.records if record.levelno >= logging.ERROR]  # type: ignore[index]  # structlog's

    return names
