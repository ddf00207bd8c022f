"""The demo's proof: what was sent by the producer's own count beside what Stripe's side counted, and its display."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from local.demo_invoice import Invoice

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
    rows_sent: int
    rows_recorded: int
    rows_duplicate: int
    meter_events: int
    confirmed: int
    refused: int
    totals: tuple[Total, ...]
    invoice: Invoice
    ok: bool

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def show_balance(console: Console, balance: Balance, *, restarts: int, calls: Mapping[str, int]) -> None:
    """The whole proof, readable without having watched."""
    counts = Table(show_header=False, box=None)
    counts.add_column(style="bold")
    counts.add_column(justify="right")
    for name in ("rows_sent", "rows_recorded", "rows_duplicate", "meter_events", "confirmed", "refused"):
        counts.add_row(name.replace("_", " "), f"{getattr(balance, name):,}")
    console.print(counts, _totals(balance), sep="\n")
    console.print(_on_the_way(restarts, calls), highlight=False)
    console.print(_billed(balance.invoice))
    console.print("[green]Every difference is 0.[/green]" if balance.ok else "[red]The books do not agree.[/red]")


def _billed(invoice: Invoice) -> str:
    amount = f"${invoice.amount // CENTS:,}.{invoice.amount % CENTS:02} {invoice.currency.upper()}"
    return f"Invoice {invoice.number}, {invoice.status}: {invoice.units:,} units, [bold]{amount}[/bold]"


def _totals(balance: Balance) -> Table:
    table = Table(title="What each customer used, counted on both sides", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("customer", "meter"):
        table.add_column(name, no_wrap=True)  # ids are there to be copied
    for name in ("sent", "at Stripe", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    for total in balance.totals:
        table.add_row(total.customer, total.meter, f"{total.sent:,}", f"{total.stripe:,}", f"{total.difference:,}")
    return table


def _on_the_way(restarts: int, calls: Mapping[str, int]) -> str:
    answers = ", ".join(f"{status} to {count:,} calls" for status, count in sorted(calls.items()))
    match restarts:
        case 0:
            deaths = "no process died"
        case 1:
            deaths = "one process died and was started again"
        case _:
            deaths = f"{restarts} processes died and were started again"
    return f"On the way {deaths}; Stripe answered {answers}."
