"""Ctrl-C ends a long command wherever it comes, and the exit code says so."""

import os
import signal
import subprocess
import sys

import pytest

from cli.interrupts import noted

FINALIZED = """
import os, signal
from cli.exits import INTERRUPTED
from cli.interrupts import noted

class Closed:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(100))  # where an exception would be raised, printed and forgotten

with noted() as interrupts:
    Closed()
    raise SystemExit(INTERRUPTED if interrupts.wait(20) else 0)
"""


def test_what_comes_in_a_finalizer_is_not_lost() -> None:
    ran = subprocess.run([sys.executable, "-c", FINALIZED], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (130, "")


def test_the_second_one_is_the_ordinary_one() -> None:
    with noted():
        os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_afterwards_signals_are_whose_they_were() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with noted(signal.SIGTERM) as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert interrupts.by is signal.SIGTERM


def test_between_two_pieces_of_work_it_is_the_exception_that_was_due() -> None:
    with noted() as interrupts:
        interrupts.stop_here()
        os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            interrupts.stop_here()


def test_without_one_a_pause_lasts_as_long_as_it_should() -> None:
    with noted() as interrupts:
        assert not interrupts.wait(0)
