"""`meterpost demo` proves what it says, and goes as if it had never been there."""

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from local import demo
from local.guarded import ROOT
from local.procfile import read_procfile

Claim = Callable[[Callable[[], object]], bool]

KEYS = [
    *("rows_sent", "rows_recorded", "rows_duplicate", "meter_events", "confirmed", "refused"),
    *("totals", "invoice", "ok"),
]


def test_stdout_is_one_json_object_with_the_promised_keys(demonstration: Any) -> None:
    assert list(json.loads(demonstration.stdout)) == KEYS


def test_it_asks_nothing_of_the_callers_settings(demonstration: Any) -> None:
    assert (demonstration.code, "nonsense" in demonstration.stderr) == (0, False)


def test_every_difference_is_zero(demonstration: Any) -> None:
    told = json.loads(demonstration.stdout)
    assert (demonstration.code, told["ok"]) == (0, True)
    assert [list(total) for total in told["totals"]] == [["customer", "meter", "sent", "stripe", "difference"]] * 2
    assert [(total["sent"], total["difference"]) for total in told["totals"]] == [(60_000, 0), (60, 0)]


def test_the_file_that_is_sent_twice_is_billed_once(demonstration: Any) -> None:
    told = json.loads(demonstration.stdout)
    assert (told["rows_sent"], told["rows_recorded"], told["rows_duplicate"]) == (12_006, 12_003, 3)


def test_all_that_was_made_is_confirmed(demonstration: Any) -> None:
    told = json.loads(demonstration.stdout)
    assert (told["confirmed"], told["refused"]) == (told["meter_events"], 0)


def test_what_is_included_costs_nothing(demonstration: Any) -> None:
    invoice = json.loads(demonstration.stdout)["invoice"]
    assert (invoice["status"], invoice["units"], invoice["amount"], invoice["currency"]) == ("paid", 60_000, 0, "usd")


def test_no_process_and_no_temporary_file_stays(demonstration: Any) -> None:
    assert (demonstration.processes_left, demonstration.files_left) == ([], [])


def test_nothing_runs_on_when_the_parent_is_killed(place: Any, eventually: Claim) -> None:
    parent = place.start(f"METERPOST_END_WITH_PARENT=$$ {place.program} demo; :")
    with parent:
        assert parent.stdout.readline() + parent.stdout.readline()  # the servers and the processes are up
        assert len(place.processes()) > len(read_procfile(ROOT / "Procfile"))
        parent.kill()
    assert eventually(lambda: not place.processes())
    assert place.files() == []


def test_ctrl_c_ends_it_with_130_and_nothing_left(place: Any) -> None:
    shell = place.start(f"exec {place.program} demo")
    with shell:
        assert shell.stdout.readline() + shell.stdout.readline()
        os.killpg(shell.pid, signal.SIGINT)
        said = shell.stdout.read()
    assert (shell.returncode, said.splitlines()[-1:]) == (130, ["interrupted"])
    assert (place.processes(), place.files()) == ([], [])


@pytest.mark.parametrize("units", ["0", "-1", "1.5", "many", "100000000000000000"])
def test_units_that_cannot_be_sent_are_a_usage_error(place: Any, units: str) -> None:
    refused = place.run("--units", units)
    assert refused.returncode == 2
    assert "--units" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_demo_out_of_time_says_what_is_not_settled_and_where_to_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "TIME_MAX_S", 0)
    code = demo.run(60, as_json=False)
    said = capsys.readouterr().out
    assert code == 1
    assert "Not settled" in said
    assert ".meterpost/demo/*.log" in said
