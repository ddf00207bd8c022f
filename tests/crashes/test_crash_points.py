"""A crash point is nothing until it is armed, and then it is exactly what was asked for, once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from service import crash_points, settings
from service.crash_points import CrashPointReached, Kind, arm, crash_point, disarm, read
from service.ledger import Ledger, LedgerUnavailable
from service.settings import SettingsInvalid

DIES = "from service.crash_points import crash_point; crash_point('a.b'); crash_point('a.b'); print('lives')"
LANES = "SELECT count(*) FROM lane"
ADD_LANE = "INSERT INTO lane (account, customer, meter) VALUES ('default', 'cus_1', 'tokens')"


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    disarm()


def _ran(told: str) -> "subprocess.CompletedProcess[str]":
    env = os.environ | {"METERPOST_CRASH_POINT": told}
    return subprocess.run([sys.executable, "-c", DIES], env=env, capture_output=True, text=True, check=False)


def test_unarmed_it_is_nothing() -> None:
    assert (crash_point("a.b"), crash_points.is_armed()) == (None, False)


def test_armed_by_the_environment_it_kills_its_process_where_it_was_told_to() -> None:
    assert (_ran("a.b:kill").returncode, _ran("a.b:kill:2").returncode) == (-signal.SIGKILL, -signal.SIGKILL)
    assert (_ran("a.b:kill:3").stdout, _ran("c.d:kill").stdout) == ("lives\n", "lives\n")


def test_an_exception_is_raised_once() -> None:
    armed = arm("a.b", Kind.EXCEPTION)

    with pytest.raises(CrashPointReached, match=r"a\.b"):
        crash_point("a.b")

    assert (crash_point("a.b"), armed.has_fired) == (None, True)


@pytest.mark.parametrize("told", ["a.b", "a.b:gone", "a.b:kill:soon"])
def test_what_cannot_be_read_says_what_is_wanted(told: str) -> None:
    with pytest.raises(ValueError, match="NAME:KIND"):
        read(told)


def test_with_a_live_key_nothing_starts_that_is_armed(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "rk_live_made_up")
    settings.load()
    arm("a.b", Kind.KILL)

    with pytest.raises(SettingsInvalid, match="METERPOST_CRASH_POINT is for tests alone"):
        settings.load()


@pytest.mark.parametrize(("kind", "lanes"), [(Kind.LOST_COMMIT, 1), (Kind.NO_COMMIT, 0)])
def test_a_commit_whose_answer_is_lost_took_effect_and_one_that_was_cut_off_did_not(
    database_url: str, kind: Kind, lanes: int
) -> None:
    ledger = Ledger(database_url)
    arm("a.b", kind)
    crash_point("a.b")

    with pytest.raises(LedgerUnavailable), ledger.transaction() as tx:
        tx.execute(ADD_LANE)

    with ledger.transaction() as tx:
        found = tx.execute(LANES).fetchone()
    ledger.close()
    assert found == (lanes,)


def test_a_doomed_commit_is_the_next_one_and_no_other(database_url: str) -> None:
    ledger, armed = Ledger(database_url), arm("a.b", Kind.NO_COMMIT)
    with ledger.transaction() as tx:
        tx.execute(LANES)
    before = armed.has_fired
    crash_point("a.b")

    with pytest.raises(LedgerUnavailable), ledger.transaction() as tx:
        tx.execute(LANES)

    ledger.close()
    assert (before, armed.has_fired) == (False, True)
