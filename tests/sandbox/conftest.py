"""A sandbox as a real process, and shops in it: accounts of their own, spoken to through stripe-python."""

import itertools
import json
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

from local.parent import tethered

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 20
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # 127.0.0.1 is never behind a proxy
numbers = itertools.count(1)
stripe.enable_telemetry = False  # it would write a file below HOME


@dataclass(frozen=True)
class Running:
    """A sandbox that answers at `url`."""

    url: str
    child: subprocess.Popen[bytes]

    def control(self, method: str, control: str, /, **asked: Any) -> Any:
        """A call of the sandbox's own controls; HTTPError where it is refused."""
        request = urllib.request.Request(
            f"{self.url}/_sandbox/{control}", method=method, data=json.dumps(asked).encode()
        )
        with DIRECT.open(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def now(self) -> int:
        return int(self.control("GET", "clock")["now"])

    def shop(self, *, livemode: bool = False) -> "Shop":
        number = next(numbers)
        key = f"sk_{'live' if livemode else 'test'}_made_up_{number:06}"
        self.control("POST", "keys", key=key, account=f"acct_{number}", livemode=livemode)
        return Shop(sandbox=self, key=key, account=f"acct_{number}")


@dataclass
class Shop:
    """One account: its client, and shorthand for what most tests set up."""

    sandbox: Running
    key: str
    account: str
    http: stripe.HTTPClient = field(default_factory=lambda: stripe.RequestsClient(timeout=PATIENCE_S))

    def __post_init__(self) -> None:
        self.client = self.client_of(self.key)
        self.v1 = self.client.v1

    def client_of(self, key: str) -> stripe.StripeClient:
        url = self.sandbox.url
        bases: Any = {"api": url, "meter_events": url, "files": url, "connect": url}
        return stripe.StripeClient(key, base_addresses=bases, http_client=self.http, max_network_retries=0)

    def customer(self) -> str:
        return self.v1.customers.create({"name": "A customer"}).id

    def meter(self, event_name: str = "calls", *, formula: str = "sum", **more: Any) -> str:
        wanted: Any = {
            "display_name": event_name,
            "event_name": event_name,
            "default_aggregation": {"formula": formula},
        }
        return self.v1.billing.meters.create(wanted | more).id

    def price(self, meter: str, **more: Any) -> stripe.Price:
        recurring = {"interval": "month", "usage_type": "metered", "meter": meter}
        wanted: Any = {"currency": "usd", "product_data": {"name": "Calls"}, "recurring": recurring}
        return self.v1.prices.create(wanted | (more or {"unit_amount": 1}))

    def subscription(self, customer: str, price: str, **more: Any) -> stripe.Subscription:
        wanted: Any = {"customer": customer, "items": [{"price": price}]}
        return self.v1.subscriptions.create(wanted | more)

    def send(self, customer: str, value: str = "1", *, key: str | None = None, **more: Any) -> Any:
        """One meter event of the meter `calls`."""
        wanted: Any = {"event_name": "calls", "payload": {"stripe_customer_id": customer, "value": value}}
        return self.v1.billing.meter_events.create(wanted | more, {"idempotency_key": key} if key else {})

    def refused(self, customer: str, value: str = "1", **more: Any) -> stripe.StripeError:
        """The error of one meter event that must not be accepted."""
        with pytest.raises(stripe.StripeError) as refusal:
            self.send(customer, value, **more)
        return refusal.value

    def summaries(self, meter: str, customer: str, start: int, end: int, **more: Any) -> Any:
        wanted: Any = {"customer": customer, "start_time": start, "end_time": end}
        return self.v1.billing.meters.event_summaries.list(meter, wanted | more)

    def fault(self, kind: str, **more: Any) -> None:
        self.sandbox.control("POST", "faults", kind=kind, account=self.account, **more)

    def settings(self, **wanted: Any) -> None:
        livemode = self.key.startswith("sk_live")
        self.sandbox.control("POST", "settings", account=self.account, livemode=livemode, **wanted)

    def audit(self) -> Any:
        return self.sandbox.control("GET", f"audit?account={self.account}")

    def calls(self, path: str) -> list[Any]:
        found: list[Any] = self.sandbox.control("GET", f"audit/calls?account={self.account}&path={path}")["data"]
        return found


@dataclass(frozen=True)
class Calendar:
    """A shop in days: those of 2026, counted from 0."""

    shop: Shop
    begin: int

    def at(self, day: int) -> int:
        return self.begin + day * 86_400

    def go(self, day: int, *, hours: int = 0) -> None:
        self.shop.sandbox.control("POST", "clock", to=self.at(day) + hours * 3_600)

    def seats(self, *, monthly: int = 3_100) -> str:
        """The id of a licensed price, of a dollar a day in months of 31."""
        wanted: Any = {"currency": "usd", "product_data": {"name": "Seats"}, "unit_amount": monthly}
        return self.shop.v1.prices.create(wanted | {"recurring": {"interval": "month"}}).id

    def use(self, customer: str, value: int, *, day: int) -> None:
        self.shop.send(customer, str(value), timestamp=self.at(day))

    def invoices(self, subscription: str) -> list[stripe.Invoice]:
        return self.shop.v1.invoices.list({"subscription": subscription}).data[::-1]

    def lines(self, subscription: str) -> list[tuple[Any, int, int, int]]:
        """Quantity, amount, first and last day of every line of all its invoices, the oldest first."""
        return [
            (line.quantity, line.amount, self._day(line.period.start), self._day(line.period.end))
            for invoice in self.invoices(subscription)
            for line in invoice.lines.data
        ]

    def told(self) -> list[str]:
        return [event.type for event in self.shop.v1.events.list({"limit": 100}).data][::-1]

    def _day(self, instant: int) -> int:
        day, rest = divmod(instant - self.begin, 86_400)
        assert rest == 0
        return day


class Receiver:
    """A webhook receiver that remembers what came; `answers` are its next statuses, then 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.headers: list[dict[str, str]] = []
        self._came: list[tuple[bytes, str]] = []
        self._news = threading.Condition()
        receiver = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.headers.append(dict(self.headers))
                self.send_response(receiver.note(body, self.headers["Stripe-Signature"]))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def note(self, body: bytes, signature: str) -> int:
        with self._news:
            self._came.append((body, signature))
            self._news.notify_all()
            return self.answers.pop(0) if self.answers else 200

    def wait(self, count: int) -> list[tuple[bytes, str]]:
        """The deliveries, once there are this many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self._came) >= count, PATIENCE_S)
            return list(self._came)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def started(*options: str) -> Iterator[Running]:
    command = tethered([sys.executable, "-m", "sandbox", "serve", "--port", "0", *options], ended_by=signal.SIGTERM)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        line = json.loads(child.stdout.readline())
        assert line["pid"] == child.pid
        yield Running(url=line["listening"], child=child)
        child.terminate()
        child.wait(PATIENCE_S)


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Running]:
    with started() as sandbox:
        yield sandbox


