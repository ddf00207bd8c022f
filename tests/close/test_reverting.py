"""What a revert takes back of a backfill: where it counts, and nothing of what is on no invoice."""

from decimal import Decimal

import pytest

from meterpost.rows import UsageRow
from service.ledger import backfills
from service.ledger.actions import Order
from service.ledger.backfill_steps import record_some, take_back_some
from tests.close.conftest import DAY, TODAY, invoice, item, line, subscription

SECOND = 1 / 86_400
NOON = -0.5
EDGE = NOON + 122 * SECOND
END = -0.1
ORDER = Order(actor="ada", reason="a mistake of ours")
STATES = "SELECT state, reason FROM backfill_row"


def step(books, act, **more):
    with books.ledger.transaction() as tx:
        locked = backfills.lock_backfill(tx, "default", "march")
        act(tx, locked, **more)


def fill(books, value, *, at):
    """A backfill of one row, closed."""
    row = UsageRow(
        account="default",
        source="backfill/march",
        row_id="1",
        customer="cus_1",
        meter="tokens",
        value=Decimal(value),
        occurred_at=TODAY + at * DAY,
        is_time_told=True,
    )
    with books.ledger.transaction() as tx:
        backfills.open_backfill(tx, "default", "march", actor="ada")
    step(books, backfills.stage, rows=[row])
    step(books, backfills.begin, state="closing", order=ORDER)
    step(books, record_some, timing=books.timing)
    step(books, backfills.finish, state="closed")


def revert(books):
    step(books, backfills.begin, state="reverting", order=ORDER)
    step(books, take_back_some, after=-1, timing=books.timing)


def entered(books):
    """What was entered, in seconds from noon."""
    found = books.ask("SELECT value, occurred_at FROM entry WHERE source = 'meterpost'")
    return [(value, round(((at - TODAY) / DAY - NOON) * 86_400)) for value, at in found]


@pytest.mark.parametrize(("is_sealed", "second"), [(True, 0), (False, 150)], ids=["sealed", "unsealed"])
def test_a_row_that_counts_on_the_other_side_of_a_boundary_is_taken_back_where_it_counts(books, is_sealed, second):
    books.meter()
    books.tell(subscription(), at=-10)
    books.use(6, at=NOON)
    fill(books, 4, at=NOON + 150 * SECOND)
    if is_sealed:
        books.seal()
        books.tell(subscription(item(price="price_2")), at=EDGE)
        books.accept()

    revert(books)

    assert (books.ask(STATES), entered(books)) == ([("reverted", None)], [(-4, second)])


@pytest.mark.parametrize("is_sealed", [False, True], ids=["unsealed", "sealed"])
def test_what_waited_when_its_invoice_became_final_is_kept_and_not_credited_in_the_period_of_now(books, is_sealed):
    books.meter()
    books.tell(subscription(item(end=END)), at=-10)
    fill(books, 4, at=-1)
    if is_sealed:
        books.seal()
    books.tell(invoice(line(start=-10, end=END), at=END + 0.05), at=END + 0.05)
    books.tell(subscription(item(start=END, end=20)), at=END)

    revert(books)

    ((state, reason),) = books.ask(STATES)
    assert (state, entered(books)) == ("kept", [])
    assert reason == "it is on no invoice: waive it, see meterpost late list"
