"""One case: a fresh place, a scenario in forked children until one dies at the point, and the judgement of the rest.

The process that forks has imported everything and opened nothing, so that a child costs milliseconds and inherits
neither threads nor connections. Each child that must live says what it found in a file.
"""

import gc
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from chaos.calls import CallLog
from chaos.crashes.ground import ACCOUNT, Ground
from chaos.crashes.place import VISIBILITY_TIMEOUT_S, Place
from chaos.crashes.points import SCENARIO_OF, TIMES
from chaos.crashes.scenarios import SCENARIOS, Scenario
from chaos.crashes.stories import nothing
from chaos.judge import judge
from local.parent import PARENT_VARIABLE, end_with_parent
from service.crash_points import CrashPointReached, Kind, arm

CHILD_S_MAX = 60  # a child that takes longer is ended, and its case has failed
NOT_REACHED, BROKEN = 3, 4
WAITS = [timedelta(seconds=s) for s in (0, *[10] * 8, 60, 60, 600, 3_600, 93_600, 1_860, 93_600)]  # until all is done
UNACKED = "messages unacked"
LEFT = """
SELECT 'entries without a meter event', count(*) FROM entry WHERE meter_event_id IS NULL
UNION ALL SELECT 'bells', count(*) FROM unsealed
UNION ALL SELECT 'open attempts', count(*) FROM attempt WHERE ended_at IS NULL
UNION ALL SELECT 'meter events under way', count(*) FROM meter_event
    WHERE state IN ('sealed', 'unknown', 'accepted', 'held')
UNION ALL SELECT 'signups under way', count(*) FROM signup WHERE state IN ('due', 'unknown', 'held')
UNION ALL SELECT 'open calls of signups', count(*) FROM signup_attempt WHERE ended_at IS NULL
UNION ALL SELECT 'copies too many', count(*) FROM surplus WHERE ended_at IS NULL
UNION ALL SELECT 'late readings', count(*) FROM confirmed_hour AS h
    WHERE due_at IS NOT NULL AND (accepted_at < ledger_now() - interval '1 hour' OR EXISTS (
        SELECT FROM meter_event AS m  -- a late answer began the turns of its hour anew
        WHERE (m.lane_id, date_bin('1 hour', m.stamped_at, 'epoch')) = (h.lane_id, h.hour)
            AND m.accepted_at < h.accepted_at - interval '1 hour'
    ))
UNION ALL SELECT 'customers unread', count(*) FROM unread_customer
UNION ALL SELECT 'drafts held', count(*) FROM draft_hold WHERE ended_at IS NULL
UNION ALL SELECT 'events to be applied', count(*) FROM event WHERE state = 'received'
"""
FACTS = """
SELECT state, count(*) FROM meter_event GROUP BY state
UNION ALL SELECT 'generations', count(*) FROM generation
UNION ALL SELECT 'copies cancelled', count(*) FROM surplus WHERE ending = 'cancelled'
UNION ALL SELECT 'quarantined', count(*) FROM quarantine
UNION ALL SELECT 'row conflicts', count(*) FROM row_conflict
UNION ALL SELECT 'events ' || state, count(*) FROM event GROUP BY state
UNION ALL SELECT 'errors joined', count(*) FROM error_sample WHERE meter_event_id IS NOT NULL
UNION ALL SELECT 'events never pushed', count(*) FROM event WHERE deliveries = 0 AND missed_at IS NOT NULL
UNION ALL SELECT 'lists with a gap', count(DISTINCT stream) FROM event_gap
UNION ALL SELECT 'subscriptions active', count(*) FROM subscription WHERE status = 'active'
UNION ALL SELECT 'signups created', count(*) FROM signup WHERE state = 'created'
UNION ALL SELECT 'alarms', count(*) FROM alarm
UNION ALL SELECT 'alarm posts taken', count(*) FROM alarm_post WHERE taken_at IS NOT NULL
UNION ALL SELECT 'drafts ' || ending, count(*) FROM draft_hold WHERE ended_at IS NOT NULL GROUP BY ending
UNION ALL SELECT 'retries', count(*) FROM operator_action WHERE verb = 'retry'
UNION ALL SELECT 'discards', count(*) FROM operator_action WHERE verb = 'discard'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    point: str
    kind: Kind
    nth: int = 1

    @property
    def scenario(self) -> Scenario:
        return SCENARIOS[SCENARIO_OF[self.point]]

    @property
    def step(self) -> str:
        return self.point.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.point}:{self.kind}:{self.nth}"


@dataclass(slots=True, kw_only=True)
class Ending:
    """How a case ended. `said` is the log of its processes, kept where something is wrong."""

    case: Case
    has_crashed: bool = False
    has_drained: bool = False
    lost: str = "0"
    extra: str = "0"
    breaches: int = 0
    wrongs: list[str]
    said: str = ""


def cases(*, only: str = "", kinds: tuple[Kind, ...] = tuple(Kind)) -> list[Case]:
    return [
        Case(point=point, kind=kind, nth=nth)
        for point in SCENARIO_OF
        if only in point
        for nth in range(1, TIMES.get(point, 1) + 1)
        for kind in kinds
    ]


def play(case: Case, ground: Ground) -> Ending:
    """Begin, die, let the rest go on, judge."""
    with ground.fresh(is_migrated=case.scenario.is_migrated) as env:
        return _Play(case, env=env, files=ground.files).play()


def tether() -> None:
    """A forked process ends with the one that forked it."""
    os.environ[PARENT_VARIABLE] = "1"
    end_with_parent()


class _Play:
    def __init__(self, case: Case, *, env: dict[str, str], files: Path) -> None:
        self._case = case
        self._env = env
        self._notes = files / "notes.json"
        self._found = files / "found.json"
        self._log = files / "log"
        self._imported = files / "imported"
        for file in (self._notes, self._found, self._log):
            file.unlink(missing_ok=True)

    def play(self) -> Ending:
        scenario, ending = self._case.scenario, Ending(case=self._case, wrongs=[])
        died = [self._in_child(scenario.begin) == 0]
        for point in scenario.deaths:
            died.append(self._in_child(partial(_die, point=point)) == -signal.SIGKILL)
            died.append(self._in_child(lambda place: place.pass_time(scenario.between)) == 0)
        if scenario.then is not nothing:
            died.append(self._in_child(scenario.then) == 0)
        if not all(died):
            ending.wrongs.append("what should have been before did not come about")
        ended = self._in_child(self._act)
        ending.has_crashed = ended == (-signal.SIGKILL if self._case.kind is Kind.KILL else 0)
        if not ending.has_crashed:
            ending.wrongs.append(
                "the crash point was not reached" if ended == NOT_REACHED else f"its process ended with {ended}"
            )
        if self._in_child(self._end) == 0:
            ending = replace(ending, **self._judged(ending))
        else:
            ending.wrongs.append("the remaining steps failed")
        if ending.wrongs:
            ending.said = self._log.read_text()
        return ending

    def _act(self, place: Place) -> None:
        armed = arm(self._case.point, self._case.kind, nth=self._case.nth)
        try:
            self._case.scenario.act(place)
        except CrashPointReached:
            return
        if not armed.has_fired:
            sys.exit(NOT_REACHED)

    def _end(self, place: Place) -> None:
        """What others do, then every step until nothing is left; and what is found then."""
        self._case.scenario.end(place)
        for wait in WAITS:
            place.pass_time(wait)
            place.walk()
            if not (left := _left(place)):
                break
            if UNACKED in left:
                threading.Event().wait(VISIBILITY_TIMEOUT_S)  # the broker's clock is the one that nobody can move
        verdict = judge(
            place.notes.sums(),
            database_url=place.database_url,
            calls=CallLog(sandbox_url=self._env["STRIPE_API_BASE"], account=ACCOUNT),
        )
        wrongs = [f"left: {what}: {count}" for what, count in left.items()]
        wrongs += [*verdict.wrongs(), *_other_facts(place, self._case.scenario)]
        found = {"lost": str(verdict.lost), "extra": str(verdict.extra), "breaches": len(verdict.breaches)}
        self._found.write_text(json.dumps({**found, "wrongs": wrongs, "has_drained": not left}))

    def _judged(self, ending: Ending) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._found.read_text())
        return found | {"wrongs": [*ending.wrongs, *found["wrongs"]]}

    def _in_child(self, act: Callable[[Place], None]) -> int:
        """How a child ended that did this: its exit code, or minus the signal."""
        self._inherit()
        pid = os.fork()
        if pid == 0:
            os._exit(self._live(act))
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _inherit(self) -> None:
        """What one child imported, the next ones find; and none of it is copied by looking for garbage."""
        if self._imported.exists():
            for name in self._imported.read_text().split():
                with suppress(ImportError):  # some are made and not found
                    import_module(name)
            self._imported.unlink()
        gc.freeze()

    def _live(self, act: Callable[[Place], None]) -> int:
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        tether()
        signal.alarm(CHILD_S_MAX)
        inherited = set(sys.modules)
        try:
            place = Place(env=self._env, file=self._notes)
            act(place)
            place.keep_notes()
            place.close()
            if imported := sys.modules.keys() - inherited:
                self._imported.write_text("\n".join(imported))
        except SystemExit as left:
            return int(left.code or 0)
        except BaseException:  # noqa: BLE001 — told in the case's log, and by the exit code
            traceback.print_exc()
            return BROKEN
        return 0


def _die(place: Place, *, point: str) -> None:
    arm(point, Kind.KILL)
    place.walk()


def _left(place: Place) -> dict[str, int]:
    left = {str(what): int(count) for what, count in place.behind.execute(LEFT) if count}
    depth = asdict(place.queue.depth())
    return left | {f"messages {name}": count for name, count in depth.items() if name != "oldest_sent_at" and count}


def _other_facts(place: Place, scenario: Scenario) -> list[str]:
    facts: dict[str, int] = dict(place.behind.execute(FACTS).fetchall()) | dict(scenario.seen(place))
    return [
        f"{name}: {count} are wanted, {facts.get(name, 0)} are there"
        for name, count in scenario.facts.items()
        if facts.get(name, 0) != count
    ]
