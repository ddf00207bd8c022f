"""Where a server lives: its directory, claimed by one guard at a time, and its port."""

import fcntl
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.account import lasting_directory, scratch_base
from local.guarded import ServerError
from local.parent import SAME_USER

CLAIM_TIMEOUT_S = 15  # the guard of a parent that was just killed needs a moment to end
CLAIM_POLL_S = 0.05


@contextmanager
def scratch(user: tuple[int, int]) -> Iterator[Path]:
    """A temporary directory that `user` owns and can walk to; removed at the end."""
    directory = Path(tempfile.mkdtemp(prefix="meterpost-", dir=scratch_base(user)))
    try:
        yield _owned(directory, user)
    finally:
        shutil.rmtree(directory, onerror=_unless_gone)


def _unless_gone(_function: object, _path: str, error: tuple[type[BaseException], BaseException, object]) -> None:
    """A server that is just ending tidies up as well."""
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]


@contextmanager
def claimed(wanted: Path, user: tuple[int, int]) -> Iterator[Path]:
    """The directory `wanted` (or its stand-in, said on stderr) for this guard alone.

    Valkey itself would start twice on the same files and ruin them, hence the lock.
    """
    directory = lasting_directory(wanted, user)
    if directory != wanted:
        sys.stderr.write(f"{wanted} is closed to the user that PostgreSQL runs as; its files are in {directory}\n")
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        _wait_for(lock.fileno(), directory)
        yield _owned(directory, user)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait_for(lock: int, directory: Path) -> None:
    deadline = time.monotonic() + CLAIM_TIMEOUT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise ServerError(f"{directory} is in use by another meterpost") from None
            time.sleep(CLAIM_POLL_S)
        else:
            return


def _owned(directory: Path, user: tuple[int, int]) -> Path:
    if user != SAME_USER:
        os.chown(directory, *user)
        directory.chmod(0o700)
    return directory
