"""A subscription that was made of a row is learnt by the ledger: its customer's usage is billed from then on."""

from typing import Any

import pytest

from service.unbilled import Unbilled
from tests.subscribed.conftest import Sales
from workers._watching import Watcher
from workers.seal import Sealer


def alarms(sales: Sales) -> list[Any]:
    """What is unbilled, asked as reconcile asks it a little later."""
    sales.path.write("UPDATE ledger_clock SET ahead_by = ahead_by + interval '20 s'")
    timing = sales.path.settings.timing
    Watcher(sales.path.ledger, sales.path.gateway, "default", timing=timing).watch_due()
    return sales.path.ask("SELECT customer, units FROM alarm WHERE cleared_at IS NULL AND kind = 'unbilled'")


def test_usage_behind_a_row_is_billed(sales: Sales) -> None:
    made = sales.make()
    sales.hear()
    sales.use(made.customer, 7, row_id="u1")
    assert sales.path.ask("SELECT is_unbilled FROM meter_event") == [False]
    assert alarms(sales) == []
    assert sales.path.ask("SELECT customer, is_trial, price FROM stretch") == [(made.customer, False, sales.price)]
    assert sales.path.counted() == {(made.customer, "tokens"): "7"}


def test_usage_behind_a_row_is_billed_though_no_event_came(sales: Sales) -> None:
    made = sales.make()
    sales.use(made.customer, 7, row_id="u1")
    assert sales.path.ask("SELECT is_unbilled FROM meter_event") == [False]
    assert alarms(sales) == []


def test_usage_that_nobody_billed_is_billed_by_the_row_that_comes_after_it(sales: Sales) -> None:
    customer, begun = sales.customer(), sales.now()
    sales.use(customer, 7, row_id="u1")
    before = alarms(sales)
    sales.path.pass_time(minutes=10)
    made = sales.make(customer=customer, backdate_start_date=begun.replace(second=0, minute=0))
    sales.hear()
    sales.path.pass_time(days=32)
    sales.path.reconciler.confirm_due()
    assert (before, alarms(sales)) == ([(customer, 7)], [])
    assert [invoice.total for invoice in sales.invoices(made.id)] == [7]


def test_usage_that_is_kept_back_goes_when_its_row_is_made(sales: Sales) -> None:
    timing = sales.path.settings.timing
    sales.path.sealer = Sealer(sales.path.ledger, sales.path.gateway, "default", timing=timing, unbilled=Unbilled.HOLD)
    customer, begun = sales.customer(), sales.now()
    sales.use(customer, 7, row_id="u1")
    assert sales.path.states() == {}
    sales.path.pass_time(minutes=10)
    sales.make(customer=customer, backdate_start_date=begun.replace(second=0, minute=0))
    sales.hear()
    sales.path.walk()
    assert sales.path.counted() == {(customer, "tokens"): "7"}


@pytest.mark.parametrize("state", ["refused", "blocked"])
def test_usage_of_a_row_that_made_nothing_stays_unbilled(sales: Sales, state: str) -> None:
    customer = sales.tell(
        coupon="none" if state == "refused" else None, replaces=None if state == "refused" else "gone"
    )
    sales.work()
    sales.use(customer, 7, row_id="u1")
    assert sales.states() == {"s1": state}
    assert alarms(sales) == [(customer, 7)]
