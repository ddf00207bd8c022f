"""Faults on demand: which calls go wrong, how, how often, decided by a seed.

A fault is drawn once a call, on arrival; `door.py` plays it at its place in the order of a call. Reproducible: the same
seed and the same sequence of calls draw the same faults.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import TypeAlias

from sandbox.wire import JsonObject

KINDS = (
    "rate_limited",
    "unauthorized",
    "lock_timeout",
    "conflict",
    "error_before",
    "error_after",
    "reply_lost",
    "latency",
)
DELAY_MAX_S = 600


@dataclass(slots=True, kw_only=True)
class Fault:
    kind: str
    path: str = "/v1/*"
    """A pattern; `*` stands for anything."""
    method: str = "*"
    account: str = "*"
    share: float = 1.0
    seed: int = 1
    times: int | None = None
    """How often it may still strike; None is forever."""
    reason: str | None = None
    """Of `rate_limited`: the value of Stripe-Rate-Limited-Reason; None sends no such header."""
    delay_s: float = 0.0
    _chance: Random = field(default_factory=Random, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if not all(isinstance(pattern, str) for pattern in (self.path, self.method, self.account)):
            raise TypeError("path, method and account must be strings")
        if not 0 <= self.share <= 1 or not 0 <= self.delay_s <= DELAY_MAX_S:
            raise ValueError(f"share must lie within 0 and 1, delay_s within 0 and {DELAY_MAX_S}")
        self._chance.seed(self.seed)

    def strikes(self, *, method: str, path: str, account: str) -> bool:
        is_meant = fnmatchcase(path, self.path) and fnmatchcase(method, self.method)
        if not is_meant or not fnmatchcase(account, self.account) or self.times == 0:
            return False
        if self._chance.random() >= self.share:
            return False
        self.times = None if self.times is None else self.times - 1
        return True

    def render(self) -> JsonObject:
        names = ("kind", "path", "method", "account", "share", "seed", "times", "reason", "delay_s")
        return {name: getattr(self, name) for name in names}


Drawn: TypeAlias = dict[str, Fault]
"""The faults that strike one call, by kind."""


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self, account: str | None = None) -> None:
        self._faults = [fault for fault in self._faults if account not in (None, fault.account)]

    def drawn(self, *, method: str, path: str, account: str) -> Drawn:
        struck = (fault for fault in self._faults if fault.strikes(method=method, path=path, account=account))
        return {fault.kind: fault for fault in struck}

    def render(self) -> list[JsonObject]:
        return [fault.render() for fault in self._faults]
