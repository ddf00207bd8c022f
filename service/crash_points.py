"""Places between two effects at which a process can be made to die: for tests alone, and inert unless armed.

`crash_point("submit.before_call")` marks such a place: nothing may be lost or doubled when the process ends there.
Armed by METERPOST_CRASH_POINT=NAME:KIND[:NTH] in the environment, read once at the start, or by `arm` in a forked
child; with a live key nothing starts so (`service/settings.py`). `make crashpoints` dies at every place, in every way.
"""

import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import psycopg

VARIABLE = "METERPOST_CRASH_POINT"


class Kind(StrEnum):
    """How a process fails at a crash point."""

    KILL = "kill"  # SIGKILL: nothing more is said to anybody
    EXCEPTION = "exception"  # what a bug would raise, which no step expects
    LOST_COMMIT = "lost_commit"  # the next commit takes effect, and its answer is lost with the connection
    NO_COMMIT = "no_commit"  # the connection is lost just before the next commit, which does not take effect


class CrashPointReached(Exception):
    """Raised on purpose at an armed crash point: see METERPOST_CRASH_POINT."""


@dataclass(slots=True, kw_only=True)
class Armed:
    """The one place at which this process fails, once, at the `nth` time that it comes there."""

    name: str
    kind: Kind
    nth: int = 1
    has_fired: bool = False
    is_commit_doomed: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, name: str) -> None:
        if name == self.name and self._is_due():
            self._fail()

    def doom(self) -> bool:
        """Whether the commit that is asked about is the one that fails."""
        with self.turn:
            is_this, self.is_commit_doomed = self.is_commit_doomed, False
            self.has_fired |= is_this
            return is_this

    def _is_due(self) -> bool:
        with self.turn:
            self.nth -= 1
            return self.nth == 0

    def _fail(self) -> None:
        match self.kind:
            case Kind.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Kind.EXCEPTION:
                self.has_fired = True
                raise CrashPointReached(self.name)
            case Kind.LOST_COMMIT | Kind.NO_COMMIT:
                self.is_commit_doomed = True


def read(told: str) -> Armed | None:
    """The value of METERPOST_CRASH_POINT; empty: none. Raises ValueError."""
    if not told:
        return None
    name, _, rest = told.partition(":")
    kind, _, nth = rest.partition(":")
    with suppress(ValueError):
        return Armed(name=name, kind=Kind(kind), nth=int(nth or 1))
    raise ValueError(f"{VARIABLE}: NAME:KIND[:NTH] is wanted, and as KIND one of {', '.join(Kind)}")


_armed = read(os.environ.get(VARIABLE, ""))


def crash_point(name: str) -> None:
    """Die here if this is the armed place. Otherwise nothing, in some forty nanoseconds."""
    if _armed is not None:
        _armed.reach(name)


def arm(name: str, kind: Kind, *, nth: int = 1) -> Armed:
    """Arm this process, a child of a test. What is returned tells whether the place was reached."""
    global _armed  # noqa: PLW0603 — one a process, as the environment has it
    _armed = Armed(name=name, kind=kind, nth=nth)
    return _armed


def disarm() -> None:
    global _armed  # noqa: PLW0603
    _armed = None


def is_armed() -> bool:
    return _armed is not None


def before_statement(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """To be called before a statement that commits as it ends: loses the connection there if that is armed."""
    if _armed is not None and _armed.kind is Kind.NO_COMMIT:
        before_commit(connection)


def after_statement(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """To be called after a statement that has committed: loses its answer there if that is armed."""
    if _armed is not None and _armed.kind is Kind.LOST_COMMIT:
        before_commit(connection)


def before_commit(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """To be called where a transaction is about to commit: loses the connection there if that is armed."""
    if _armed is None or not _armed.doom():
        return
    if _armed.kind is Kind.LOST_COMMIT:
        connection.execute("COMMIT")
    connection.close()
    raise psycopg.OperationalError(f"the connection was lost at the crash point {_armed.name}")
