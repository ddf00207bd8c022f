"""PostgreSQL's user can reach what it needs, or gets a place where it can."""

from pathlib import Path

import psycopg
import pytest

from local import account
from local.account import can_reach, lasting_directory
from local.parent import SAME_USER
from local.place import free_port
from local.postgres import Postgres
from local.running import Running

STRANGER = (65534, 65534)


def test_a_folder_closed_to_others_cannot_be_reached_by_another_user(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not can_reach(closed / "wheel", STRANGER)
    assert can_reach(closed / "wheel", SAME_USER)


def test_a_closed_checkout_keeps_its_lasting_files_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "STATE_OF_ROOT", tmp_path / "state")
    (tmp_path / "checkout").mkdir(mode=0o700)
    wanted = tmp_path / "checkout" / ".meterpost" / "postgres"
    place = lasting_directory(wanted, STRANGER)
    assert place.is_relative_to(tmp_path / "state")
    assert place == lasting_directory(wanted, STRANGER)


def test_an_open_checkout_keeps_its_lasting_files(tmp_path: Path) -> None:
    assert lasting_directory(tmp_path / "postgres", SAME_USER) == tmp_path / "postgres"


def test_postgres_runs_from_a_copy_where_the_wheel_is_closed(open_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.postgres.can_reach", lambda *_: False)
    program = Postgres(directory=open_path, port=free_port(), scratch=open_path, fsync=False)
    running = Running(program)
    with psycopg.connect(program.url) as ledger:
        row = ledger.execute("SELECT 7").fetchone()
    running.stop()
    assert row == (7,)
    assert (open_path / "wheel").exists()
