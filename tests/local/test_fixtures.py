"""What every test may rely on: a ledger and queues of its own."""

import psycopg
import pytest
import redis


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_migrated_ledger_of_its_own(database_url: str, turn: int) -> None:
    with psycopg.connect(database_url) as ledger:
        ledger.execute("CREATE TABLE footprint ()")
        found = ledger.execute("SELECT count(*) FROM migration").fetchone()
    assert found


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_empty_queues(valkey_url: str, turn: int) -> None:
    with redis.Redis.from_url(valkey_url) as queues:
        keys = queues.dbsize()
        queues.set("footprint", turn)
    assert keys == 0
