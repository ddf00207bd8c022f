"""The sandbox's page: its examples run from top to bottom, and its tables name everything there is."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from sandbox.calls.fault_kinds import KINDS
from sandbox.settings import CHOICES, Settings
from sandbox.webhooks.delivery_faults import KINDS as DELIVERY_FAULTS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "sandbox.md").read_text()
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SWITCH = re.compile(r"^\| `(\w+)` \| `([^`]*)` \| (.*) \|$", re.MULTILINE)
NOT_HERE = ("pip install", "meterpost-sandbox serve")  # this very sandbox, in this very environment
PATIENCE_S = 120


def script() -> str:
    """The page's blocks as one program: Python as it stands, each shell line as a command of its own."""
    lines = ["import subprocess"]
    for language, block in BLOCK.findall(PAGE):
        if language == "python":
            lines.append(block)
            continue
        commands = [line.partition("#")[0].strip() for line in block.splitlines() if not line.startswith(NOT_HERE)]
        lines.extend(f"subprocess.run({command!r}, shell=True, check=True)" for command in commands if command)
    return "\n".join(lines)


@pytest.fixture
def environment(own_sandbox: Any) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"METERPOST_SANDBOX_URL": own_sandbox.url, "PATH": path, "NO_PROXY": "127.0.0.1"}


def test_the_pages_examples_run_from_top_to_bottom(environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", script()]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "$200.00, paid" in ran.stdout


def test_the_page_tells_every_switch_with_its_default() -> None:
    told = {name: default for name, default, _ in SWITCH.findall(PAGE)}
    assert told == {switch.name: json.dumps(switch.default).strip('"') for switch in fields(Settings)}


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_the_page_tells_every_answer_of_a_switch(name: str) -> None:
    (says,) = (says for told, _, says in SWITCH.findall(PAGE) if told == name)
    assert [answer for answer in CHOICES[name] if f"`{answer}`" not in says] == []


def test_the_page_tells_every_kind_of_fault() -> None:
    assert [kind for kind in (*KINDS, *DELIVERY_FAULTS) if f"`{kind}`" not in PAGE] == []