@pytest.fixture
def start_sandbox() -> Callable[..., Any]:
    """Starts a sandbox of the test's own: `with start_sandbox("--seed", "7") as sandbox`."""
    return started


@pytest.fixture(scope="session")
def renewed_sandbox() -> Iterator[Running]:
    with started() as sandbox:
        yield sandbox


@pytest.fixture
def own_sandbox(renewed_sandbox: Running) -> Running:
    """A sandbox whose clock the test may move: the same process, and everything in it anew."""
    renewed_sandbox.control("POST", "reset")
    return renewed_sandbox


@pytest.fixture
def shop(shared_sandbox: Running) -> Iterator[Shop]:
    shop = shared_sandbox.shop()
    yield shop
    shop.http.close()
    shared_sandbox.control("DELETE", "faults", account=shop.account)


@pytest.fixture
def live_shop(shared_sandbox: Running) -> Iterator[Shop]:
    shop = shared_sandbox.shop(livemode=True)
    yield shop
    shop.http.close()


@pytest.fixture
def own_shop(own_sandbox: Running) -> Iterator[Shop]:
    """A shop in a sandbox whose clock the test may move."""
    shop = own_sandbox.shop()
    yield shop
    shop.http.close()


@pytest.fixture
def january(own_shop: Shop) -> "Calendar":
    """A shop whose clock stands still at the beginning of 2026 until the test moves it."""
    begin = own_shop.sandbox.control("POST", "clock", frozen=True, to=1_767_225_600)["now"]
    return Calendar(shop=own_shop, begin=begin)


@pytest.fixture
def customer(shop: Shop) -> str:
    return shop.customer()


@pytest.fixture
def meter(shop: Shop) -> str:
    return shop.meter()


@pytest.fixture
def calls(shop: Shop, meter: str) -> str:
    return shop.price(meter, unit_amount=10).id


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool
