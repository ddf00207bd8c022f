"""gunicorn as it is configured: bounded, quiet on the disk, and stopped in time."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from local.guarded import ROOT
from local.place import free_port

Door = tuple[int, "subprocess.Popen[str]"]


@pytest.fixture
def door(deploy: Path, tmp_path: Path) -> Iterator[Door]:
    """The configured gunicorn before a tiny application, with a HOME that does not exist."""
    port = free_port()
    env = os.environ | {"PORT": str(port), "HOME": str(tmp_path / "none"), "WEB_CONCURRENCY": "1"}
    command = [sys.executable, "-m", "gunicorn", "--config", str(deploy / "gunicorn.conf.py")]
    server = subprocess.Popen(
        [*command, "wsgiref.simple_server:demo_app"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    lines = iter(server.stdout.readline, "")
    assert any("Booting worker" in line for line in lines)
    assert _status(port, "/") == HTTPStatus.OK  # a worker that is asked to stop while it boots does not hear it
    yield port, server
    server.kill()
    server.communicate()


def _status(port: int, path: str, headers: dict[str, str] | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers or {})
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_request_line_that_is_too_long_is_refused(door: Door) -> None:
    assert _status(door[0], "/" + "x" * 3000) in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_URI_TOO_LONG}


def test_too_many_header_fields_are_refused(door: Door) -> None:
    fields = {f"X-{number}": "x" for number in range(60)}
    assert _status(door[0], "/", fields) == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


def test_it_serves_ends_when_asked_and_says_every_line_in_json(door: Door) -> None:
    door[1].terminate()
    said, _ = door[1].communicate(timeout=15)
    assert door[1].returncode == 0
    assert [json.loads(line)["process_type"] for line in said.splitlines()]
