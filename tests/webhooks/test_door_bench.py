"""The door beside a plain Flask endpoint: the short form of `make bench-door`."""

import json
import subprocess
import sys

from local.guarded import ROOT


def test_both_record_every_event_and_are_measured_alike():
    command = [sys.executable, "-m", "bench.door", "--requests", "24", "--turns", "2", "--json"]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=110)

    told = json.loads(ran.stdout[ran.stdout.index("{") :])
    assert [each["requests"] for each in told["figures"]] == [48, 48]
    assert told["ratios"].keys() == {"per_s", "p99"}
