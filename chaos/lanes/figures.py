"""What a phase has shown, by the auditor's books and by the attempts, and which of the claims it breaks."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from chaos.lanes.place import RATE_PER_S, Place

USED_MIN = 0.8  # of the permitted rate, while many lanes wait
MANY = 0.2  # of the cold meter events: with fewer left, those that back off may be all that is left
# Begun by the hot lane while a cold one waits: whoever had a turn goes to the end of the line, so one was leased before
# the cold lane, and the next one after it; but each takes its token by itself, so that its first call may come sooner.
HOT_TURNS_MAX = 2
LOCK, LIMIT = "lock_timeout", "rate_limited"  # the faults of the sandbox that a phase may have
ATTEMPTS = """
SELECT l.customer, a.fence, a.started_at, a.ended_at, a.outcome, a.status, coalesce(a.code, ''), a.meter_event_id
FROM attempt AS a
JOIN lane AS l USING (lane_id)
WHERE a.started_at >= %s
ORDER BY a.attempt_id
"""
DUE = """
SELECT DISTINCT m.meter_event_id, greatest(m.sealed_at, %s)
FROM meter_event AS m
JOIN attempt AS a USING (meter_event_id)
WHERE a.started_at >= %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    customer: str
    fence: int
    started_at: datetime
    ended_at: datetime
    outcome: str
    status: int | None
    code: str
    meter_event_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one phase. Rates are calls a second; `hot_turns_max` counts those that began while one cold lane waited."""

    phase: str
    fault: str  # its kind, or none
    meter_events: int
    calls: int
    in_flight_max: int
    permitted_per_s: int
    used_per_s: float
    max_in_a_second: int
    hot_turns: int
    hot_turn_s_max: float
    hot_share: float  # of the calls while many lanes waited
    cold_wait_s_max: float
    hot_turns_max: int
    limited: int
    lock_timeouts: int
    slowed: int
    doubled: int
    lost: int
    is_drained: bool
    stall_s_max: float  # how much longer than at best a call took at most: the machine's doing

    def wrongs(self) -> list[str]:
        together = self.permitted_per_s * (1 + self.stall_s_max)  # those held up by the machine arrive together
        claims = {
            "not everything was sent": self.is_drained,
            f"{self.in_flight_max} calls were in flight on one lane": self.in_flight_max == 1,
            f"only {self.used_per_s:.0f} of {self.permitted_per_s} calls a second were used, on a machine that held"
            f" processes up for as long as {self.stall_s_max} s": self.used_per_s >= USED_MIN * self.permitted_per_s,
            f"{self.max_in_a_second} calls came within a second, where {int(together)} may arrive": self.max_in_a_second
            <= together,
            f"the hot lane began {self.hot_turns_max} turns while a cold one waited": self.hot_turns_max
            <= HOT_TURNS_MAX,
            f"the limiter slowed down {self.slowed} times without a 429": self.limited > 0 or self.slowed == 0,
            "no lock_timeout was met, so that nothing is shown of them": self.lock_timeouts > 0 or self.fault != LOCK,
            "no 429 was met, so that nothing is shown of them": self.limited > 0 or self.fault != LIMIT,
            f"{self.lock_timeouts} calls met another on their lane": self.lock_timeouts == 0 or self.fault == LOCK,
            f"{self.doubled} meter events were counted twice": self.doubled == 0,
            f"{self.lost} meter events were not counted": self.lost == 0,
        }
        return [f"{self.phase}: {wrong}" for wrong, holds in claims.items() if not holds]


def figures(phase: str, here: Place, *, since: datetime, **told: Any) -> Figures:
    """`told` is what neither the ledger nor the auditor knows."""
    attempts = _attempts(here, since)
    hot = here.customers[0]
    due = dict(here.ask(DUE, since, since))
    audit = here.audit()
    crowded = _crowded(attempts, but=hot)
    turns = _turns([one for one in attempts if one.customer == hot])
    waits = _waits(attempts, due, but=hot)
    statuses = Counter((one.status, one.code == "lock_timeout") for one in attempts)
    doubled, lost = _balance(here, audit)
    return Figures(
        phase=phase,
        meter_events=len(due),
        calls=len(attempts),
        in_flight_max=audit["in_flight_max_per_lane"],
        permitted_per_s=RATE_PER_S,
        used_per_s=round(len(crowded) / max(1e-9, _length_s(crowded)), 1),
        max_in_a_second=audit["calls_per_s_max"]["meter_events"],
        hot_turns=len(turns),
        hot_turn_s_max=round(max(((end - start).total_seconds() for start, end in turns), default=0), 2),
        hot_share=round(sum(one.customer == hot for one in crowded) / max(1, len(crowded)), 3),
        cold_wait_s_max=round(max(((end - start).total_seconds() for start, end in waits), default=0), 2),
        hot_turns_max=max((sum(start < begun < end for begun, _ in turns) for start, end in waits), default=0),
        limited=statuses[429, False],
        lock_timeouts=statuses[429, True],
        doubled=doubled,
        lost=lost,
        **told,
    )


def _attempts(here: Place, since: datetime) -> list[Attempt]:
    names = ("customer", "fence", "started_at", "ended_at", "outcome", "status", "code", "meter_event_id")
    return [Attempt(**dict(zip(names, row, strict=True))) for row in here.ask(ATTEMPTS, since)]


def _crowded(attempts: list[Attempt], *, but: str) -> list[Attempt]:
    """The calls that were made while many cold lanes had something to send."""
    done = [one.customer != but and one.outcome == "accepted" for one in attempts]
    left, total = sum(done), sum(done)
    for number, is_one_less in enumerate(done):
        left -= is_one_less
        if left <= MANY * total:
            return attempts[: number + 1]
    return attempts


def _length_s(attempts: list[Attempt]) -> float:
    started = [one.ended_at for one in attempts]
    return (max(started) - min(started)).total_seconds() if started else 0.0


def _turns(attempts: list[Attempt]) -> list[tuple[datetime, datetime]]:
    """When each turn of one lane made its first call, and when its last one was answered."""
    turns: dict[int, tuple[datetime, datetime]] = {}
    for one in attempts:
        turns[one.fence] = (turns.get(one.fence, (one.started_at,))[0], one.ended_at)
    return list(turns.values())


def _waits(attempts: list[Attempt], due: dict[int, datetime], *, but: str) -> list[tuple[datetime, datetime]]:
    """From when each cold lane's oldest meter event was due to its first call."""
    first: dict[int, Attempt] = {}
    for one in attempts:
        first.setdefault(one.meter_event_id, one)
    lanes: dict[str, tuple[datetime, datetime]] = {}
    for meter_event_id, one in first.items():
        if one.customer != but and meter_event_id in due:
            lanes.setdefault(one.customer, (due[meter_event_id], one.started_at))
    return list(lanes.values())


def _balance(here: Place, audit: dict[str, Any]) -> tuple[int, int]:
    """How many meter events were counted too often, and too seldom, by customer."""
    counted = {total["customer"]: int(Decimal(total["events"])) for total in audit["totals"]}
    differences = [counted.get(customer, 0) - told for customer, told in here.told.items()]
    return sum(d for d in differences if d > 0), -sum(d for d in differences if d < 0)
