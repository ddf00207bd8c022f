"""Faults on demand: which calls go wrong, how, how often, decided by a seed.

A fault is drawn once a call, on arrival; `door.py` plays it at its place in the order of a call, or `sending.py` on the
wire. Reproducible: chance is drawn for each account on its own, so the same seed and the same calls of an account meet
the same faults, whoever else calls in between.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import log
from random import Random
from typing import TypeAlias

from sandbox.calls.fault_kinds import DISTRIBUTIONS, KINDS, REASONS, REJECTION_CODES
from sandbox.wire import JsonObject

DELAY_MAX_S = 600
OUTAGE_MAX_S = 600
PACE_MAX = 1_000_000
SIGMA_MAX = 5
FAULTS_MAX = 1_000


class FaultError(ValueError):
    """A fault that cannot be; `field` is what is wrong with it."""

    def __init__(self, field_name: str, message: str) -> None:
        super().__init__(f"{field_name} {message}")
        self.field = field_name


@dataclass(slots=True, kw_only=True)
class Fault:
    kind: str
    path: str = "/v?/*"
    """A pattern; `*` stands for anything."""
    method: str = "*"
    account: str = "*"
    share: float = 1.0
    seed: int = 1
    times: int | None = None
    """How often it may still strike; None is forever."""
    reason: str | None = None
    """Of `rate_limited`: the value of Stripe-Rate-Limited-Reason; None sends no such header."""
    code: str = "meter_event_customer_not_found"
    """Of `rejected_later`."""
    delay_s: float = 0.0
    distribution: str = "fixed"
    sigma: float = 0.5
    delay_max_s: float = DELAY_MAX_S
    bytes_per_s: int = 50
    for_s: float = 1.0
    id: str = ""
    struck: int = 0
    _chances: dict[str, Random] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name, accepted in (("kind", KINDS), ("distribution", DISTRIBUTIONS), ("code", REJECTION_CODES)):
            _check_choice(name, getattr(self, name), tuple(accepted))
        if self.reason is not None:
            _check_choice("reason", self.reason, REASONS)
        for name in ("path", "method", "account"):
            if not isinstance(getattr(self, name), str):
                raise FaultError(name, "must be a string")
        for name, lowest, highest in NUMBERS:
            _check_number(name, getattr(self, name), lowest, highest=highest)
        for name in ("seed", "bytes_per_s") + (() if self.times is None else ("times",)):
            if isinstance(getattr(self, name), bool) or not isinstance(getattr(self, name), int):
                raise FaultError(name, "must be a whole number")
        if self.times is not None and self.times < 0:
            raise FaultError("times", "must not be negative")

    def strikes(self, *, method: str, path: str, account: str) -> bool:
        is_meant = fnmatchcase(path, self.path) and fnmatchcase(method, self.method)
        if not is_meant or not fnmatchcase(account, self.account) or self.times == 0:
            return False
        if self._chance(account).random() >= self.share:
            return False
        self.times = None if self.times is None else self.times - 1
        self.struck += 1
        return True

    def drawn_delay_s(self, account: str) -> float:
        chance = self._chance(account)
        match self.distribution:
            case "uniform":
                drawn = chance.uniform(0, self.delay_s)
            case "exponential":
                drawn = chance.expovariate(1 / self.delay_s) if self.delay_s else 0.0
            case "lognormal":
                drawn = chance.lognormvariate(log(self.delay_s), self.sigma) if self.delay_s else 0.0
            case _:
                drawn = self.delay_s
        return min(drawn, self.delay_max_s)

    def render(self) -> JsonObject:
        """Whom it strikes and how often, and of its own fields those that its kind knows."""
        names = (
            "id",
            "kind",
            "path",
            "method",
            "account",
            "share",
            "seed",
            "times",
            "struck",
            *KINDS[self.kind].fields,
        )
        return {name: getattr(self, name) for name in names}

    def _chance(self, account: str) -> Random:
        if account not in self._chances:
            self._chances[account] = Random(f"{self.seed}/{account}")  # noqa: S311 - reproducible on purpose
        return self._chances[account]


NUMBERS = (
    ("share", 0, 1),
    ("delay_s", 0, DELAY_MAX_S),
    ("delay_max_s", 0, DELAY_MAX_S),
    ("for_s", 0, OUTAGE_MAX_S),
    ("bytes_per_s", 1, PACE_MAX),
    ("sigma", 0, SIGMA_MAX),
)
Drawn: TypeAlias = dict[str, Fault]
"""The faults that strike one call, by kind."""


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._number = 0

    def add(self, fault: Fault) -> None:
        if len(self._faults) >= FAULTS_MAX:
            raise FaultError("kind", f"is one too many: there are {FAULTS_MAX} faults")
        self._number += 1
        fault.id = f"fault_{self._number}"
        self._faults.append(fault)

    def clear(self, account: str | None = None) -> None:
        self._faults = [fault for fault in self._faults if account not in (None, fault.account)]

    def remove(self, identity: str) -> bool:
        """Whether there was one of this id."""
        left = [fault for fault in self._faults if fault.id != identity]
        was_there = len(left) < len(self._faults)
        self._faults = left
        return was_there

    def drawn(self, *, method: str, path: str, account: str) -> Drawn:
        if not self._faults:
            return {}
        struck = (fault for fault in self._faults if fault.strikes(method=method, path=path, account=account))
        return {fault.kind: fault for fault in struck}

    def render(self) -> list[JsonObject]:
        return [fault.render() for fault in self._faults]


def _check_choice(name: str, value: object, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise FaultError(name, f"must be one of {', '.join(accepted)}")


def _check_number(name: str, value: object, lowest: float, *, highest: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        raise FaultError(name, f"must be a number within {lowest} and {highest}")
