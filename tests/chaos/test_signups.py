"""The storm over subscription rows in its small form, its control, and what it calls wrong."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.signups.judge import Verdict
from chaos.signups.run import Figures
from local.guarded import ROOT

RUN_S_MAX = 280
KILLS = 9  # of each kind one: workers, servers and a sleep
SOUND = Figures(
    rows=100,
    verdict=Verdict(
        created=100, missing=(), doubled=(), before_person=0, calls={"create": 130}, statuses={}, unheard=4, wrongs=()
    ),
    is_settled=True,
    struck={},
    deaths=0,
    minutes_passed=31,
    held=1,
    permitted_per_s=25,
    used_per_s=21.5,
    seconds=20,
    calls_again=0,
)


def played(tmp_path: Path, *asked: str) -> tuple[int, Any]:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "chaos.signups", "--rate", "250", "--timing", "fast", "--report", str(report)]
    ran = subprocess.run([*command, *asked], cwd=ROOT, timeout=RUN_S_MAX, check=False)
    return ran.returncode, json.loads(report.read_text())


@pytest.mark.timeout(300)  # real servers and processes, nine deaths, a lease that is slept through
def test_each_row_has_one_subscription_whatever_was_refused_lost_or_killed(tmp_path: Path) -> None:
    code, found = played(tmp_path, "--rows", "150", "--kills", str(KILLS), "--seed", "11")

    assert (code, found["wrong"]) == (0, [])
    assert (found["verdict"]["created"], sum(found["struck"].values())) == (150, KILLS)
    assert (found["verdict"]["unheard"] > 0, found["calls_again"]) == (True, 0)


@pytest.mark.timeout(300)  # real servers and processes
def test_a_worker_that_takes_a_new_key_for_what_it_did_not_hear_of_is_found_out(tmp_path: Path) -> None:
    code, found = played(tmp_path, "--rows", "150", "--kills", "0", "--seed", "11", "--blind")

    assert code == 0
    assert len(found["verdict"]["doubled"]) > 0
    assert any("several subscriptions" in wrong for wrong in found["wrong"])


def test_a_run_in_which_all_held_has_no_wrongs() -> None:
    assert SOUND.wrongs() == []


@pytest.mark.parametrize(
    ("broken", "wrong"),
    [
        ({"is_settled": False}, "not every row is settled"),
        ({"verdict": replace(SOUND.verdict, missing=("mps-1",))}, "1 rows have no subscription"),
        ({"verdict": replace(SOUND.verdict, doubled=("mps-1",))}, "1 rows have several subscriptions"),
        ({"verdict": replace(SOUND.verdict, wrongs=("a call",))}, "a call"),
        ({"calls_again": 2}, "2 calls create"),
    ],
)
def test_each_broken_claim_is_told(broken: dict[str, Any], wrong: str) -> None:
    (told,) = replace(SOUND, **broken).wrongs()

    assert told.startswith(wrong)
