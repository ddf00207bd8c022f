"""The plan of a run: which fault after which batches, a function of the seed alone.

The order of faults and the batches between them are the same in every run of a seed, and so are the draws of each fault
(which of several processes it strikes, for how long). What they meet is real: where exactly a process stands when it is
killed, and which call an armed fault strikes, is decided by the machine, and differs from run to run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

TIMES_MIN = 3  # of every kind
TAIL_SHARE = 0.04  # of the batches comes after the last fault, for the faults that wait for a call to strike

KILLS = {  # kind → how often it is drawn among the kills; a server's crash is rare, so that there is time between two
    "kill record": 24,
    "kill seal": 24,
    "kill dispatch": 16,
    "kill submit": 40,
    "kill reconcile": 24,
    "kill apply": 16,
    "kill producer": 12,
    "kill web": 2,
    "kill redis": 1,
    "kill postgres": 1,
    "kill a backend": 1,
}
STOPS = ("freeze submit", "freeze record")
SERVERS = ("forget the wake-ups", "terminate a backend")
WIRES = (
    "lose a reply of stripe",
    "lose a reply to a publish",
    "lose a reply to a claim",
    "lose a reply to a commit",
    "cut the wires to stripe",
    "cut the wires to redis",
    "cut the wires to postgres",
    "slow wire to stripe",
    "slow wire to redis",
    "slow wire to postgres",
)
SANDBOX = (
    "rate_limited",
    "unauthorized",
    "lock_timeout",
    "conflict",
    "error_before",
    "error_kept",
    "error_after",
    "bad_gateway_before",
    "bad_gateway_after",
    "connection_reset",
    "reply_lost",
    "truncated",
    "slow_drip",
    "latency",
)
WEBHOOKS = ("duplicate", "delay", "shuffle")
KINDS = (
    *KILLS,
    *STOPS,
    *SERVERS,
    *WIRES,
    *(f"stripe: {kind}" for kind in SANDBOX),
    *(f"webhook: {kind}" for kind in WEBHOOKS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Publish these batches, and while they are on their way let this happen."""

    number: int
    batches: tuple[int, ...]
    kind: str
    draw: int  # the seed of what the fault itself leaves to chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    steps: tuple[Step, ...]
    tail: tuple[int, ...]  # batches after the last step


def make_plan(seed: int, *, batches: int, faults: int, kills: int) -> Plan:
    """Every kind at least TIMES_MIN times, `kills` or more of them kills, in an order drawn from the seed.

    Raises ValueError where so few faults cannot be that.
    """
    chance = Random(seed)
    kinds = [kind for kind in KINDS for _ in range(TIMES_MIN)]
    more_kills = max(0, kills - TIMES_MIN * len(KILLS))
    rest = faults - len(kinds) - more_kills
    if rest < 0:
        raise ValueError(
            f"at least {len(kinds) + more_kills} faults are wanted: {TIMES_MIN} of each kind, and the kills"
        )
    kinds += chance.choices(list(KILLS), weights=list(KILLS.values()), k=more_kills)
    kinds += chance.choices(KINDS, k=rest)
    chance.shuffle(kinds)
    before_tail = batches - round(batches * TAIL_SHARE)
    cuts = [before_tail * number // faults for number in range(faults + 1)]
    return Plan(
        steps=tuple(
            Step(
                number=number,
                batches=tuple(range(cuts[number], cuts[number + 1])),
                kind=kind,
                draw=chance.randrange(2**32),
            )
            for number, kind in enumerate(kinds)
        ),
        tail=tuple(range(before_tail, batches)),
    )


def by_kind(steps: Sequence[Step]) -> dict[str, int]:
    """How often each kind is played."""
    return {kind: sum(step.kind == kind for step in steps) for kind in KINDS}
