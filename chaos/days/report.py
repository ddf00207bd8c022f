"""What is told of a run: everything as figures for a file, and on a page what one asks first."""

from collections.abc import Mapping
from decimal import Decimal

from rich.table import Table

from chaos.days.books import Books
from chaos.days.run import Run

Figures = dict[str, object]


def figures(run: Run, books: Books) -> Figures:
    """What happened, and what came of it, by name."""
    happened = {f"steps in: {name}": count for name, count in sorted(run.stormy.items())}
    did = dict(sorted((run.mishaps.did + run.person.did).items()))
    standing = {
        f"at the end {name}": f"{count:,} ({units:,f} units)" for name, (count, units) in books.standing().items()
    }
    return {
        "days": _days(run),
        "steps of time": run.steps,
        **happened,
        **did,
        "rows": run.usage.rows,
        "meter events": books.meter_events,
        "held on the way": len(run.held),
        **{f"came when Stripe had forgotten: {fate}": count for fate, count in sorted(books.forgotten.items())},
        **{f"readings: {verdict}": count for verdict, count in books.verdicts.items()},
        "next generations": books.next_generations,
        "attempts after the window": len(books.late_attempts),
        **standing,
        **dict(books.verdict.table()),
    }


def summary(run: Run, books: Books) -> Figures:
    """A line each of what was lived through, and of what it came to."""
    longest = max(run.storms, key=lambda storm: storm.ends - storm.begins)
    return {
        "days": f"{_days(run)} in {run.steps} steps, {sum(run.stormy.values())} of them in storms",
        "longest storm": f"{(longest.ends - longest.begins).total_seconds() / 3600:.0f} h: {longest.name}",
        "killed, frozen in a call": f"{_did(run, 'killed')}, {_did(run, 'frozen')}",
        "rows": run.usage.rows,
        **dict(books.verdict.table()),
        "held on the way": len(run.held),
        "next generations": books.next_generations,
        "called after Stripe forgot": _counted(books.forgotten),
        "attempts after the window": len(books.late_attempts),
        "units before a person": sum((units for _, units in books.standing().values()), Decimal(0)),
    }


def page(of_runs: Mapping[str, Figures]) -> Table:
    """The runs side by side."""
    table = Table("", *of_runs)
    for what in next(iter(of_runs.values())):
        table.add_row(what, *(_shown(told[what]) for told in of_runs.values()))
    return table


def _days(run: Run) -> int:
    return round(run.passed.total_seconds() / 86_400)


def _did(run: Run, word: str) -> int:
    return sum(count for kind, count in run.mishaps.did.items() if kind.startswith(word))


def _counted(of_kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(of_kinds.items())) or "none"


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | Decimal) else str(value)
