"""Stripe's rate limits, kept by all workers together: a token bucket in Redis an account and kind of call.

Adaptive: halved on a limiter's 429, growing back by a tenth a second. The limiter is a courtesy and a speed-up, never a
guard of correctness: losing its Redis costs time and 429s, nothing else.
"""

import time
from functools import cache
from pathlib import Path
from typing import Protocol

from redis import Redis

BURST_S = 0.01  # how much of a second's calls may be made at once; more would exceed Stripe's limit in that second
MICROSECONDS = 1_000_000
WAIT_S_MAX = 60  # of a reading call; past this it would rather fail and come back


class Throttled(Exception):
    """So many calls wait already that this one should come back later."""


class Limiter:
    """`rates` are the full rates, calls a second, by kind: "meter_events" and "calls"."""

    def __init__(self, redis: Redis, account: str, *, rates: dict[str, int]) -> None:
        self._account = account
        self._rates = rates
        self._take = redis.register_script(_script("take_token"))
        self._slow = redis.register_script(_script("slow_down"))

    def take(self, kind: str, *, wait_s_max: float = WAIT_S_MAX) -> None:
        """Take a token, asleep until it is ours. Raises Throttled, and takes none, if that is past `wait_s_max`."""
        time.sleep(self.reserve(kind, wait_s_max=wait_s_max))

    def reserve(self, kind: str, *, wait_s_max: float) -> float:
        """Take a token; returns in how many seconds it may be used. Raises Throttled."""
        rate = self._rates[kind]
        burst = max(1, int(rate * BURST_S))
        wait_us = int(self._take(keys=[self._key(kind)], args=[rate, burst, int(wait_s_max * MICROSECONDS)]))
        if wait_us < 0:
            raise Throttled(f"{kind} of {self._account}: more than {wait_s_max} s of calls wait already")
        return wait_us / MICROSECONDS

    def slow_down(self, kind: str) -> bool:
        """After a limiter's 429. True: this one halved the rate."""
        return bool(self._slow(keys=[self._key(kind)], args=[self._rates[kind]]))

    def _key(self, kind: str) -> str:
        return f"meterpost:limiter:{self._account}:{kind}"


class Unlimited:
    """For one-off commands of a person, which are few."""

    def take(self, kind: str, *, wait_s_max: float = WAIT_S_MAX) -> None:
        del kind, wait_s_max

    def reserve(self, kind: str, *, wait_s_max: float) -> float:
        del kind, wait_s_max
        return 0.0

    def slow_down(self, kind: str) -> bool:
        del kind
        return False


class Pace(Protocol):
    """What the gateway and submit want of a limiter."""

    def take(self, kind: str, *, wait_s_max: float = ...) -> None: ...

    def reserve(self, kind: str, *, wait_s_max: float) -> float: ...

    def slow_down(self, kind: str) -> bool: ...


@cache
def _script(name: str) -> str:
    return (Path(__file__).parent / f"{name}.lua").read_text()
