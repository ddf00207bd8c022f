"""What the cases came to, by step; and, of what is wrong, what its processes said."""

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from chaos.crashes.cases import Ending

SAID_MAX = 3_000  # characters of a failed case's log, from its end
SHOWN_MAX = 5  # failed cases told at length; the rest by name
COLUMNS = ("step", "points", "cases", "crashed", "drained", "lost", "extra", "breaches", "wrong")


def show(endings: Sequence[Ending], *, unplayed: int, seconds: float) -> None:
    console, table = Console(width=110, soft_wrap=True), Table(*COLUMNS)
    steps = list(dict.fromkeys(ending.case.step for ending in endings))
    for step in sorted(steps):
        table.add_row(*_line(step, [ending for ending in endings if ending.case.step == step]))
    table.add_section()
    table.add_row(*_line("all", endings))
    console.print(table)
    wrong = [ending for ending in endings if ending.wrongs]
    for ending in wrong:
        console.print(f"{ending.case}: {'; '.join(ending.wrongs)}", markup=False)
    for ending in wrong[:SHOWN_MAX]:
        console.print(f"--- {ending.case}\n{ending.said[-SAID_MAX:]}", markup=False, highlight=False)
    points = len({ending.case.point for ending in endings})
    console.print(f"{points:,} crash points, {len(endings):,} cases in {seconds:.0f} s, {len(wrong):,} wrong")
    if unplayed:
        console.print(f"{unplayed:,} cases were not played: a lane ended before them")
    console.print("WRONG: see above" if wrong or unplayed else "Nothing lost, nothing doubled, nothing left lying.")


def _line(name: str, endings: Sequence[Ending]) -> list[str]:
    return [
        name,
        str(len({ending.case.point for ending in endings})),
        str(len(endings)),
        str(sum(ending.has_crashed for ending in endings)),
        str(sum(ending.has_drained for ending in endings)),
        str(sum(Decimal(ending.lost) for ending in endings)),
        str(sum(Decimal(ending.extra) for ending in endings)),
        str(sum(ending.breaches for ending in endings)),
        str(sum(bool(ending.wrongs) for ending in endings)),
    ]
