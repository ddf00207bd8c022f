"""A file that is imported again after the instants that it tells have passed: the same rows still, and none refused."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from meterpost import RowRefused
from tests.subscribed.conftest import Sales

FILE = "customer,price,billing_cycle_anchor,cancel_at,row_id\n{anchored},{price},{at},,a\n{ended},{price},,{at},b\n"
PASSED_DAYS = 10


@pytest.fixture
def text(sales: Sales, in_days: Callable[[float], datetime]) -> str:
    """Rows whose instants are five days ahead."""
    who = {"anchored": sales.customer(), "ended": sales.customer()}
    return FILE.format(**who, price=sales.price, at=in_days(5).isoformat())


@pytest.fixture
def passed(sales: Sales, in_days: Callable[[float], datetime]) -> str:
    """The same rows as a file tells them whose instants passed five days ago; no clock of the client's can be moved."""
    who = {"anchored": sales.customer(), "ended": sales.customer()}
    return FILE.format(**who, price=sales.price, at=in_days(-5).isoformat())


def as_if_told_in_time(sales: Sales, text: str) -> None:
    """The ledger has its rows, and their subscriptions were made."""
    sales.import_file(text)
    sales.path.write("UPDATE signup SET state = 'created', subscription = 'sub_' || row_id, due_at = NULL")


def test_the_same_file_is_the_same_rows_after_its_instants_have_passed(sales: Sales, passed: str) -> None:
    as_if_told_in_time(sales, passed)
    before = len(sales.calls())
    ran = sales.import_file(passed, name="again.csv")
    sales.work()
    assert (ran["code"], ran["bad"], ran["warned"]) == (0, 0, 2)
    assert sales.path.ask("SELECT duplicates, quarantined FROM intake ORDER BY intake_id")[-1] == (2, 0)
    assert len(sales.calls()) == before


def test_a_stream_that_is_sent_again_is_broken_off_by_no_instant(sales: Sales, in_days: Callable[..., Any]) -> None:
    row = {"customer": sales.customer(), "price": sales.price, "cancel_at": in_days(-5), "row_id": "s1"}
    assert sales.path.client.publish_subscriptions([row, row | {"row_id": "s2"}]) == 2


def test_a_new_row_whose_instant_has_passed_is_refused_before_anything_is_made(sales: Sales, passed: str) -> None:
    sales.import_file(passed)
    sales.work()
    assert sales.states() == {"a": "refused", "b": "refused"}
    assert "has passed; tell the row again with one that is ahead" in sales.reason("b")
    assert sales.writes() == []


def test_a_row_whose_instant_passes_while_it_waits_is_refused(sales: Sales, text: str) -> None:
    sales.import_file(text)
    sales.path.pass_time(days=PASSED_DAYS)
    sales.work()
    assert sales.states() == {"a": "refused", "b": "refused"}
    assert sales.writes() == []


def test_a_subscription_that_stripe_has_is_found_though_its_instant_has_passed(sales: Sales, text: str) -> None:
    sales.import_file(text)
    sales.path.fault("reply_lost", path="/v1/subscriptions", method="POST", times=2)
    sales.patient_subscriber().drain("default", 0)
    assert {*sales.states().values()} == {"unknown"}
    sales.path.pass_time(days=PASSED_DAYS)
    sales.work()
    assert sales.states() == {"a": "created", "b": "created"}


@pytest.mark.parametrize("field", ["billing_cycle_anchor", "cancel_at"])
def test_a_single_call_is_refused_at_once(sales: Sales, in_days: Callable[[float], datetime], field: str) -> None:
    told: Any = {field: in_days(-5)}
    with pytest.raises(RowRefused, match="is not ahead of now"):
        sales.path.client.subscription("cus_1", sales.price, **told)
    batch = sales.path.client.batch()
    with pytest.raises(RowRefused, match="is not ahead of now"):
        batch.subscription("cus_1", sales.price, **told)
