"""What every test may rely on: a ledger and queues of its own."""

from datetime import timedelta

import psycopg
import pytest
import redis

ADD_INTAKE = "INSERT INTO intake SELECT nextval('entry_id'), ledger_now(), 1, 0, 0, 0, 0, 0 RETURNING intake_id"


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_migrated_ledger_of_its_own(database_url: str, turn: int) -> None:
    with psycopg.connect(database_url) as ledger:
        ledger.execute("CREATE TABLE footprint ()")
        found = ledger.execute("SELECT count(*) FROM migration").fetchone()
    assert found


@pytest.mark.parametrize("turn", [1, 2])
def test_a_ledger_that_is_used_again_is_as_on_its_first_day(database_url: str, turn: int) -> None:
    with psycopg.connect(database_url) as ledger:
        ledger.execute("UPDATE ledger_clock SET ahead_by = ahead_by + interval '1 h'")
        made = ledger.execute(ADD_INTAKE).fetchone()
        clock = ledger.execute("SELECT ahead_by FROM ledger_clock").fetchone()
        rows = ledger.execute("SELECT count(*) FROM intake").fetchone()
    assert (made, rows, clock) == ((1,), (1,), (timedelta(hours=1),))


@pytest.mark.parametrize("turn", [1, 2])
def test_a_ledger_whose_triggers_were_disabled_is_not_used_again(database_url: str, turn: int) -> None:
    with psycopg.connect(database_url) as ledger:
        enabled = ledger.execute("SELECT DISTINCT tgenabled::text FROM pg_trigger").fetchall()
        ledger.execute("ALTER TABLE meter_event DISABLE TRIGGER USER")
    assert enabled == [("O",)]


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_empty_queues(valkey_url: str, turn: int) -> None:
    with redis.Redis.from_url(valkey_url) as queues:
        keys = queues.dbsize()
        queues.set("footprint", turn)
    assert keys == 0
