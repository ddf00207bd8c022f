"""Steps 3 and 4 together: what is due is asked of the ledger, so Redis may forget it all; and a stop takes seconds."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from service.wakeups import WakeUps, WakeUpWorker
from workers.dispatch import Dispatcher

PATIENCE_S = 20


@pytest.fixture
def bells(path):
    return WakeUps(path.wakeups_redis, "submit", timing=path.settings.timing)


@pytest.fixture
def dispatcher(path, bells):
    subscribe, apply = (WakeUps(path.wakeups_redis, s, timing=path.settings.timing) for s in ("subscribe", "apply"))
    return Dispatcher(path.ledger, submit=bells, subscribe=subscribe, apply=apply)


def answer_all(path, bells):
    worker = WakeUpWorker(bells, {"submit": path.submitter.drain}, stopping=threading.Event())
    worker._install_signal_handlers = lambda: None
    worker.work(burst=True, logging_level="ERROR")


def test_losing_all_of_redis_loses_nothing_that_is_recorded(path, dispatcher, bells):
    customer = path.sealed(1, 2, 3)
    assert dispatcher.ring() == 1
    path.wakeups_redis.flushall()

    assert dispatcher.ring() == 1
    answer_all(path, bells)

    assert path.states() == {"accepted": 3}
    assert path.counted() == {(customer, "tokens"): "6"}


def test_nothing_is_rung_where_nothing_is_due_or_the_account_is_paused(path, dispatcher):
    assert dispatcher.ring() == 0
    path.fault("unauthorized")
    path.sealed(1)
    path.send()

    assert dispatcher.ring() == 0


def test_as_many_bells_ring_as_lanes_are_due_and_each_once(path, dispatcher, bells):
    for _ in range(3):
        path.sealed(1)

    assert [dispatcher.ring(), dispatcher.ring()] == [3, 0]

    assert bells.waiting() == 3


def test_a_stop_takes_seconds_while_a_call_is_slow_and_its_answer_is_heard(path, dispatcher, submit_process):
    path.fault("latency", delay_s=1.5)
    path.sealed(*range(10))
    dispatcher.ring()
    assert eventually(lambda: path.ask("SELECT 1 FROM attempt WHERE ended_at IS NULL"))
    begun = time.monotonic()

    submit_process.send_signal(signal.SIGTERM)

    assert submit_process.wait(PATIENCE_S) == 0
    assert time.monotonic() - begun < 8
    assert path.ask("SELECT outcome FROM attempt") == ["accepted"]
    assert path.ask("SELECT lease_until FROM lane") == [None]


@pytest.fixture
def submit_process(path):
    """`submit` as the Procfile runs it."""
    chosen = {"METERPOST_TIMING": "fast", "STRIPE_METER_EVENTS_BASE": path.settings.stripe_api_base}
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.submit"], env=os.environ | chosen, stdout=subprocess.DEVNULL
    )
    yield process
    process.kill()
    process.wait(PATIENCE_S)


def eventually(claim):
    until = time.monotonic() + PATIENCE_S
    while not (found := claim()) and time.monotonic() < until:
        threading.Event().wait(0.02)
    return found
