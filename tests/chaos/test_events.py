"""The events' own chaos in its small form: nothing is missing, and every mirror is as Stripe has it."""

import json
import subprocess
import sys

import pytest

from local.guarded import ROOT

RUN_S_MAX = 280


@pytest.mark.timeout(300)  # real servers, a hundred events three times, and a door that is killed
def test_shuffled_and_dropped_events_end_in_stripe_s_own_objects_though_processes_are_killed(tmp_path):
    report = tmp_path / "report.json"
    asked = ["--events", "120", "--kills", "3", "--seed", "11", "--report", str(report)]

    ran = subprocess.run([sys.executable, "-m", "chaos.events", *asked], cwd=ROOT, timeout=RUN_S_MAX, check=False)

    found = json.loads(report.read_text())
    assert (ran.returncode, found["wrong"]) == (0, [])
    assert (found["is_caught_up"], found["found"]["events"] >= 120, sum(found["kills"].values()) >= 3) == (True,) * 3
