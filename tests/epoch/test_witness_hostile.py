"""Whatever somebody wrote where the witness should be, it is as good as lost, and the next call's takes its place."""

from collections.abc import Callable, Iterator

import pytest
import redis

from service import wakeups
from service.witness import RedisWitness, Witness

KEY = "meterpost:witness:acct_1:test"
OURS = Witness(attempt_id=7, idempotency_key="mp-1-1-abc", at="2026-11-21T10:00:00+00:00")
Write = Callable[["redis.Redis"], object]
STRANGE: dict[str, Write] = {
    "a string": lambda client: client.set(KEY, "strange"),
    "a list": lambda client: client.rpush(KEY, "strange"),
    "no number": lambda client: client.hset(KEY, mapping={"attempt_id": "strange", "idempotency_key": "a", "at": "b"}),
    "nan": lambda client: client.hset(KEY, mapping={"attempt_id": "nan", "idempotency_key": "a", "at": "b"}),
    "huge": lambda client: client.hset(KEY, mapping={"attempt_id": 10**30, "idempotency_key": "a", "at": "b"}),
    "negative": lambda client: client.hset(KEY, mapping={"attempt_id": -1, "idempotency_key": "a", "at": "b"}),
    "no text": lambda client: client.hset(KEY, mapping={"attempt_id": 1, "idempotency_key": b"\xff\x00"}),
    "no key": lambda client: client.hset(KEY, mapping={"attempt_id": 1}),
}


@pytest.fixture
def connection(valkey_url: str) -> Iterator["redis.Redis"]:
    with wakeups.connect(valkey_url) as connection:
        yield connection


@pytest.mark.parametrize("strange", STRANGE)
def test_what_is_no_witness_is_none_and_the_next_replaces_it(connection: "redis.Redis", strange: str) -> None:
    witness = RedisWitness(connection, "acct_1", is_live=False)
    STRANGE[strange](connection)
    before = witness.read()

    witness.keep(OURS)

    assert (before, witness.read()) == (None, OURS)
