"""gunicorn as it is configured: bounded, quiet on the disk, and stopped in time."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from local.guarded import ROOT
from local.place import free_port

THREADS = 4
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


def test_half_a_request_on_every_thread_shuts_the_door_for_seconds_only(door: Door) -> None:
    slow = [socket.create_connection(("127.0.0.1", door[0])) for _ in range(THREADS)]
    for connection in slow:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nX-")

    assert _status(door[0], "/") == HTTPStatus.OK

    for connection in slow:
        assert connection.recv(1) == b""
        connection.close()


def test_a_request_that_drips_is_cut_off(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door[0])) as connection:
        connection.settimeout(0.1)
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n")
        assert any(_is_cut_off(connection) for _ in range(100))


def _is_cut_off(connection: socket.socket) -> bool:
    """Whether the server has hung up; one more byte of a header if not."""
    try:
        connection.sendall(b"x")
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_it_serves_ends_when_asked_and_says_every_line_in_json(door: Door) -> None:
    door[1].terminate()
    said, _ = door[1].communicate(timeout=15)
    assert door[1].returncode == 0
    assert [json.loads(line)["process_type"] for line in said.splitlines()]
