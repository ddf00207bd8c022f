"""The worker as it is deployed: a process that wake-ups reach through RQ."""

import os
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGKILL, SIGTERM
from threading import Event

import pytest

from local.parent import tethered
from service.timing import FAST
from service.wakeups import WakeUps, connect

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 30.0
POLL_S = 0.05


@pytest.fixture
def worker(database_url, valkey_url, sandbox_server):
    """A running `python -m workers.apply`."""
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "BROKER_URL": valkey_url,
        "REDIS_URL": valkey_url,
        "STRIPE_SECRET_KEY": sandbox_server.new_account(),
        "STRIPE_API_BASE": sandbox_server.url,
        "METERPOST_TIMING": "fast",
    }
    command = tethered([sys.executable, "-m", "workers.apply"], ended_by=SIGKILL)
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def ring(valkey_url):
    with connect(valkey_url) as redis:
        yield lambda: WakeUps(redis, "apply", timing=FAST).ring([("default",)])


@pytest.fixture
def eventually():
    def wait(claim):
        deadline = time.monotonic() + PATIENCE_S
        while not claim():
            if time.monotonic() > deadline:
                return False
            Event().wait(POLL_S)
        return True

    return wait


def test_a_wake_up_has_the_worker_apply_what_is_due(world, subscription, worker, ring, eventually):
    world.tell("customer.subscription.created", subscription(), at=100)

    ring()

    assert eventually(lambda: world.states() == {"evt_0": "applied"})
    assert world.subscriptions() == [("sub_1", "active", 100)]


def test_the_worker_stops_in_order_within_seconds(world, subscription, worker, ring, eventually):
    world.tell("customer.subscription.created", subscription(), at=100)
    ring()
    eventually(lambda: world.states() == {"evt_0": "applied"})

    worker.send_signal(SIGTERM)

    assert worker.wait(10) == 0
