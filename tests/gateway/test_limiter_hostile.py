"""Whatever somebody wrote where the limiter keeps its bucket, calls are paced and not stopped."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from service import wakeups
from service.limiter import WAIT_S_MAX, Limiter

KEY = "meterpost:limiter:default:calls"
TIMES = ("next", "seen", "since", "until")
NUMBERS = (*TIMES, "rate", "ceiling", "passed", "limited", "former", "blamed", "base", "heard")
Write = Callable[["redis.Redis"], object]
STRANGE: dict[str, Write] = {
    "a string": lambda client: client.set(KEY, "strange"),
    "a list": lambda client: client.rpush(KEY, "strange"),
    "a set": lambda client: client.sadd(KEY, "strange"),
    "a sorted set": lambda client: client.zadd(KEY, {"strange": 1}),
    "no numbers": lambda client: client.hset(KEY, mapping=dict.fromkeys(NUMBERS, "strange")),
    "not a number": lambda client: client.hset(KEY, mapping=dict.fromkeys(NUMBERS, "nan")),
    "without end": lambda client: client.hset(KEY, mapping=dict.fromkeys(NUMBERS, "inf")),
    "less than nothing": lambda client: client.hset(KEY, mapping=dict.fromkeys(NUMBERS, "-9")),
    "nothing": lambda client: client.hset(KEY, mapping=dict.fromkeys(NUMBERS, "0")),
    "huge": lambda client: client.hset(KEY, mapping=dict.fromkeys(NUMBERS, "9e15")),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_a_bucket_that_is_none_lets_calls_through_within_a_minute(valkey_url: str, strange: str) -> None:
    with wakeups.connect(valkey_url) as connection:
        limiter: Any = Limiter(connection, "default", rates={"calls": 100})
        STRANGE[strange](connection)

        waits_s = [limiter.reserve("calls", wait_s_max=WAIT_S_MAX + 5) for _ in range(3)]
        limiter.slow_down("calls")

        assert max(waits_s) <= WAIT_S_MAX + 5
        assert connection.type(KEY) == b"hash"
