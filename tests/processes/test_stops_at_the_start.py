"""A process that still waits for what it needs stops as readily as one that works."""

import os
import signal
import subprocess
import sys

import pytest

from local.guarded import ROOT

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def waiting(database_url, valkey_url):
    """Start a step whose Stripe or ledger is away; yields once it says that it waits."""
    started = []
    there = {"DATABASE_URL": database_url, "BROKER_URL": valkey_url, "REDIS_URL": valkey_url}
    there |= {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_API_BASE": NOWHERE, "METERPOST_TIMING": "fast"}

    def start(step: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", f"workers.{step}"]
        env = os.environ | there | {"METERPOST_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"}
        program = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        started.append(program)
        assert any('"worker.waiting"' in line for line in program.stdout)
        return program

    yield start
    for program in started:
        program.kill()
        program.communicate()


@pytest.mark.parametrize("step", ["seal", "submit", "reconcile", "apply"])
def test_a_step_that_waits_for_stripe_ends_at_sigterm(waiting, step):
    program = waiting(step)

    program.send_signal(signal.SIGTERM)

    assert program.wait(timeout=10) is not None
