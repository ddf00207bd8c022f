"""The Procfile: one line a process, `name: command`."""

import re
import shlex
import sys
from pathlib import Path

LINE = re.compile(r"(?P<name>[a-z][a-z0-9_-]*):\s*(?P<command>\S.*)")


def read_procfile(path: Path) -> dict[str, list[str]]:
    """The commands of the Procfile at `path` by name, ready to be started.

    Raises ValueError with the line that is neither empty, a comment nor `name: command`.
    """
    processes: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = LINE.fullmatch(line.rstrip())
        if found is None or found["name"] in processes:
            raise ValueError(f"{path}:{number} is not a new `name: command`: {line}")
        processes[found["name"]] = resolved(shlex.split(found["command"]))
    return processes


def resolved(command: list[str]) -> list[str]:
    """`command` with its program taken from this interpreter's environment, which need not be activated."""
    program, *arguments = command
    if program in {"python", "python3"}:
        return [sys.executable, *arguments]
    beside = Path(sys.executable).parent / program
    return [str(beside) if beside.exists() else program, *arguments]
