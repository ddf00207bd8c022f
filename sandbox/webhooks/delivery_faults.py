"""Faults of deliveries on demand: which events arrive twice, late, out of order, not at all, or as two events.

Drawn when an event is announced, once for each destination and never for a repeat; `twin` once for each event. The same
seed and the same events draw the same faults.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import TypeAlias

from sandbox.wire import JsonObject

SAYS = {
    "duplicate": "`copies` more arrive, `delay_s` after the first.",
    "delay": "The first attempt sets out `delay_s` late.",
    "drop": "It is lost on its way, and not repeated either.",
    "shuffle": "Deliveries are held back for `delay_s` and leave in another order.",
    "twin": "Stripe makes two events of one occurrence, each with an id of its own.",
}
KINDS = tuple(SAYS)
DELAY_MAX_S = 30 * 86_400
COPIES_MAX = 100
FAULTS_MAX = 1_000
"""A limit for a forgetful test; every event asks each of them."""
INTEGER_MAX = 2**53
NAMES = ("kind", "type", "account", "share", "seed", "times", "copies", "delay_s")


@dataclass(slots=True, kw_only=True)
class DeliveryFault:
    kind: str
    type: str = "*"
    """A pattern of event types: `invoice.*`, `v1.billing.*`."""
    account: str = "*"
    share: float = 1.0
    seed: int = 1
    times: int | None = None
    """How often it may still strike; None is forever."""
    copies: int = 1
    """Of `duplicate`: how many deliveries more."""
    delay_s: float = 0.0
    """Seconds of the sandbox's clock: of `delay`, how late; of `duplicate`, how long after the first; of `shuffle`,
    how long deliveries are held back before they leave in another order."""
    _chance: Random = field(init=False, default_factory=Random, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if not isinstance(self.type, str) or not isinstance(self.account, str):
            raise TypeError("type and account must be strings")
        self._check("share", lowest=0, highest=1)
        self._check("delay_s", lowest=0, highest=DELAY_MAX_S)
        if self.kind in {"delay", "shuffle"} and not self.delay_s:
            raise ValueError(f"{self.kind} needs delay_s: how long deliveries are held back")
        self._check("copies", lowest=1, highest=COPIES_MAX)
        if self.times is not None:
            self._check("times", lowest=0, highest=INTEGER_MAX)
        self._check("seed", lowest=-INTEGER_MAX, highest=INTEGER_MAX)
        self._chance.seed(self.seed)

    def strikes(self, *, event_type: str, account: str) -> bool:
        if self.times == 0 or not fnmatchcase(event_type, self.type) or not fnmatchcase(account, self.account):
            return False
        if self._chance.random() >= self.share:
            return False
        self.times = None if self.times is None else self.times - 1
        return True

    def in_another_order(self, count: int) -> list[int]:
        """The positions 0 to count-1, shuffled; never as they were, where that is possible."""
        positions = list(range(count))
        self._chance.shuffle(positions)
        return positions if positions != sorted(positions) else positions[::-1]

    def render(self) -> JsonObject:
        return {name: getattr(self, name) for name in NAMES}

    def _check(self, name: str, *, lowest: float, highest: float) -> None:
        value = getattr(self, name)
        accepted = (int, float) if name in {"share", "delay_s"} else int
        if isinstance(value, bool) or not isinstance(value, accepted):
            raise TypeError(f"{name} must be a number")
        if not lowest <= value <= highest:
            raise ValueError(f"{name} must lie within {lowest} and {highest}")


Drawn: TypeAlias = dict[str, DeliveryFault]
"""The faults that strike one delivery, by kind."""


class DeliveryFaults:
    def __init__(self) -> None:
        self._faults: list[DeliveryFault] = []

    def add(self, fault: DeliveryFault) -> None:
        """ValueError where there are too many already."""
        if len(self._faults) >= FAULTS_MAX:
            raise ValueError(f"there are {FAULTS_MAX} delivery faults already; clear some")
        self._faults.append(fault)

    def clear(self, account: str | None = None) -> None:
        self._faults = [fault for fault in self._faults if account not in (None, fault.account)]

    def drawn(self, *, event_type: str, account: str) -> Drawn:
        """What befalls one delivery."""
        others = (fault for fault in self._faults if fault.kind != "twin")
        return {fault.kind: fault for fault in others if fault.strikes(event_type=event_type, account=account)}

    def makes_twins(self, *, event_type: str, account: str) -> bool:
        """Whether this event is to have a second one of the same occurrence."""
        twins = [fault for fault in self._faults if fault.kind == "twin"]
        return any(fault.strikes(event_type=event_type, account=account) for fault in twins)

    def render(self) -> list[JsonObject]:
        return [fault.render() for fault in self._faults]
