"""What the auditor forgets when there is too much of it: oldest first, and never out of its totals."""

from decimal import Decimal

import pytest

from sandbox.auditor import accounts
from sandbox.auditor.accounts import AccountAudit
from sandbox.auditor.calls import CALLS_KEPT_MAX, CallLog, Logged, Rates
from sandbox.auditor.wire import Told
from sandbox.wire import Whose

WHOSE = Whose("acct_1", livemode=False)


def told(number: int) -> Told:
    """An event in a minute of its own."""
    return Told(
        identifier=f"row-{number}",
        customer="cus_1",
        event_name="calls",
        value=Decimal(1),
        timestamp=60 * number,
        received_at=0,
    )


def logged(account: str) -> Logged:
    return Logged(
        at=0,
        account=account,
        livemode=False,
        request_id="req_1",
        idempotency_key=None,
        method="GET",
        path="/v1/customers",
        status=200,
        fate="applied",
        has_applied=True,
        event_name=None,
        customer=None,
        identifier=None,
    )


def counted(count: int) -> AccountAudit:
    kept = AccountAudit()
    for number in range(count):
        kept.apply(told(number))
    return kept


def test_forgotten_identifiers_stay_counted_in_the_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "IDENTIFIERS_MAX", 10)
    kept = counted(25)
    assert (kept.identifiers_forgotten, kept.identifiers_applied) == (15, 25)
    assert [total["events"] for total in kept.totals_of(WHOSE)] == [25]


def test_a_forgotten_identifier_can_no_longer_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "IDENTIFIERS_MAX", 10)
    kept = counted(25)
    for number in (0, 24):
        kept.cancel(f"row-{number}", event_name="calls", now=1)
    assert [entry["identifier"] for entry in kept.listed("cancelled")] == ["row-24"]


def test_only_the_newest_minutes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MINUTES_MAX", 10)
    minutes = [minute["minute"] for minute in counted(25).minutes_of(WHOSE)]
    assert minutes == [60 * number for number in range(15, 25)]


def test_the_log_keeps_the_newest_calls_and_their_numbers() -> None:
    log = CallLog()
    for number in range(CALLS_KEPT_MAX + 5):
        log.add(logged("acct_2" if number < 10 else "acct_1"))
    [first] = log.page({}, after=0, limit=1)["data"]
    log.forget("acct_2")
    [left] = log.page({}, after=0, limit=1)["data"]
    assert (first["number"], left["number"]) == (6, 11)


def test_only_the_last_second_is_remembered_of_the_pace() -> None:
    rates = Rates()
    for instant in (0.0, 0.5, 0.9, 1.0, 2.5):
        rates.count("POST /v1/billing/meter_events", instant=instant)
    assert rates.highest["meter_events"] == 3
