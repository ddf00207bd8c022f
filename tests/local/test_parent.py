"""Programs started by make end with make."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from local.guarded import ROOT
from local.parent import PARENT_VARIABLE, tethered

Claim = Callable[[Callable[[], object]], bool]

TIED = """
import signal
from local.parent import end_with_parent
end_with_parent()
print("tied", flush=True)
signal.pause()
"""
LIKE_MAKE = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {TIED!r}], env=os.environ | {{"{PARENT_VARIABLE}": str(os.getpid())}})
print(child.pid, flush=True)
child.wait()
"""
TETHERING = """
import subprocess, sys
from local.parent import tethered
import signal
child = subprocess.Popen(tethered(["sleep", "600"], ended_by=signal.SIGKILL))
print(child.pid, flush=True)
child.wait()
"""


def test_a_program_ends_with_the_make_that_was_killed(
    program: Callable[..., Any], is_alive: Callable[[int], bool], eventually: Claim
) -> None:
    make = program(LIKE_MAKE)
    pid, tied = int(make.stdout.readline()), make.stdout.readline()
    make.kill()
    assert tied == "tied\n"
    assert eventually(lambda: not is_alive(pid))


def test_a_program_whose_make_is_gone_already_ends_at_once() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    environment = os.environ | {PARENT_VARIABLE: str(gone.pid)}
    ended = subprocess.run([sys.executable, "-c", TIED], cwd=ROOT, env=environment, check=False)
    assert ended.returncode == -signal.SIGTERM


def test_a_program_started_by_hand_is_tied_to_nobody() -> None:
    text = TIED.replace("signal.pause()", "")
    ended = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, check=False)
    assert ended.stdout == b"tied\n"


def test_a_tethered_program_ends_with_whoever_started_it(
    program: Callable[..., Any], is_alive: Callable[[int], bool], eventually: Claim
) -> None:
    starter = program(TETHERING)
    pid = int(starter.stdout.readline())
    starter.kill()
    assert eventually(lambda: not is_alive(pid))


def test_a_tethered_program_keeps_its_arguments_and_its_status() -> None:
    text = "import sys; sys.exit(len(sys.argv[1]))"
    ended = subprocess.run(tethered([sys.executable, "-c", text, "a b"], ended_by=signal.SIGKILL), check=False)
    assert ended.returncode == 3
