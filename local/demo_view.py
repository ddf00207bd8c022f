"""What the demo shows: the steps while rows move through them, and the balance at the end."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Table

from service.ledger.overview import Standing

CENTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What one customer used of one meter: by the producer's own count, and by the sandbox's auditor."""

    customer: str
    meter: str
    sent: int
    stripe: int
    difference: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The demo's proof. `preview.amount` is in the currency's minor unit, as Stripe has it."""

    rows_sent: int
    rows_recorded: int
    rows_duplicate: int
    meter_events: int
    confirmed: int
    refused: int
    totals: tuple[Total, ...]
    preview: dict[str, int | str]
    ok: bool

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def steps_table(standings: Sequence[Standing], *, waiting: int, now: datetime, notes: Sequence[str]) -> Table:
    """One line a step: what stands there, and how old the oldest of it is."""
    table = Table(title="meterpost demo", caption="\n".join(notes), caption_justify="left", min_width=64)
    table.add_column("step")
    table.add_column("state")
    table.add_column("count", justify="right")
    table.add_column("oldest", justify="right")
    table.add_row("publish", "messages waiting", f"{waiting:,}", "")
    for standing in standings:
        age = "" if standing.since is None else f"{(now - standing.since).total_seconds():.0f} s"
        table.add_row(standing.step, standing.state, f"{standing.count:,}", age)
    return table


def show_balance(console: Console, balance: Balance, *, restarts: int, calls: dict[str, int]) -> None:
    """The whole proof, readable without having watched."""
    counts = Table(show_header=False, box=None)
    counts.add_column(style="bold")
    counts.add_column(justify="right")
    for name in ("rows_sent", "rows_recorded", "rows_duplicate", "meter_events", "confirmed", "refused"):
        counts.add_row(name.replace("_", " "), f"{getattr(balance, name):,}")
    console.print(counts)
    totals = Table(title="What each customer used, counted twice")
    for name in ("customer", "meter"):
        totals.add_column(name)
    for name in ("sent", "counted by Stripe", "difference"):
        totals.add_column(name, justify="right")
    for total in balance.totals:
        totals.add_row(total.customer, total.meter, f"{total.sent:,}", f"{total.stripe:,}", f"{total.difference:,}")
    console.print(totals)
    asked = ", ".join(f"{status} to {count:,} calls" for status, count in sorted(calls.items()))
    console.print(f"On the way: {restarts} processes died and were started again; Stripe answered {asked}.")
    amount = int(balance.preview["amount"])
    currency = str(balance.preview["currency"]).upper()
    console.print(f"Stripe's preview of the invoice: [bold]${amount // CENTS:,}.{amount % CENTS:02} {currency}[/bold]")
    console.print("[green]Every difference is 0.[/green]" if balance.ok else "[red]The books do not agree.[/red]")
