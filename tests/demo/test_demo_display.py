"""What the demo shows fits a narrow terminal, and says what is the case."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from local.demo_balance import Balance, Total, show_balance
from local.demo_invoice import Invoice
from local.demo_view import Look, view
from service.ledger.overview import Standing

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CUSTOMER = "cus_NffrFeUfNV2Hib"
STANDINGS = [
    Standing("reconcile", "confirmed", 466, None),
    Standing("submit", "sealed", 11, NOW - timedelta(seconds=14)),
    Standing("record", "recorded", 12_000, None),
    Standing("apply", "ignored", 8, None),
]
LOOK = Look(standings=STANDINGS, now=NOW, sent=12_006, is_all_sent=True)


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), width=80)


def _said(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_steps_stand_in_the_order_of_a_rows_path(console: Console) -> None:
    console.print(view(LOOK, elapsed_s=1.0, notes=[]))
    words = _said(console).split()
    places = [words.index(step) for step in ("publish", "record", "seal", "submit", "reconcile", "apply")]
    assert places == sorted(places)


def test_every_step_is_shown_before_anything_has_happened(console: Console) -> None:
    console.print(view(Look(standings=[], now=NOW, sent=0, is_all_sent=False), elapsed_s=0.0, notes=[]))
    assert "reconcile" in _said(console)


def test_nothing_of_the_view_is_cut_at_80_columns(console: Console) -> None:
    console.print(view(LOOK, elapsed_s=100.0, notes=["The submit worker was killed in the middle of its calls."]))
    assert "…" not in _said(console)


def test_customers_are_shown_whole_at_80_columns(console: Console) -> None:
    show_balance(console, _balance(sent=100_000_000), restarts=1, calls={"200": 483, "429": 120})
    assert CUSTOMER in _said(console)
    assert "…" not in _said(console)


def test_one_death_is_not_processes(console: Console) -> None:
    show_balance(console, _balance(sent=1), restarts=1, calls={"200": 1})
    assert "one process died" in _said(console)


def test_a_difference_is_said(console: Console) -> None:
    show_balance(console, _balance(sent=7), restarts=0, calls={"200": 1})
    assert "The books do not agree." in _said(console)


def test_what_is_on_its_way_is_named() -> None:
    assert LOOK.unsettled == {"rows to record": 6, "meter events to send": 11}
    assert not LOOK.is_settled


def test_nothing_is_settled_while_rows_are_still_sent() -> None:
    assert not Look(standings=[], now=NOW, sent=0, is_all_sent=False).is_settled


def _balance(*, sent: int) -> Balance:
    total = Total(customer=CUSTOMER, meter="api_requests", sent=sent, stripe=100_000_000, difference=sent - 100_000_000)
    return Balance(
        rows_sent=12_006,
        rows_recorded=12_003,
        rows_duplicate=3,
        meter_events=483,
        confirmed=483,
        refused=0,
        totals=(total,),
        invoice=Invoice(number="B5K7-0001", status="paid", units=1_200_000, amount=20_000, currency="usd"),
        ok=total.difference == 0,
    )
