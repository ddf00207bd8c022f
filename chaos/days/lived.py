"""A run from its beginning to what is told of it, so that it can be lived in a process of its own."""

import os
import resource
import time
from dataclasses import dataclass

from chaos.days.books import Books
from chaos.days.missed import FULL_DAYS, missed
from chaos.days.report import Figures, figures, summary
from chaos.days.run import Plan, Run, play
from local.parent import PARENT_VARIABLE, end_with_parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What is told of a run: everything, what stands on a page, and what is wrong, a sentence each."""

    told: Figures
    shown: Figures
    wrongs: list[str]


def begin_beside() -> None:
    """For the process of a run: it ends with the one that wanted it."""
    os.environ[PARENT_VARIABLE] = "1"
    end_with_parent()


def live(plan: Plan) -> Lived:
    """One run at a time in a process: it turns logging off, and its cost is the process's."""
    began, spent = time.monotonic(), _cpu_s()
    run, books = play(plan)
    cost = {"seconds": round(time.monotonic() - began), "seconds of CPU": round(_cpu_s() - spent)}
    return Lived(
        told=figures(run, books) | cost,
        shown=summary(run, books) | cost,
        wrongs=[*_missed(run, books), *books.wrongs()],
    )


def _missed(run: Run, books: Books) -> list[str]:
    if run.plan.days < FULL_DAYS:
        return []
    return missed(run.storms, steps=run.stormy, mishaps_done=run.mishaps.did, found_twice=books.found_twice)


def _cpu_s() -> float:
    """Of this process and of the children that have ended, which are the run's servers."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
