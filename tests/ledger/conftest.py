"""A ledger without Stripe: meters, edges and rows are told to it directly."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from meterpost.rows import BadRow, UsageRow
from service.corrections import Correction
from service.ledger import Ledger, accounts, intake, sealing
from service.ledger.actions import Order
from service.ledger.answers import Answer, Ordered
from service.ledger.desk import DeadLetter, Wanted, dead_letters
from service.ledger.intake import Intake
from service.ledger.remedies import NO_CORRECTION, discard, retry
from service.letters import read_letter_id
from service.meters import Meter
from service.timing import FAST

ADA = Order(actor="ada", reason="because")
TIMING = replace(FAST, seal_linger_s=0)
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)


@dataclass
class Books:
    """The ledger, and shorthand for what is told to it."""

    ledger: Ledger
    hour: datetime = HOUR
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ask(self, question: str, *parameters: Any) -> list[Any]:
        with self.ledger.transaction() as tx:
            found = tx.execute(question.encode(), parameters or None).fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    def write(self, statement: str, *parameters: Any) -> int:
        with self.ledger.transaction() as tx:
            return tx.execute(statement.encode(), parameters or None).rowcount

    def customer(self) -> str:
        """One of whom nothing is known yet."""
        return f"cus_{next(self.numbers)}"

    def meter(self, name: str = "tokens", *, formula: str = "sum", **more: Any) -> Meter:
        told: dict[str, Any] = {
            "stripe_id": f"mtr_{name}",
            "customer_key": "stripe_customer_id",
            "value_key": "value",
            "event_time_window": None,
            "is_active": True,
        }
        meter = Meter(event_name=name, formula=formula, **{**told, **more})
        with self.ledger.transaction() as tx:
            sealing.put_meters(tx, "default", [meter])
        return meter

    def row(self, customer: str, value: int | str | Decimal, *, at: datetime | int, meter: str = "tokens") -> UsageRow:
        """A row; `at` may be given in seconds after `hour`."""
        return UsageRow(
            account="default",
            source="app",
            row_id=f"row-{next(self.numbers)}",
            customer=customer,
            meter=meter,
            value=Decimal(value),
            occurred_at=at if isinstance(at, datetime) else self.hour + timedelta(seconds=at),
            is_time_told=True,
        )

    def record(self, *rows: UsageRow) -> Intake:
        with self.ledger.transaction() as tx:
            return intake.record(tx, rows, [], messages=1, timing=TIMING)

    def edges(self, customer: str, *seconds: int, meter: str = "tokens") -> None:
        """Billing periods begin so many seconds after `hour`."""
        for second in seconds:
            self.write(
                "INSERT INTO period_edge VALUES ('default', %s, %s, %s) ON CONFLICT DO NOTHING",
                customer,
                meter,
                self.hour + timedelta(seconds=second),
            )

    def seal(self, *customers: str) -> int:
        """Seal what is due of all lanes, or of these customers'. Returns how many meter events that made."""
        lane_ids = self.ask("SELECT lane_id FROM lane WHERE %s OR customer = ANY(%s)", not customers, list(customers))
        with self.ledger.transaction() as tx:
            return sealing.seal(tx, lane_ids, timing=TIMING)[0].meter_events

    def sent(self, *columns: str) -> list[Any]:
        """These columns of all meter events, by the time that Stripe is told."""
        return self.ask(f"SELECT {', '.join(columns)} FROM meter_event ORDER BY stamped_at, meter_event_id")


@pytest.fixture
def books(warm_ledger: Ledger) -> Books:
    with warm_ledger.transaction() as tx:
        accounts.pin_account(tx, "default", stripe_account="acct_1", is_live=False)
    return Books(warm_ledger)


@pytest.fixture
def a_meter_event(books: Books) -> Callable[..., int]:
    """Makes a sealed meter event of a lane of its own, and moves it by the steps named; returns its id."""

    def make(*states: str) -> int:
        customer = books.customer()
        books.meter()
        books.record(books.row(customer, 1, at=0))
        books.seal(customer)
        (made,) = books.ask("SELECT max(meter_event_id) FROM meter_event")
        for state in states:
            move(books, made, state)
        return int(made)

    return make


def move(books: Books, meter_event_id: int, state: str) -> None:
    is_due = state in {"sealed", "unknown"}
    books.write(
        "UPDATE meter_event SET state = %s, reason = 'a test says so', due_at = CASE WHEN %s THEN ledger_now() END"
        " WHERE meter_event_id = %s",
        state,
        is_due,
        meter_event_id,
    )


@pytest.fixture
def an_open_attempt(books: Books) -> Callable[[int], int]:
    """Writes down a call about a meter event."""

    def write(meter_event_id: int) -> int:
        return books.write(
            "INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence)"
            " SELECT lane_id, meter_event_id, 1, 'key', 1 FROM meter_event WHERE meter_event_id = %s",
            meter_event_id,
        )

    return write


@dataclass(frozen=True)
class Desk:
    """The desk over these books, at which Ada sits."""

    books: Books

    def letters(self, **wanted: Any) -> list[DeadLetter]:
        with self.books.ledger.transaction() as tx:
            return dead_letters(tx, Wanted(**wanted))

    def classes(self) -> list[str]:
        return [one.class_ for one in self.letters()]

    def retried(self, letter: str, correction: Correction = NO_CORRECTION) -> Answer:
        with self.books.ledger.transaction() as tx:
            ordered = Ordered(tx=tx, letter=read_letter_id(letter), order=ADA)
            return retry(ordered, correction=correction, timing=FAST)

    def discarded(self, letter: str) -> Answer:
        with self.books.ledger.transaction() as tx:
            return discard(Ordered(tx=tx, letter=read_letter_id(letter), order=ADA))

    def quarantine(self, raw: bytes, *, field: str = "value", reason: str = "is a float") -> str:
        bad = BadRow(raw=raw, row_id="r1", field=field, reason=reason, sent_at=datetime.now(UTC))
        with self.books.ledger.transaction() as tx:
            intake.record(tx, [], [bad], messages=1, timing=FAST)
        return f"q-{self.books.ask('SELECT max(quarantine_id) FROM quarantine')[0]}"

    def conflict(self) -> str:
        first = self.books.row("cus_1", 1, at=0)
        self.books.record(first, replace(first, value=Decimal(2)))
        return f"rc-{self.books.ask('SELECT conflict_id FROM row_conflict')[0]}"

    def failed_event(self) -> str:
        self.books.write(
            "INSERT INTO event (account, event_id, type, is_live, created_at, body, state, due_at, failures, reason)"
            " VALUES ('default', 'evt_1', 'invoice.created', false, ledger_now(), '', 'failed', NULL, 10, 'no field')"
        )
        return "ev-evt_1"

    def actions(self) -> list[Any]:
        return self.books.ask("SELECT verb, subject, state_before, state_after FROM operator_action ORDER BY action_id")


@pytest.fixture
def desk(books: Books) -> Desk:
    return Desk(books)
