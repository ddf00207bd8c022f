"""Programs started by make end with make."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.guarded import ROOT
from local.parent import PARENT_VARIABLE, tethered

Start = Callable[..., Any]
Claim = Callable[[Callable[[], object]], bool]

TIED = """
import os, signal
from local.parent import end_with_parent
end_with_parent()
print(os.getpid(), flush=True)
signal.pause()
"""
TETHERING = """
import subprocess, sys
from local.parent import tethered
import signal
child = subprocess.Popen(tethered(["sleep", "600"], ended_by=signal.SIGKILL))
print(child.pid, flush=True)
child.wait()
"""


def test_a_recipe_of_make_ends_with_make(
    program: Start, tmp_path: Path, is_alive: Callable[[int], bool], eventually: Claim
) -> None:
    (tmp_path / "tied.py").write_text(TIED)
    recipe = f"@exec env {PARENT_VARIABLE}=$$PPID PYTHONPATH={ROOT} {sys.executable} {tmp_path / 'tied.py'}"
    (tmp_path / "Makefile").write_text(f"tied:\n\t{recipe}\n")
    make = program(f"import os; os.execvp('make', ['make', '-s', '-f', {str(tmp_path / 'Makefile')!r}])")
    pid = int(make.stdout.readline())
    make.kill()
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
    assert (ended.returncode, ended.stdout.strip().isdigit()) == (0, True)


def test_a_tethered_program_ends_with_whoever_started_it(
    program: Start, is_alive: Callable[[int], bool], eventually: Claim
) -> None:
    starter = program(TETHERING)
    pid = int(starter.stdout.readline())
    starter.kill()
    assert eventually(lambda: not is_alive(pid))


def test_a_tethered_program_keeps_its_arguments_and_its_status() -> None:
    text = "import sys; sys.exit(len(sys.argv[1]))"
    ended = subprocess.run(tethered([sys.executable, "-c", text, "a b"], ended_by=signal.SIGKILL), check=False)
    assert ended.returncode == 3
