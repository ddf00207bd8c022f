"""A ledger that is told of subscriptions and invoices directly, and what it knows of who bills what then."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from meterpost.rows import UsageRow
from service.ledger import Ledger, accounts, intake, mirrors, sealing
from service.ledger.connection import sql
from service.meters import Meter
from service.mirrors import Mirror, mirror
from service.timing import FAST, Timing
from service.unbilled import Unbilled

DAY = timedelta(days=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def second(days: float) -> int:
    """So many days from today's midnight, as Stripe tells an instant."""
    return int((TODAY + days * DAY).timestamp())


def item(name: str = "si_1", *, price: str = "price_1", start: float = -10, end: float = 20) -> dict[str, Any]:
    recurring = {"usage_type": "metered", "meter": "mtr_tokens"}
    period = {"current_period_start": second(start), "current_period_end": second(end)}
    return {"id": name, "price": {"id": price, "recurring": recurring}, **period}


def subscription(*items: dict[str, Any], **told: Any) -> dict[str, Any]:
    """A subscription as Stripe tells it; instants in days."""
    instants = ("start_date", "trial_start", "trial_end", "cancel_at", "ended_at")
    found = {"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active", "start_date": -10}
    found |= {"items": {"data": list(items or [item()]), "has_more": False}} | told
    return {name: second(value) if name in instants and value is not None else value for name, value in found.items()}


def line(*, price: str = "price_1", start: float, end: float, quantity: int = 0, **more: Any) -> dict[str, Any]:
    parent = {"subscription": "sub_1", "subscription_item": "si_1", "proration": False} | more
    return {
        "id": f"il_{price}_{start}",
        "amount": quantity,
        "currency": "usd",
        "quantity_decimal": str(quantity),
        "period": {"start": second(start), "end": second(end)},
        "parent": {"type": "subscription_item_details", "subscription_item_details": parent},
        "pricing": {"price_details": {"price": price}},
    }


def invoice(*lines: dict[str, Any], name: str = "in_1", status: str = "paid", at: float = 0, **more: Any) -> Any:
    return {
        "id": name,
        "object": "invoice",
        "customer": "cus_1",
        "status": status,
        "billing_reason": "subscription_cycle",
        "parent": {"subscription_details": {"subscription": "sub_1"}},
        "status_transitions": {"finalized_at": None if status == "draft" else second(at)},
        "lines": {"data": list(lines), "has_more": False},
        **more,
    }


@dataclass
class Books:
    """What the ledger was told, and shorthand for asking it. Rows are of `cus_1` and tokens, at an instant in days."""

    ledger: Ledger
    unbilled: Unbilled = Unbilled.WARN
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    timing: Timing = FAST

    def tell(self, told: Any, *, at: float, is_reading: bool = False, account: str = "default") -> None:
        """One word of Stripe's; of a reading `at` is when it was asked."""
        as_of = TODAY + at * DAY
        read = mirror(told, kind=told["object"], as_of=as_of, read_at=as_of if is_reading else None)
        assert isinstance(read, Mirror)
        with self.ledger.transaction() as tx:
            mirrors.put_mirrors(tx, account, [read])

    def stretches(self, *columns: str, account: str = "default") -> list[Any]:
        """Item, price, start and end in days from today, and these columns, by start."""
        days = "round(extract(epoch FROM {} - %s) / 86400, 3)::float"
        wanted = ["item", "price", days.format("starts_at"), days.format("ends_at"), *columns]
        question = f"SELECT {', '.join(wanted)} FROM stretch WHERE account = %s ORDER BY starts_at, item"
        return self.ask(question, TODAY, TODAY, account)

    def meter(self, formula: str = "sum") -> None:
        meter = Meter(
            stripe_id="mtr_tokens",
            event_name="tokens",
            formula=formula,
            customer_key="stripe_customer_id",
            value_key="value",
            event_time_window=None,
            is_active=True,
        )
        with self.ledger.transaction() as tx:
            sealing.put_meters(tx, "default", [meter])
            sealing.put_customer_read(tx, "default", "cus_1")

    def use(self, value: int, *, at: float, customer: str = "cus_1") -> None:
        row = UsageRow(
            account="default",
            source="app",
            row_id=f"row-{next(self.numbers)}",
            customer=customer,
            meter="tokens",
            value=Decimal(value),
            occurred_at=TODAY + at * DAY,
            is_time_told=True,
        )
        with self.ledger.transaction() as tx:
            intake.record(tx, [row], [], messages=1, timing=self.timing)

    def seal(self) -> int:
        """Everything, also what is not due yet."""
        self.write("UPDATE unsealed SET seal_at = ledger_now() WHERE NOT is_held")
        with self.ledger.transaction() as tx:
            lane_ids = [lane_id for (lane_id,) in tx.execute("SELECT lane_id FROM lane").fetchall()]
            return sealing.seal(tx, lane_ids, timing=self.timing, unbilled=self.unbilled)[0].meter_events

    def accept(self) -> None:
        """As if Stripe had taken everything just now."""
        self.write(
            "UPDATE meter_event SET state = 'accepted', due_at = NULL, accepted_at = ledger_now()"
            " WHERE state = 'sealed'"
        )

    def alarms(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        """What the question of this kind answers."""
        asked = {"account": "default", "urgent_within": timedelta(minutes=30)} | wanted
        with self.ledger.transaction() as tx:
            cursor = tx.execute(sql(f"alarming_{kind}"), asked)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def pass_days(self, days: float) -> None:
        self.write("UPDATE ledger_clock SET ahead_by = ahead_by + %s", days * DAY)

    def ask(self, question: str, *parameters: Any) -> list[Any]:
        with self.ledger.transaction() as tx:
            found = tx.execute(question.encode(), parameters or None).fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    def write(self, statement: str, *parameters: Any) -> None:
        with self.ledger.transaction() as tx:
            tx.execute(statement.encode(), parameters or None)


@pytest.fixture
def books(warm_ledger: Ledger) -> Books:
    with warm_ledger.transaction() as tx:
        accounts.pin_account(tx, "default", stripe_account="acct_1", is_live=False)
    return Books(warm_ledger)
