"""The systemd units: every process has one, is started again, and is given time to stop."""

import shutil
import subprocess
from pathlib import Path

import pytest

from service.timing import STANDARD

HOME = "/opt/meterpost/.venv/bin/"


def _unit(path: Path) -> dict[str, dict[str, list[str]]]:
    """Sections, names and all values: systemd allows a name more than once."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            section.setdefault(name, []).append(value)
    return sections


SERVICES = ["meterpost-web.service", "meterpost-worker@.service"]


def test_the_target_wants_every_process(deploy: Path, procfile: dict[str, list[str]]) -> None:
    workers = {f"meterpost-worker@{name}.service" for name in procfile if name != "web"}
    wanted = _unit(deploy / "systemd" / "meterpost.target")["Unit"]["Wants"]
    assert set(wanted) == workers | {"meterpost-web.service"}


def test_a_unit_runs_the_procfile_s_command(deploy: Path, procfile: dict[str, list[str]]) -> None:
    web = _unit(deploy / "systemd" / "meterpost-web.service")["Service"]["ExecStart"]
    worker = _unit(deploy / "systemd" / "meterpost-worker@.service")["Service"]["ExecStart"]
    assert web == [HOME + 'gunicorn --config deploy/gunicorn.conf.py "webhooks.app:create_app()"']
    assert all(worker[0].replace("%i", name) == HOME + " ".join(procfile[name]) for name in procfile if name != "web")


@pytest.mark.parametrize("name", SERVICES)
def test_a_process_that_dies_is_started_again_for_ever(deploy: Path, name: str) -> None:
    unit = _unit(deploy / "systemd" / name)
    assert unit["Service"]["Restart"] == ["always"]
    assert unit["Unit"]["StartLimitIntervalSec"] == ["0"]


@pytest.mark.parametrize("name", SERVICES)
def test_one_request_to_stop_and_time_for_the_longest_call(deploy: Path, name: str) -> None:
    service = _unit(deploy / "systemd" / name)["Service"]
    assert service["KillMode"] == ["mixed"]
    assert int(service["TimeoutStopSec"][0]) > STANDARD.call_deadline_s


@pytest.mark.parametrize("name", [*SERVICES, "meterpost-migrate.service"])
def test_a_process_has_no_rights_to_gain(deploy: Path, name: str) -> None:
    service = _unit(deploy / "systemd" / name)["Service"]
    assert service["User"] == ["meterpost"]
    assert service["NoNewPrivileges"] == ["yes"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["CapabilityBoundingSet"] == [""]


def test_the_witness_file_lives_on_in_the_state_directory(deploy: Path) -> None:
    service = _unit(deploy / "systemd" / "meterpost-worker@.service")["Service"]
    assert service["StateDirectory"] == ["meterpost"]
    assert "METERPOST_WITNESS_FILE=/var/lib/meterpost/witness.json" in service["Environment"]


if shutil.which("systemd-analyze"):

    def test_systemd_understands_every_unit(deploy: Path, tmp_path: Path) -> None:
        """The programs are exchanged for one that exists here, which it asks for."""
        for unit in (deploy / "systemd").iterdir():
            lines = unit.read_text().splitlines()
            text = "\n".join("ExecStart=/bin/true" if line.startswith("ExecStart=") else line for line in lines)
            (tmp_path / unit.name).write_text(text)
        (tmp_path / "meterpost-worker@record.service").symlink_to("meterpost-worker@.service")
        command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "meterpost.target")]
        verified = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (verified.returncode, verified.stderr) == (0, "")
