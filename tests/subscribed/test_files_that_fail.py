"""A file of which some rows fail: the rest is done, and what is mended takes no call that was not in vain."""

import json
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from cli.main import run
from local.sandbox import ask_sandbox
from service import crash_points
from service.crash_points import CrashPointReached, Kind
from tests.subscribed.conftest import Sales

GOOD, NO_COUPON, NO_MONEY = 5, 4, 3
HEAD = "customer,price,coupon,setup_fee,payment_behavior,customer_tax_ids,row_id"
CREATE = ("POST", "/v1/subscriptions")
LEASE_S = 6


@pytest.fixture
def failed(sales: Sales) -> Sales:
    """Twelve rows, of which seven are refused at the last step: a coupon is not there, and no card is charged."""
    set_payments(sales, "fail")
    fails = [("", "", "")] * GOOD + [("SPRING", "", "us_ein:12-3456789")] * NO_COUPON + [("", "49", "")] * NO_MONEY
    lines = [
        f"{sales.customer()},{sales.price},{coupon},{fee},{'error_if_incomplete' if fee else ''},{tax_id},r{number}"
        for number, (coupon, fee, tax_id) in enumerate(fails)
    ]
    assert sales.import_file("\n".join([HEAD, *lines]))["code"] == 0
    sales.work()
    return sales


@pytest.fixture
def disarmed() -> Any:
    yield
    crash_points.disarm()


def set_payments(sales: Sales, payments: str) -> None:
    told = {"account": sales.path.stripe_account, "payments": payments}
    ask_sandbox(sales.path.sandbox.url, "/_sandbox/settings", told)


def test_seven_rows_that_fail_leave_the_rest_done(failed: Sales) -> None:
    assert Counter(failed.states().values()) == {"created": GOOD, "refused": NO_COUPON + NO_MONEY}
    assert "SPRING" in failed.reason(f"r{GOOD}")
    assert len(failed.path.ask("SELECT letter FROM dead_letter")) == NO_COUPON + NO_MONEY


def test_once_the_cause_is_mended_only_the_calls_that_failed_are_made_again(failed: Sales) -> None:
    failed.v1.coupons.create({"id": "SPRING", "percent_off": 25, "duration": "once"})
    set_payments(failed, "succeed")
    mended = len(failed.calls())

    assert run(["subscriptions", "retry-failed", "--reason", "the coupon is there, and the cards are good"]) == 0
    failed.work()

    again = Counter((call["method"], call["path"]) for call in failed.calls()[mended:])
    assert set(failed.states().values()) == {"created"}
    assert again == {("GET", "/v1/subscriptions"): NO_COUPON + NO_MONEY, CREATE: NO_COUPON + NO_MONEY}


def test_what_is_not_mended_fails_again_and_harms_nobody(failed: Sales) -> None:
    set_payments(failed, "succeed")

    run(["subscriptions", "retry-failed", "--reason", "the cards are good"])
    failed.work()

    assert Counter(failed.states().values()) == {"created": GOOD + NO_MONEY, "refused": NO_COUPON}


def test_an_import_goes_on_behind_where_it_stopped_though_its_file_is_gone(sales: Sales, disarmed: None) -> None:
    lines = [f"{sales.customer()},{sales.price},,,,,r{number}" for number in range(6)]
    name = sales.import_file("\n".join([HEAD, *lines]))["import"]
    (sales.files / "spring.csv").unlink()
    crash_points.arm("subscribe.after_call", Kind.EXCEPTION, nth=6)
    with suppress(CrashPointReached):
        sales.work()
    crash_points.disarm()
    sales.path.pass_time(seconds=LEASE_S)

    sales.work()

    assert run(["subscriptions", "follow", name, "--json"]) == 0
    assert json.loads(sales.capsys.readouterr().out)["states"] == {"created": 6}
    assert [(call["method"], call["path"]) for call in sales.calls()].count(CREATE) == 6
