"""What Stripe's books say later of what was confirmed: the rules of second readings, each as a claim."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.second_reading import (
    Agreed,
    ConfirmedMinute,
    Contradicted,
    Copy,
    Differs,
    Pending,
    Surplus,
    Verdict,
    judge,
    wait,
)
from service.timing import STANDARD, Timing

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = ConfirmedMinute(
    expected=Decimal(5),
    is_mixed=False,
    agreed_at=NOW - timedelta(hours=30),
    differs_since=None,
    cancelling=None,
    asked_at=None,
    refusal=None,
)
TWICE = replace(MINUTE, differs_since=NOW - timedelta(minutes=30))
COPY = Copy(
    meter_event_id=7,
    generation=1,
    adds=Decimal(5),
    calls=2,
    received_at=NOW - timedelta(hours=3),
    is_doubtful=False,
)
UNTIL = NOW + timedelta(hours=20)  # 24 hours from its receipt, but for the margin
FOUND = Surplus(meter_event_id=7, generation=1, cancel_until=UNTIL)
ASKED = replace(MINUTE, cancelling=Decimal(5), asked_at=NOW - timedelta(minutes=10))


def judged(minute: ConfirmedMinute, counted: int | str, *copies: Copy) -> Verdict:
    return judge(minute, Decimal(counted), copies, read_at=NOW, timing=STANDARD)


@pytest.mark.parametrize("minute", [MINUTE, TWICE, ASKED])
def test_what_agrees_agrees_whatever_was_before(minute: ConfirmedMinute) -> None:
    assert judged(minute, 5, COPY) == Agreed()


def test_a_surplus_of_one_that_was_called_for_twice_is_cancelled_within_its_day() -> None:
    assert judged(MINUTE, 10, COPY) == FOUND


@pytest.mark.parametrize(
    "other",
    [
        {"calls": 1},
        {"adds": Decimal(4)},
        {"received_at": NOW - timedelta(hours=23)},
        {"received_at": None},
    ],
    ids=["called for once", "another amount", "in the last hour of its day", "never known to be received"],
)
def test_any_other_surplus_is_noted_and_then_a_conflict(other: dict[str, Any]) -> None:
    copy = replace(COPY, **other)

    assert judged(MINUTE, 10, copy) == Differs()
    assert isinstance(judged(TWICE, 10, copy), Contradicted)


def test_two_that_would_explain_it_alike_explain_nothing() -> None:
    assert judged(MINUTE, 10, COPY, replace(COPY, meter_event_id=8)) == Differs()


def test_two_copies_too_many_are_a_persons() -> None:
    assert judged(MINUTE, 15, replace(COPY, calls=3)) == Differs()


def test_the_newest_received_of_two_generations_is_cancelled() -> None:
    old = replace(COPY, calls=1)
    new = replace(COPY, generation=2, calls=1, received_at=NOW - timedelta(hours=4))

    assert judged(MINUTE, 10, old, new) == FOUND
    assert judged(MINUTE, 10, new, old) == FOUND


def test_a_call_of_which_nobody_heard_came_after_the_books_last_agreed() -> None:
    minute = replace(MINUTE, agreed_at=NOW - timedelta(hours=2))
    unheard = replace(COPY, received_at=NOW - timedelta(hours=40), is_doubtful=True)

    assert judged(minute, 10, unheard) == replace(FOUND, cancel_until=NOW + timedelta(hours=21))


def test_where_one_missing_may_look_like_one_too_many_it_is_read_twice() -> None:
    assert judged(replace(MINUTE, is_mixed=True), 10, COPY) == Differs()
    assert judged(replace(TWICE, is_mixed=True), 10, COPY) == FOUND


@pytest.mark.parametrize("counted", [0, 3, -5, 12])
def test_what_differs_is_a_conflict_only_when_read_twice_at_a_distance(counted: int) -> None:
    again = replace(MINUTE, differs_since=NOW - timedelta(minutes=29))

    assert (judged(MINUTE, counted), judged(again, counted)) == (Differs(), Differs())
    assert judged(TWICE, counted) == Contradicted(
        reason=f"Stripe counts {counted} in its minute, where 5 was confirmed"
    )


def test_a_cancellation_that_does_not_show_yet_is_waited_for() -> None:
    assert judged(ASKED, 10) == Pending()


@pytest.mark.parametrize("counted", [10, 0, 15])
def test_a_cancellation_that_did_anything_else_is_a_conflict_when_read_twice(counted: int) -> None:
    late = replace(ASKED, asked_at=NOW - timedelta(hours=25), refusal="too late")

    assert judged(late, counted, COPY) == Differs()
    assert judged(replace(late, differs_since=TWICE.differs_since), counted, COPY) == Contradicted(
        reason=f"Stripe counts {counted} in its minute, where 5 was confirmed and a copy of 5 was to be cancelled;"
        " Stripe says: too late"
    )


@pytest.mark.parametrize(
    ("minute", "verdict", "waited"),
    [
        (MINUTE, Agreed(), None),
        (TWICE, Contradicted(reason=""), None),
        (MINUTE, Differs(), timedelta(minutes=30)),
        (MINUTE, FOUND, timedelta(minutes=10)),
        (ASKED, Pending(), timedelta(minutes=10)),
        (replace(ASKED, asked_at=NOW - timedelta(hours=16)), Pending(), timedelta(hours=1)),
    ],
)
def test_what_is_not_settled_is_read_on_its_own_account(
    minute: ConfirmedMinute, verdict: Verdict, waited: timedelta | None
) -> None:
    assert wait(minute, verdict, now=NOW, timing=STANDARD) == waited


@given(
    calls=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), min_size=1, max_size=4),
    counted=st.integers(-20, 40),
)
def test_nothing_is_cancelled_but_the_only_one_that_explains_all_of_it(
    calls: list[tuple[int, int]], counted: int
) -> None:
    copies = [
        replace(COPY, meter_event_id=number, adds=Decimal(adds), calls=made)
        for number, (adds, made) in enumerate(calls)
    ]
    explaining = [copy for copy in copies if copy.calls > 1 and copy.adds == counted - 5]

    got = judged(MINUTE, counted, *copies)

    assert isinstance(got, Surplus) is (len(explaining) == 1)
    assert getattr(got, "meter_event_id", None) in {None, *(copy.meter_event_id for copy in explaining)}


def test_readings_that_could_find_a_copy_only_when_it_is_too_late_do_not_load() -> None:
    with pytest.raises(AssertionError, match="can still be cancelled"):
        Timing(second_readings_s=(3600, 48 * 3600, 96 * 3600))
