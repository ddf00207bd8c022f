"""What the demo shows while it runs: one line a step, what waits there and what is through, and how far all of it is.

The lines are the steps in the order of a row's path, the same ones from the first second to the last, so that the eye
finds a step where it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich import box
from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from service.ledger.overview import Standing

BAR_WIDTH = 40
ANSWERED = ("accepted", "confirmed", "refused", "held", "conflict")  # meter events that Stripe has answered
MADE = ("sealed", "unknown", *ANSWERED)
RECORDED = ("recorded", "duplicate", "quarantined", "conflict")  # what became of a row that was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at everything: the ledger's standings, and how many rows the producer has sent."""

    standings: Sequence[Standing]
    now: datetime
    sent: int
    is_all_sent: bool

    def count(self, step: str, *states: str) -> int:
        return sum(one.count for one in self.standings if one.step == step and one.state in states)

    @property
    def told(self) -> int:
        """Rows that the ledger has heard of, duplicates and bad ones included."""
        return self.count("record", *RECORDED)

    @property
    def queued(self) -> int:
        """Rows on the queue; the count of what is sent may lag a moment behind what is recorded."""
        return max(0, self.sent - self.told)

    @property
    def unsettled(self) -> dict[str, int]:
        """What is still on its way, by step; empty at the end."""
        waiting = {
            "rows to record": self.queued,
            "rows to seal": self.count("seal", "unsealed"),
            "meter events to send": self.meter_events("sealed", "unknown"),
            "meter events to confirm": self.meter_events("accepted"),
        }
        return {name: count for name, count in waiting.items() if count}

    @property
    def is_settled(self) -> bool:
        return self.is_all_sent and not self.unsettled

    def meter_events(self, *states: str) -> int:
        return self.count("submit", *states) + self.count("reconcile", *states)

    def oldest_s(self, *states: str) -> int | None:
        since = [one.since for one in self.standings if one.state in states and one.count and one.since]
        return max(0, int((self.now - min(since)).total_seconds())) if since else None


def view(look: Look, *, elapsed_s: float, notes: Sequence[str]) -> Group:
    """The steps, a bar of what Stripe has confirmed, and what was done to it on the way."""
    return Group(_steps(look), _bar(look, elapsed_s=elapsed_s), *(Text(f"  {note}", style="yellow") for note in notes))


def _steps(look: Look) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("step", style="bold", min_width=10)
    table.add_column("makes", min_width=28, no_wrap=True)
    for name in ("waiting", "done", "oldest"):
        table.add_column(name, justify="right", min_width=8, no_wrap=True)
    meter_events = look.meter_events
    lines = (
        ("publish", "a call → rows on the queue", "", look.sent, None),
        ("record", "rows → entries in the ledger", look.queued, look.told, None),
        ("seal", "entries → meter events", look.count("seal", "unsealed"), meter_events(*MADE), ("unsealed",)),
        ("submit", "meter events → Stripe", *_of_submit(look), ("sealed", "unknown")),
        ("reconcile", "accepted → confirmed", meter_events("accepted"), meter_events("confirmed"), ("accepted",)),
        ("apply", "webhooks → effects", look.count("apply", "received"), _events_done(look), ("received",)),
    )
    for step, makes, waiting, done, states in lines:
        table.add_row(step, makes, _number(waiting), _number(done), _age(look, states))
    return table


def _of_submit(look: Look) -> tuple[int, int]:
    return look.meter_events("sealed", "unknown"), look.meter_events(*ANSWERED)


def _events_done(look: Look) -> int:
    return look.count("apply", "applied", "ignored", "failed")


def _number(count: int | str) -> str:
    return count if isinstance(count, str) else f"{count:,}"


def _age(look: Look, states: Sequence[str] | None) -> str:
    age_s = look.oldest_s(*states) if states else None
    return "" if age_s is None else f"{age_s} s"


def _bar(look: Look, *, elapsed_s: float) -> Table:
    made, confirmed = look.meter_events(*MADE), look.meter_events("confirmed")
    line = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(1, made), completed=confirmed, width=BAR_WIDTH)
    line.add_row("", bar, f"{elapsed_s:.0f} s, {confirmed:,} of {made:,} confirmed")
    return line
