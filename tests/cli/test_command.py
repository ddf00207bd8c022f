"""What holds for every command: help, exit codes, and how it speaks of failures."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from cli import exits
from cli.main import COMMANDS

Command = Callable[..., Any]
PROGRAM = [sys.executable, "-c", "from cli.main import main; main()"]


def _leaves() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = import_module(f"cli.{name}").command
        inner = command.commands.items() if isinstance(command, click.Group) else [("", command)]
        yield from ((f"{name} {below}".strip(), leaf) for below, leaf in inner)


LEAVES = dict(_leaves())
every_command = pytest.mark.parametrize("name", LEAVES)


@every_command
def test_every_commands_help_shows_examples_of_it(command: Command, name: str) -> None:
    ran = command(*name.split(), "--help")

    assert ran.code == 0
    assert f"meterpost {name}" in ran.out.partition("Examples:")[2]


@every_command
def test_every_command_can_answer_in_json(name: str) -> None:
    assert "--json" in {option for parameter in LEAVES[name].params for option in parameter.opts}


@every_command
def test_an_option_that_is_not_known_is_an_error_of_usage(command: Command, name: str) -> None:
    ran = command(*name.split(), *(["a"] * 3 if name == "usage add" else []), "--colour")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err


def test_the_help_lists_every_command_with_what_it_does(command: Command) -> None:
    ran = command("--help")

    assert all(f"\n  {name} " in ran.out for name in COMMANDS)


def test_the_help_loads_no_library_that_it_does_not_need() -> None:
    code = (
        "import sys; from cli.main import run; run(['--help']); print(sorted({m.split('.')[0] for m in sys.modules}))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not [name for name in ("stripe", "rq", "psycopg", "kombu", "rich", "flask") if f"'{name}'" in loaded]


@pytest.mark.parametrize("path", exits.EXPECTED)
def test_every_expected_failure_is_named_by_the_path_it_has(path: str) -> None:
    module, _, name = path.rpartition(".")

    assert issubclass(getattr(import_module(module), name), Exception)


def test_a_failure_that_nobody_expected_is_not_dressed_up(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.config.settings.load", lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        command("config")


def test_ctrl_c_ends_a_command_with_130(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.config.settings.load", interrupted)

    assert command("config").code == exits.INTERRUPTED


def test_a_reader_that_leaves_early_is_no_traceback(bare: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    ran = subprocess.run([*PROGRAM, "config", "--json"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)

    assert (ran.returncode, ran.stderr) == (exits.FAILURE, b"")


@pytest.mark.parametrize(("arguments", "code"), [(["config"], 0), (["status"], 2), (["nothing"], 2), ([], 2)])
def test_the_programs_exit_code_is_the_commands(bare: Path, arguments: list[str], code: int) -> None:
    assert subprocess.run([*PROGRAM, *arguments], capture_output=True, check=False).returncode == code


def test_colours_stay_away_where_nobody_watches(command: Command) -> None:
    assert "\x1b" not in command("config").out


def test_a_password_in_the_settings_is_not_in_the_error(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2hunter2@127.0.0.1:1/none")

    ran = command("migrate")

    assert ran.code == exits.FAILURE
    assert "PostgreSQL did not answer" in ran.err
    assert "hunter2" not in ran.err
