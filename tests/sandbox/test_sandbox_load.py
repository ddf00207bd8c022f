"""Many clients at once, each checking every answer: the short form of `make bench`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120


def test_many_clients_at_once_are_answered_without_a_mistake() -> None:
    command = [sys.executable, "-m", "bench.sandbox", "--clients", "40", "--seconds", "3", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE_S, check=False)
    assert (done.stderr.decode(), done.returncode) == ("", 0)
