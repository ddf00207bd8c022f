"""The shim, compiled once a worker, and servers on a disk that forgets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.power.disk import compiled
from local.account import server_user
from local.place import scratch


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """Where every server's user can walk."""
    with scratch(server_user()) as directory:
        yield directory


@pytest.fixture(scope="session")
def library(place: Path) -> Path:
    return compiled(place)
