"""Every crash point in the code is tried, under a name of its own; and a case tells what a death left behind."""

import ast
import json
import subprocess
import sys
from pathlib import Path

from chaos.crashes.points import REACHED_IN, SCENARIO_OF, TIMES
from chaos.crashes.scenarios import SCENARIOS
from local.guarded import ROOT

FOLDERS = ("cli", "client", "service", "webhooks", "workers")
CASE_S_MAX = 50


def _points() -> list[str]:
    """The names of all crash points, as the source has them."""
    trees = [ast.parse(path.read_text()) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "crash_point"]
    return [call.args[0].value for call in named if isinstance(call.args[0], ast.Constant)]  # type: ignore[misc]


def test_each_crash_point_has_a_name_of_its_own() -> None:
    points = _points()

    assert len(points) == len(set(points))


def test_each_crash_point_is_tried_and_each_that_is_tried_exists() -> None:
    tried = [point for points in REACHED_IN.values() for point in points]

    assert sorted(tried) == sorted(_points())
    assert set(TIMES) <= set(SCENARIO_OF)
    assert set(REACHED_IN) == set(SCENARIOS)


def test_a_death_between_commit_and_acknowledgement_is_mended_and_told(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    asked = ["--only", "record.before_ack", "--kind", "kill", "--kind", "lost_commit", "--report", str(report)]

    ran = subprocess.run([sys.executable, "-m", "chaos.crashes", *asked], cwd=ROOT, timeout=CASE_S_MAX, check=False)

    told = [(one["has_crashed"], one["has_drained"], one["wrongs"]) for one in json.loads(report.read_text())]
    assert (ran.returncode, told) == (0, [(True, True, [])] * 2)
