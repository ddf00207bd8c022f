"""Stripe's rate limits, kept by all workers together: a token bucket in Redis an account and kind of call.

Adaptive, by the share of limiter's 429s among the answers of a stretch (a hundred of them, or ten seconds):
- Up to a twentieth is how a limit is felt for: the rate grows, fast while it is far from where 429s were last met (the
  ceiling), slowly near it, and fast again once well beyond.
- More, and a lower rate is *tried*: nine tenths of what passed. Where that helps, it was our rate, and stays lower.
- Where as many are refused as before, it was not: someone else's calls, or Stripe's own trouble. Slowing down for
  these would only throw the permitted rate away, so the former rate returns, and their share is believed for a
  minute. More than three of four are never believed: nobody lets us in at all.

A token that its holder comes too late for is void: calls held up together would be made together. It is given back
for the next instant that leaves no second with too many, mostly now: a busy machine, on which everybody is late, uses
the permitted rate all the same.

An answer to a call from before a change is not counted. The limiter is a courtesy and a speed-up, never a guard of
correctness: losing its Redis costs time and 429s, nothing else. A `lock_timeout` is not a limiter's word, and is
never told here.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from redis import Redis

ANEW_SHARE = 0.125  # of the full rate: what is begun with after an outage, so that those who waited come one by one
PACED_SHARE = 0.9  # of the permitted rate: calls that come some 100 ms late still do not exceed it in any second
BURST_S = 0.01  # how much of a second's calls may be made at once; more would exceed Stripe's limit in that second
MICROSECONDS = 1_000_000
WAIT_S_MAX = 60  # of a reading call; past this it would rather fail and come back


class Throttled(Exception):
    """So many calls wait already that this one should come back later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    wait_us: int  # negative: none was taken
    given_s: float  # when, on Redis' clock


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
        self._ahead_s = -math.inf  # our monotonic clock's, of Redis' own
        self._lowered = set[str]()  # kinds whose rate an answer to this process lowered, and nobody was told so yet

    def take(self, kind: str, *, wait_s_max: float = WAIT_S_MAX) -> None:
        """Take a token, asleep until it is ours. Raises Throttled, and takes none, if that is past `wait_s_max`."""
        time.sleep(max(0.0, self.reserve(kind, wait_s_max=wait_s_max)))

    def reserve(self, kind: str, *, wait_s_max: float, late_s: float = 0) -> float:
        """Take a token; returns in how many seconds it may be used, below 0 if it was ready before. Raises Throttled.

        `late_s`: so long ago another was ready, which is given back unused for the next that fits into its second.
        """
        wait_us_max, late_us = int(wait_s_max * MICROSECONDS), int(late_s * MICROSECONDS)
        token = self._ask(kind, wait_us_max=wait_us_max, late_us=late_us)
        if token.wait_us < 0:
            raise Throttled(f"{kind} of {self._account}: more than {wait_s_max} s of calls wait already")
        return self._from_now_s(token)

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

    def _ask(self, kind: str, *, wait_us_max: int, limited: int = 0, anew_share: float = 0, late_us: int = 0) -> _Token:
        rate = self._rates[kind] * PACED_SHARE
        with self._lock:
            passed, self._passed[kind] = self._passed[kind], 0
        burst, now = max(1, int(rate * BURST_S)), "" if self._clock is None else self._clock()
        asked_s = time.monotonic()
        wait_us, is_lowered, given_us = self._pace(
            keys=[self._key(kind)], args=[rate, burst, wait_us_max, passed, limited, anew_share, now, late_us]
        )
        token = _Token(wait_us=int(wait_us), given_s=int(given_us) / MICROSECONDS)
        with self._lock:
            if is_lowered:
                self._lowered.add(kind)
            # It was given after the question and before the answer, either of which may have been held up.
            self._ahead_s = min(max(self._ahead_s, asked_s - token.given_s), time.monotonic() - token.given_s)
        return token

    def _from_now_s(self, token: _Token) -> float:
        wait_s = token.wait_us / MICROSECONDS
        return wait_s if self._clock else token.given_s + wait_s + self._ahead_s - time.monotonic()

    def _key(self, kind: str) -> str:
        return f"meterpost:limiter:{self._account}:{kind}"


class Unlimited:
    """For one-off commands of a person, which are few."""

    def take(self, kind: str, *, wait_s_max: float = WAIT_S_MAX) -> None:
        del kind, wait_s_max

    def reserve(self, kind: str, *, wait_s_max: float, late_s: float = 0) -> float:
        del kind, wait_s_max, late_s
        return 0.0

    def passed(self, kind: str) -> None:
        del kind

    def slow_down(self, kind: str) -> bool:
        del kind
        return False

    def begin_anew(self, kind: str) -> None:
        del kind


class Steady(Unlimited):
    """For a person's command that makes many calls: evenly, at half the permitted rate, beside workers at work."""

    def __init__(self, calls_per_s: int) -> None:
        self._apart_s = 2 / calls_per_s
        self._next_at = -math.inf

    def take(self, kind: str, *, wait_s_max: float = WAIT_S_MAX) -> None:
        del kind, wait_s_max
        wait_s = max(0.0, self._next_at - time.monotonic())
        time.sleep(wait_s)
        self._next_at = time.monotonic() + self._apart_s


class Pace(Protocol):
    """What the gateway and submit want of a limiter."""

    def take(self, kind: str, *, wait_s_max: float = ...) -> None: ...

    def reserve(self, kind: str, *, wait_s_max: float, late_s: float = ...) -> float: ...

    def passed(self, kind: str) -> None: ...

    def slow_down(self, kind: str) -> bool: ...

    def begin_anew(self, kind: str) -> None: ...
