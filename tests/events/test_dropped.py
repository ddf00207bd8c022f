"""A tenth of all deliveries is lost for ever, on the way to the real door: after a catch-up nothing is missing."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from signal import SIGKILL
from socket import socket
from subprocess import DEVNULL
from threading import Event
from typing import Any

import pytest

from cli.main import run
from local.guarded import ROOT
from local.parent import tethered
from local.sandbox import ask_sandbox
from service.timing import FAST
from workers.apply import Applier

ENDS_S_MAX = 30
PATIENCE_S = 30.0
POLL_S = 0.05
CUSTOMERS = 80


@pytest.fixture
def listener() -> Iterator[socket]:
    with socket() as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen()
        yield opened


@pytest.fixture
def door(
    shop: Any, listener: socket, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The door as it is deployed, and both destinations at Stripe made by our own command; its URL."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/stripe/webhook"
    assert run(["webhooks", "setup", "--url", url]) == 0
    (line,) = [line for line in capfd.readouterr().out.splitlines() if line.startswith("STRIPE_WEBHOOK_SECRETS=")]
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", line.partition("=")[2])
    arguments = ["--config", "deploy/gunicorn.conf.py", "--workers", "1", "--bind", f"fd://{listener.fileno()}"]
    command = tethered([sys.executable, "-m", "gunicorn", *arguments, "webhooks.app:create_app()"], ended_by=SIGKILL)
    with subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()], stdout=DEVNULL, stderr=DEVNULL) as server:
        yield url
        server.terminate()
        server.wait(ENDS_S_MAX)


@pytest.fixture
def lossy(shop: Any) -> Iterator[None]:
    """Every tenth delivery, drawn from a seed, is lost on its way and never repeated."""
    fault = {"kind": "drop", "share": 0.1, "seed": 5, "account": shop.stripe_account}
    ask_sandbox(shop.url, "/_sandbox/delivery_faults", fault)
    yield
    ask_sandbox(shop.url, f"/_sandbox/delivery_faults?account={shop.stripe_account}", method="DELETE")


@pytest.fixture
def attempts(shop: Any) -> Callable[[int], list[dict[str, Any]]]:
    """All attempts to deliver, once there are so many."""

    def made(wanted: int) -> list[dict[str, Any]]:
        until, found = time.monotonic() + PATIENCE_S, list[dict[str, Any]]()
        while len(found) < wanted and time.monotonic() < until:
            Event().wait(POLL_S)
            found = ask_sandbox(shop.url, f"/_sandbox/deliveries?account={shop.stripe_account}")["data"]
        return found

    return made


def test_what_a_lossy_way_drops_is_caught_up_with_and_nothing_is_missing(shop, door, lossy, attempts):
    made = [*shop.make_customers(CUSTOMERS), shop.make_thin()]
    told = attempts(len(made))
    dropped = {one["event"] for one in told if one["status"] is None}

    assert shop.catch_up_all() == len(dropped) > 0
    assert shop.events() == {event_id: 0 if event_id in dropped else 1 for event_id in made}


def test_what_was_found_is_applied_as_what_was_pushed(shop, door, lossy, attempts):
    attempts(len(shop.make_customers(CUSTOMERS)))
    shop.catch_up_all()
    applier = Applier(shop.ledger, shop.gateway, timing=FAST, chance=random.Random(7))
    any(iter(lambda: applier.apply_due("default") == 0, True))

    assert shop.ask("SELECT state, count(*) FROM event GROUP BY state") == [("applied", CUSTOMERS)]


@pytest.mark.parametrize("type_", ["invoice.created", "v1.billing.meter.error_report_triggered"])
def test_an_event_sent_by_hand_is_recorded_and_changes_nothing(shop, door, type_):
    code = run(["webhooks", "send", type_, "--url", door])
    applier = Applier(shop.ledger, shop.gateway, timing=FAST, chance=random.Random(7))
    any(iter(lambda: applier.apply_due("default") == 0, True))

    assert (code, shop.ask("SELECT type, state FROM event")) == (0, [(type_, "ignored")])


def test_an_event_about_an_object_has_its_effect(shop, door):
    about = '{"id": "cus_1", "object": "customer", "created": 1790000000, "livemode": false}'

    assert run(["webhooks", "send", "customer.updated", "--object", about, "--url", door]) == 0
    assert shop.ask("SELECT type, object_id, deliveries FROM event") == [("customer.updated", "cus_1", 1)]
