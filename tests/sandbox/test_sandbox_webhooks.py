"""Webhooks: signed, delivered to those who want them, and nobody waits for a receiver that is not well."""

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe


def endpoint(shop: Any, url: str, *kinds: str, **more: Any) -> Any:
    return shop.v1.webhook_endpoints.create({"url": url, "enabled_events": list(kinds), **more})


def deliveries(shop: Any) -> list[Any]:
    found: list[Any] = shop.sandbox.control("GET", f"deliveries?account={shop.account}")["data"]
    return found


@pytest.fixture
def hanging_url() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


@pytest.fixture
def gone_url() -> str:
    """Nobody listens there any more."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"


class Resetting(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def resetting_url() -> Iterator[str]:
    """Takes connections and resets them."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Resetting) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


class Gated:
    """A receiver that answers nobody until its gate opens, and counts who waits."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.open_max = self.answered = self._open = 0
        self._news = threading.Condition()

    def let_in(self) -> None:
        with self._news:
            self._open += 1
            self.open_max = max(self.open_max, self._open)
            self._news.notify_all()
        self.gate.wait(20)
        with self._news:
            self._open -= 1
            self.answered += 1
            self._news.notify_all()

    def wait_for(self, *, waiting: int = 0, answered: int = 0) -> None:
        with self._news:
            assert self._news.wait_for(lambda: self._open >= waiting and self.answered >= answered, 20)


@pytest.fixture
def gated() -> Gated:
    return Gated()


@pytest.fixture
def gated_url(gated: Gated) -> Iterator[str]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            gated.let_in()
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        gated.gate.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def frozen_shop(own_shop: Any) -> Any:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    return own_shop


def settle(shop: Any) -> None:
    """Lets the deliveries under way have their answers."""
    shop.sandbox.control("POST", "clock", advance=0)


def test_a_delivery_is_signed_so_that_the_sdk_accepts_it(shop: Any, receiver: Any) -> None:
    secret = endpoint(shop, receiver.url, "customer.created").secret
    customer = shop.customer()
    body, signature = receiver.wait(1)[0]
    event = shop.client.construct_event(body, signature, secret)
    assert (event.type, event.data.object.id) == ("customer.created", customer)
    assert (event.api_version, event.request.id[:4]) == ("2026-10-28.endive", "req_")


def test_only_wanted_events_are_delivered(shop: Any, receiver: Any) -> None:
    endpoint(shop, receiver.url, "billing.meter.created")
    shop.customer()
    shop.meter()
    assert json.loads(receiver.wait(1)[0][0])["type"] == "billing.meter.created"


def test_a_star_wants_every_event(shop: Any, receiver: Any) -> None:
    endpoint(shop, receiver.url, "*")
    customer = shop.customer()
    shop.v1.subscriptions.cancel(shop.subscription(customer, shop.price(shop.meter()).id).id)
    kinds = {json.loads(body)["type"] for body, _ in receiver.wait(6)}
    assert kinds == {
        "customer.created", "billing.meter.created", "product.created", "price.created",
        "customer.subscription.created", "customer.subscription.deleted",
    }  # fmt: skip


def test_every_endpoint_that_wants_an_event_gets_it_under_its_own_secret(shop: Any, receiver: Any) -> None:
    made = {endpoint(shop, f"{receiver.url}/{number}", "customer.created").secret for number in range(3)}
    shop.customer()
    came = receiver.wait(3)
    assert len({json.loads(body)["id"] for body, _ in came}) == 1
    assert len(made) == len({signature for _, signature in came}) == 3


def test_an_endpoint_gets_events_under_the_version_that_it_was_made_with(shop: Any, receiver: Any) -> None:
    made = endpoint(shop, receiver.url, "customer.created", api_version="2025-09-30.clover")
    shop.customer()
    assert json.loads(receiver.wait(1)[0][0])["api_version"] == made.api_version == "2025-09-30.clover"


def test_any_event_can_be_made_to_happen(shop: Any, receiver: Any) -> None:
    endpoint(shop, receiver.url, "invoice.paid")
    made = shop.sandbox.control(
        "POST", "events", account=shop.account, type="invoice.paid", object={"id": "in_1", "object": "invoice"}
    )
    event = json.loads(receiver.wait(1)[0][0])
    assert (event["id"], event["data"]["object"]["id"]) == (made["id"], "in_1")


def test_an_event_can_be_delivered_many_times_at_once(shop: Any, receiver: Any) -> None:
    endpoint(shop, receiver.url, "customer.created")
    shop.customer()
    receiver.wait(1)
    event = shop.v1.events.list({"type": "customer.created"}).data[0]
    assert shop.sandbox.control("POST", "deliver", event=event.id, times=5) == {"statuses": [200] * 5}
    assert len({json.loads(body)["id"] for body, _ in receiver.wait(6)}) == 1


def test_the_attempts_of_deliveries_can_be_looked_up(shop: Any, receiver: Any) -> None:
    made = endpoint(shop, receiver.url, "customer.created")
    event = shop.sandbox.control("POST", "events", account=shop.account, type="customer.created", object={})
    shop.sandbox.control("POST", "deliver", event=event["id"])
    assert {"event": event["id"], "endpoint": made.id, "status": 200}.items() <= deliveries(shop)[0].items()


@pytest.mark.parametrize("status", [200, 204, 299])
def test_every_status_of_the_two_hundreds_acknowledges(status: int, frozen_shop: Any, receiver: Any) -> None:
    endpoint(frozen_shop, receiver.url, "customer.created")
    receiver.answers = [status]
    frozen_shop.customer()
    settle(frozen_shop)
    assert frozen_shop.v1.events.list().data[0].pending_webhooks == 0


@pytest.mark.parametrize("status", [300, 301, 400, 404, 410, 429, 500, 503])
def test_every_other_status_is_a_failure(status: int, frozen_shop: Any, receiver: Any) -> None:
    endpoint(frozen_shop, receiver.url, "customer.created")
    receiver.answers = [status]
    frozen_shop.customer()
    settle(frozen_shop)
    assert frozen_shop.v1.events.list({"delivery_success": False}).data[0].pending_webhooks == 1


@pytest.mark.parametrize("kind", ["hanging_url", "gone_url", "resetting_url"])
def test_no_answer_is_a_failure(kind: str, frozen_shop: Any, request: Any) -> None:
    frozen_shop.settings(webhook_timeout_s=0.2)
    endpoint(frozen_shop, request.getfixturevalue(kind), "customer.created")
    frozen_shop.customer()
    settle(frozen_shop)
    assert frozen_shop.v1.events.list().data[0].pending_webhooks == 1
    assert deliveries(frozen_shop)[0]["status"] == 0


@pytest.mark.parametrize("url", ["http://1.1.1.1.1/", "http://*/", "http://%/", "https://127.0.0.1:9/"])
def test_a_receiver_that_cannot_be_is_a_failure(url: str, frozen_shop: Any) -> None:
    endpoint(frozen_shop, url, "customer.created")
    frozen_shop.customer()
    settle(frozen_shop)
    assert [made["status"] for made in deliveries(frozen_shop)] == [0]


def test_a_receiver_that_hangs_keeps_no_other_waiting(shop: Any, receiver: Any, hanging_url: str) -> None:
    endpoint(shop, hanging_url, "customer.created")
    endpoint(shop, receiver.url, "customer.created")
    made = {shop.customer() for _ in range(20)}
    assert {json.loads(body)["data"]["object"]["id"] for body, _ in receiver.wait(20)} == made


def test_a_receiver_is_not_asked_more_than_sixteen_times_at_once(shop: Any, gated: Gated, gated_url: str) -> None:
    endpoint(shop, gated_url, "customer.created")
    for _ in range(20):
        shop.customer()
    gated.wait_for(waiting=16)
    gated.gate.set()
    gated.wait_for(answered=20)
    assert gated.open_max == 16


def test_a_delivery_is_json_from_stripe(shop: Any, receiver: Any) -> None:
    endpoint(shop, receiver.url, "customer.created")
    shop.customer()
    receiver.wait(1)
    assert receiver.headers[0]["Content-Type"] == "application/json; charset=utf-8"
    assert receiver.headers[0]["User-Agent"] == "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


def test_the_sdk_refuses_a_signature_stamped_too_long_ago(shop: Any, receiver: Any) -> None:
    shop.settings(webhook_stamp_offset_s=-301)
    secret = endpoint(shop, receiver.url, "customer.created").secret
    shop.customer()
    body, signature = receiver.wait(1)[0]
    with pytest.raises(stripe.SignatureVerificationError, match="outside the tolerance"):
        shop.client.construct_event(body, signature, secret)
