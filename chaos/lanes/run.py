"""Three phases of a half-minute each: nothing wrong, lock timeouts, and 429s that come whatever the rate."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from chaos.lanes.figures import LIMIT, LOCK, Figures, figures
from chaos.lanes.place import Place, place
from chaos.lanes.stalls import Stalls

HOT = 250  # meter events of the hot lane in a phase: more than a turn takes
WAVES, WAVE_S = 5, 1.5  # after the crowd, cold lanes come one by one while the hot one is in the middle of a turn
OF_A_WAVE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    name: str
    each_max: int  # meter events of a cold lane
    fault: dict[str, object] | None = None


PHASES = (
    Phase(name="plain", each_max=2),
    Phase(name="5 % lock_timeout", each_max=1, fault={"kind": LOCK, "share": 0.05}),
    Phase(
        name="30 % of the limiter",
        each_max=2,
        fault={"kind": LIMIT, "share": 0.3, "reason": "endpoint-rate"},
    ),
)


@dataclass(slots=True)
class Logs:
    """How often the processes have said a thing since they were last asked."""

    log_dir: Path
    read: dict[str, int] = field(default_factory=dict)

    def count(self, event: str) -> int:
        total = sum(log.read_text().count(f'"{event}"') for log in self.log_dir.glob("submit*.log"))
        before, self.read[event] = self.read.get(event, 0), total
        return total - before


def run(seed: int, *, log_dir: Path, tell: Callable[[str], None]) -> list[Figures]:
    chance, logs = Random(seed), Logs(log_dir)
    found: list[Figures] = []
    with place(log_dir) as here:
        for phase in PHASES:
            stall_s = max((one.stall_s_max for one in found), default=0.0)
            found.append(_phase(phase, here, chance=chance, logs=logs, tell=tell, stall_s=stall_s))
    return found


def _phase(
    phase: Phase, here: Place, *, chance: Random, logs: Logs, tell: Callable[[str], None], stall_s: float
) -> Figures:
    """`stall_s` is the longest of the phases before: the auditor's busiest second is of the whole run so far."""
    tell(f"{phase.name} …")
    if phase.fault is not None:
        here.fault(**{"seed": chance.randrange(2**31), **phase.fault})  # type: ignore[arg-type]  # its kind is in it
    hot, cold = here.customers[0], here.customers[1:]
    chance.shuffle(cold)
    late = [cold.pop() for _ in range(WAVES * OF_A_WAVE)]
    here.seal_a_crowd({hot: HOT} | {customer: chance.randint(1, phase.each_max) for customer in cold}, chance)
    since = here.ask("SELECT ledger_now()")[0][0]
    with Stalls(here.url) as stalls:
        is_drained = _live(here, late, chance=chance)
    here.heal()
    return figures(
        phase.name,
        here,
        since=since,
        fault=str((phase.fault or {}).get("kind", "none")),
        slowed=logs.count("limiter.slowed"),
        is_drained=is_drained,
        stall_s_max=max(stall_s, round(stalls.longest_s, 2)),
    )


def _live(here: Place, late: list[str], *, chance: Random) -> bool:
    """Cold lanes come in waves; whether everything was sent in the end."""
    for wave in range(WAVES):
        threading.Event().wait(WAVE_S)
        here.publish(dict.fromkeys(late[wave * OF_A_WAVE : (wave + 1) * OF_A_WAVE], 1), chance)
    return here.wait_until_sent()
