"""Which way a correction goes: a claim a rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.correcting import Cancel, Change, Correctable, Enter, Nothing, Refuse, Way, choose
from service.timing import STANDARD

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT = NOW - timedelta(hours=3)
CONFIRMED = Correctable(
    formula="sum",
    state="confirmed",
    units=Decimal(5),
    is_whole=True,
    is_corrected=False,
    received_after=NOW - timedelta(hours=2),
    calls=1,
    at=AT,
    now=NOW,
)
FIVE_LESS = Decimal(-5)


def way(change: Change | None = None, *, is_only_writer: bool = True, **facts: Any) -> Way:
    found = replace(CONFIRMED, **facts)
    return choose(found, change or Change(), is_only_writer=is_only_writer, timing=STANDARD)


def test_what_is_taken_back_as_a_whole_within_a_day_is_cancelled() -> None:
    assert way() == Cancel(until=NOW + timedelta(hours=21), units=FIVE_LESS)


@pytest.mark.parametrize(
    "facts",
    [
        {"received_after": NOW - timedelta(hours=23)},
        {"received_after": None},
        {"is_whole": False},
        {"is_corrected": True},
        {"state": "accepted"},
        {"state": "sealed"},
        {"state": None},
        {"is_external": True},
        {"calls": 2},
        {"is_called_off": True},
        {"is_only_writer": False},
    ],
)
def test_whatever_else_is_taken_back_is_an_entry_at_its_own_time(facts: dict[str, Any]) -> None:
    found = way(**facts)
    assert isinstance(found, Enter)
    assert (found.units, found.at) == (FIVE_LESS, AT)


@pytest.mark.parametrize("change", [Change(by=Decimal(-2)), Change(to=Decimal(3))])
def test_a_part_is_an_entry(change: Change) -> None:
    assert way(change) == Enter(units=Decimal(-2), at=AT, why="only a part is changed")


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"state": None, "is_whole": False}, "it is not sealed yet, so that Stripe has nothing of it to cancel"),
        ({"is_whole": False}, "other rows are in its meter event, which Stripe cancels as a whole"),
    ],
)
def test_a_row_that_is_taken_back_whole_is_told_why_it_is_not_cancelled(facts: dict[str, Any], why: str) -> None:
    found = way(**facts)
    assert isinstance(found, Enter)
    assert found.why == why


@pytest.mark.parametrize("facts", [{"lateness": "late: the invoice in_1"}, {"at": NOW - timedelta(days=34, seconds=1)}])
def test_what_its_own_period_cannot_bill_any_more_counts_in_the_period_of_now(facts: dict[str, Any]) -> None:
    found = way(Change(by=Decimal(1)), **facts)
    assert isinstance(found, Enter)
    assert found.at == NOW
    assert found.why.endswith("it counts in the period of now")


def test_nothing_is_entered_where_nothing_would_bill_it() -> None:
    assert isinstance(way(lateness="late: the invoice in_1", is_billed_now=False), Refuse)


@pytest.mark.parametrize("change", [Change(to=Decimal(5)), Change(by=Decimal(0))])
def test_what_says_so_already_is_left(change: Change) -> None:
    assert isinstance(way(change), Nothing)


@pytest.mark.parametrize("state", ["unknown", "held", "conflict", "refused"])
def test_what_may_or_may_not_count_is_not_corrected(state: str) -> None:
    assert isinstance(way(state=state), Refuse)


@pytest.mark.parametrize(
    "facts",
    [{"formula": "last"}, {"formula": "unknown"}, {"is_late": True}, {"carried_as": "a"}, {"corrected_as": "b"}],
)
def test_what_is_set_right_elsewhere_is_refused_with_the_place(facts: dict[str, Any]) -> None:
    assert isinstance(way(**facts), Refuse)


def test_a_count_is_cancelled_or_not_corrected_at_all() -> None:
    one = {"formula": "count", "units": Decimal(1)}
    assert isinstance(way(**one), Cancel)
    assert isinstance(way(**one, received_after=NOW - timedelta(hours=24)), Refuse)
    assert isinstance(way(Change(by=Decimal(1)), **one), Refuse)


def test_a_cancelled_count_can_be_entered_anew() -> None:
    found = way(Change(to=Decimal(1)), formula="count", units=Decimal(0), state="cancelled")
    assert isinstance(found, Enter)
    assert found.units == 1
