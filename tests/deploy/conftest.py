"""The files of deploy/, read once."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.guarded import ROOT


@pytest.fixture(scope="session")
def deploy() -> Path:
    return ROOT / "deploy"


@pytest.fixture(scope="session")
def compose(deploy: Path) -> dict[str, Any]:
    """The parsed compose file."""
    parsed: dict[str, Any] = yaml.safe_load((deploy / "compose.yaml").read_text())
    return parsed


@pytest.fixture(scope="session")
def procfile() -> dict[str, list[str]]:
    """The words of each command of the Procfile, as they are written there."""
    lines = [line for line in (ROOT / "Procfile").read_text().splitlines() if line and not line.startswith("#")]
    return {name: shlex.split(command) for name, _, command in (line.partition(":") for line in lines)}


@pytest.fixture(scope="session")
def pins(deploy: Path) -> dict[str, set[str]]:
    """`name==version` of each lock."""
    locks = {"deploy": deploy / "requirements.lock", "checkout": ROOT / "requirements.lock"}
    return {
        place: {line.split()[0] for line in lock.read_text().splitlines() if "==" in line and line[0].isalpha()}
        for place, lock in locks.items()
    }
