"""kill -9 of any one process, once, under load: nothing is lost, nothing is billed twice."""

from typing import Any

import pytest

from local.guarded import ROOT
from local.procfile import read_procfile

PROCESSES = list(read_procfile(ROOT / "Procfile"))
SERVERS = ["valkey", "postgres"]


@pytest.mark.parametrize("name", PROCESSES + SERVERS)
def test_a_kill_under_load_loses_and_doubles_nothing(works: Any, name: str) -> None:
    load = works.begin()
    works.kill(name)
    load.end()
    assert works.settles(load)
    assert works.billed(load) == load.sent
    assert works.books(load) == {"entries": load.rows, "open attempts": 0}
    assert works.audit()["applied_twice"] == []
