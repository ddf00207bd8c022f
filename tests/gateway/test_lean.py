"""A process of ours starts without the libraries of libraries that it never asks for anything."""

import json
import subprocess
import sys

import pytest

from local.guarded import ROOT
from service.lean import without

LOADED = "import sys, workers.submit; print(*{name.partition('.')[0] for name in sys.modules})"


def test_a_worker_loads_neither_an_asynchronous_client_nor_a_painter_of_tracebacks():
    ran = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert {"stripe", "structlog", "workers"} <= loaded
    assert loaded & {"aiohttp", "httpx", "pygments", "rich"} == set()


def test_what_was_left_out_can_be_imported_afterwards(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)  # another test's libraries may have it
    with without("this_is_nowhere", "colorsys"), pytest.raises(ImportError):
        import colorsys  # noqa: F401, PLC0415  # absent for now
    assert "colorsys" not in sys.modules
    assert "this_is_nowhere" not in sys.modules


def test_what_is_imported_already_stays():
    with without("json"):
        assert sys.modules["json"] is json
    assert sys.modules["json"] is json
