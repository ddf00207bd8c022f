"""Stripe's rate limits, kept by all workers together: a token bucket in Redis an account and kind of call.

Adaptive, by the share of limiter's 429s among the answers of a stretch (a hundred of them, or ten seconds):
- Up to a twentieth is how a limit is felt for: the rate grows, fast while it is far from where 429s were last met (the
  ceiling), slowly near it, and fast again once well beyond.
- More, and a lower rate is *tried*: nine tenths of what passed. Where that helps, it was our rate, and stays lower.
- Where as many are refused as before, it was not: someone else's calls, or Stripe's own trouble. Slowing down for
  these would only throw the permitted rate away, so the former rate returns, and their share is believed for a
  minute. More than three of four are never believed: nobody lets us in at all.

An answer to a call from before a change is not counted. The limiter is a courtesy and a speed-up, never a guard of
correctness: losing its Redis costs time and 429s, nothing else. A `lock_timeout` is not a limiter's word, and is
never told here.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from redis import Redis

ANEW_SHARE = 0.125  # of the full rate: what is begun with after an outage, so that those who waited come one by one
PACED_SHARE = 0.94  # of the permitted rate: calls that come some 30 ms late still do not exceed it in any second
BURST_S = 0.01  # how much of a second's calls may be made at once; more would exceed Stripe's limit in that second
MICROSECONDS = 1_000_000
WAIT_S_MAX = 60  # of a reading call; past this it would rather fail and come back


class Throttled(Exception):
    """So many calls wait already that this one should come back later."""


class Limiter:
    """`rates` are the permitted rates, calls a second, by kind: "meter_events" and "calls". Thread-safe.

    `clock` is in microseconds; without one it is Redis' own, which is the same for all workers.
    """

    def __init__(
        self, redis: Redis, account: str, *, rates: dict[str, int], clock: Callable[[], int] | None = None
    ) -> None:
        self._account = account
        self._rates = rates
        self._clock = clock
        self._pace = redis.register_script((Path(__file__).parent / "pace.lua").read_text())
        self._lock = threading.Lock()
        self._passed = dict.fromkeys(rates, 0)  # told along with the next question: a call costs one round trip
        self._lowered = set[str]()  # kinds whose rate an answer to this process lowered, and nobody was told so yet

    def take(self, kind: str, *, wait_s_max: float = WAIT_S_MAX) -> None:
        """Take a token, asleep until it is ours. Raises Throttled, and takes none, if that is past `wait_s_max`."""
        time.sleep(self.reserve(kind, wait_s_max=wait_s_max))

    def reserve(self, kind: str, *, wait_s_max: float) -> float:
        """Take a token; returns in how many seconds it may be used. Raises Throttled."""
        wait_us = self._ask(kind, wait_us_max=int(wait_s_max * MICROSECONDS))
        if wait_us < 0:
            raise Throttled(f"{kind} of {self._account}: more than {wait_s_max} s of calls wait already")
        return wait_us / MICROSECONDS

    def passed(self, kind: str) -> None:
        """Stripe's limiter let a call through, whatever came of it."""
        with self._lock:
            self._passed[kind] += 1

    def slow_down(self, kind: str) -> bool:
        """After a limiter's 429. True: this process lowered the rate since it last asked."""
        self._ask(kind, wait_us_max=-1, limited=1)
        with self._lock:
            was_lowered = kind in self._lowered
            self._lowered.discard(kind)
        return was_lowered

    def begin_anew(self, kind: str) -> None:
        """After an outage: from a part of the full rate upwards."""
        self._ask(kind, wait_us_max=-1, anew_share=ANEW_SHARE)

    def _ask(self, kind: str, *, wait_us_max: int, limited: int = 0, anew_share: float = 0) -> int:
        rate = self._rates[kind] * PACED_SHARE
        with self._lock:
            passed, self._passed[kind] = self._passed[kind], 0
        burst, now = max(1, int(rate * BURST_S)), "" if self._clock is None else self._clock()
        wait_us, is_lowered = self._pace(
            keys=[self._key(kind)], args=[rate, burst, wait_us_max, passed, limited, anew_share, now]
        )
        if is_lowered:
            with self._lock:
                self._lowered.add(kind)
        return int(wait_us)

    def _key(self, kind: str) -> str:
        return f"meterpost:limiter:{self._account}:{kind}"


class Unlimited:
    """For one-off commands of a person, which are few."""

    def take(self, kind: str, *, wait_s_max: float = WAIT_S_MAX) -> None:
        del kind, wait_s_max

    def reserve(self, kind: str, *, wait_s_max: float) -> float:
        del kind, wait_s_max
        return 0.0

    def passed(self, kind: str) -> None:
        del kind

    def slow_down(self, kind: str) -> bool:
        del kind
        return False

    def begin_anew(self, kind: str) -> None:
        del kind


class Pace(Protocol):
    """What the gateway and submit want of a limiter."""

    def take(self, kind: str, *, wait_s_max: float = ...) -> None: ...

    def reserve(self, kind: str, *, wait_s_max: float) -> float: ...

    def passed(self, kind: str) -> None: ...

    def slow_down(self, kind: str) -> bool: ...

    def begin_anew(self, kind: str) -> None: ...
