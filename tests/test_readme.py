"""What the README tells a reader to type works: its shell commands run against a real stack, in any order."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from local.demo_rows import move_file
from local.demo_shop import open_shop
from local.guarded import ROOT
from local.place import free_port
from local.stack import Stack
from meterpost import Meterpost

BLOCK = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(?:^|\s)#.*$")
NOT_HERE = re.compile(
    r"meterpost up\b|meterpost demo\b|meterpost-sandbox serve\b|docker\b|systemctl\b|sudo\b|git clone\b"
)
PATIENCE_S = 30.0
COMMAND_TIMEOUT_S = 60
ROW_ID = "ID"  # as the README writes it


def _commands() -> list[str]:
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    lines = [COMMENT.sub("", line).strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line.removeprefix("$ ") for line in dict.fromkeys(lines) if line]


COMMANDS = _commands()
# `make demo` and `make test` are tests/demo and this very run; `make up` runs for ever. That they exist, make tells.
TARGETS = [command for command in COMMANDS if command.startswith("make ")]
RUN_HERE = [command for command in COMMANDS if command not in TARGETS and not NOT_HERE.search(command)]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody at a shell in a clone, with a running meterpost, who types what the README says."""

    directory: Path
    env: dict[str, str]

    def types(self, command: str) -> "subprocess.CompletedProcess[str]":
        """The library is built, not installed into the environment that runs these tests."""
        command = command.replace("pip install", "pip install --dry-run --no-deps --no-build-isolation")
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.directory,
            env=self.env,
            timeout=COMMAND_TIMEOUT_S,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    bin_first = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": bin_first, "HOME": str(tmp_path_factory.mktemp("home")), "PORT": str(free_port())}
    with Stack(with_sandbox=True, env=own) as stack:
        url = f"http://127.0.0.1:{stack.env['PORT']}/stripe/webhook"
        shop = open_shop(stack.env["STRIPE_SECRET_KEY"], api_base=stack.env["STRIPE_API_BASE"], webhook_url=url)
        stack.env["STRIPE_WEBHOOK_SECRETS"] = shop.webhook_secrets
        stack.migrate()
        stack.start(log_dir=tmp_path_factory.mktemp("logs"))
        _publish(stack, customer=shop.file.customer)
        yield Reader(directory=_clone(tmp_path_factory.mktemp("clone"), customer=shop.file.customer), env=stack.env)


def _publish(stack: Stack, *, customer: str) -> None:
    """The row of which the README asks the story; returns once it is recorded."""
    with Meterpost(stack.env["BROKER_URL"]) as client:
        client.usage(customer, "api_requests", 3, row_id=ROW_ID)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with psycopg.connect(stack.env["DATABASE_URL"]) as ledger:
            if ledger.execute("SELECT 1 FROM row_key WHERE row_id = %s", [ROW_ID]).fetchone():
                return
        threading.Event().wait(0.1)
    raise AssertionError("the row is recorded within our patience")


def _clone(directory: Path, *, customer: str) -> Path:
    """The working tree without its `.env`: building leaves no trace in it, and its usage file is of this month."""
    for path in ROOT.iterdir():
        if path.name not in {".env", "client"}:
            (directory / path.name).symlink_to(path)
    shutil.copytree(ROOT / "client", directory / "client")
    example = ROOT / "examples" / "usage.csv"
    move_file(example, directory / "usage.csv", customer=customer, now=datetime.now(UTC))
    return directory


def test_the_readme_has_commands_to_run() -> None:
    assert {"make demo", "make test"} <= {*COMMANDS}
    assert RUN_HERE


@pytest.mark.parametrize("command", RUN_HERE)
def test_a_command_of_the_readme_runs(reader: Reader, command: str) -> None:
    ran = reader.types(command)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("command", TARGETS)
def test_a_target_of_the_readme_exists(command: str) -> None:
    words = command.split()
    ran = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
