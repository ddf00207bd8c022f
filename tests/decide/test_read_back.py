"""What Stripe's books say of held meter events: the rules of reading back, each as a claim."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.read_back import (
    Absent,
    Contradicted,
    HeldMinute,
    Part,
    Present,
    Unseen,
    Verdict,
    judge,
    wait,
    why_unread,
    why_unsendable,
)
from service.timing import STANDARD

TRIED = datetime(2026, 11, 20, 12, tzinfo=UTC)
RIPE = TRIED + timedelta(hours=25)
ALONE = HeldMinute(
    formula="sum",
    settled=Decimal(0),
    held=Decimal(5),
    held_least=Decimal(5),
    low=Decimal(0),
    high=Decimal(5),
    is_alone=True,
    is_mixed=False,
    is_moving=False,
    is_contested=False,
    stamped_at=TRIED,
    generation=1,
    last_attempt_at=TRIED,
    absent_since=None,
    canary_id=None,
)
PROVABLE = replace(ALONE, absent_since=RIPE, canary_id=7)
SHARED = replace(
    ALONE, settled=Decimal(10), held=Decimal(8), held_least=Decimal(3), high=Decimal(18), is_alone=False, canary_id=7
)


def judged(minute: HeldMinute, counted: int | str, *, after: timedelta = timedelta(hours=26)) -> Verdict:
    return judge(minute, Decimal(counted), read_at=TRIED + after, timing=STANDARD)


@pytest.mark.parametrize("hours", [0, 1, 24, 900])
@pytest.mark.parametrize("minute", [ALONE, PROVABLE])
def test_presence_is_proof_at_any_time(minute: HeldMinute, hours: int) -> None:
    assert judged(minute, 5, after=timedelta(hours=hours)) == Present()


def test_an_absence_is_proven_by_two_readings_and_a_canary() -> None:
    got = judged(PROVABLE, 0)

    assert isinstance(got, Absent)
    assert got.proof == (
        "absent from Stripe's books since 2026-11-21 13:00 and at 2026-11-21 14:00 UTC, in which meter event 7 shows"
    )


@pytest.mark.parametrize(
    "lacking",
    [{"absent_since": None}, {"absent_since": RIPE + timedelta(minutes=31)}],
    ids=["read once", "read again too soon"],
)
def test_an_absence_that_was_not_read_twice_is_only_noted(lacking: dict[str, Any]) -> None:
    assert judged(replace(PROVABLE, **lacking), 0) == Absent()


@pytest.mark.parametrize(
    "lacking",
    [{"canary_id": None}, {"last_attempt_at": TRIED + timedelta(hours=2)}],
    ids=["no canary", "Stripe may remember"],
)
def test_what_a_lag_may_hide_is_no_part_of_a_proof(lacking: dict[str, Any]) -> None:
    assert judged(replace(PROVABLE, **lacking), 0) == Unseen()


@pytest.mark.parametrize("counted", [3, 10, -5, "4.999"])
def test_of_one_alone_anything_but_the_whole_or_nothing_is_a_conflict_at_once(counted: int) -> None:
    assert isinstance(judged(ALONE, counted), Contradicted)


@pytest.mark.parametrize(("counted", "verdict"), [(18, Present), (10, Absent), (13, Contradicted), (19, Contradicted)])
def test_of_a_shared_minute_all_or_none_is_decided_and_a_part_is_a_conflict(counted: int, verdict: type) -> None:
    assert isinstance(judged(SHARED, counted), verdict)


@pytest.mark.parametrize("counted", [13, 15, 5, 0])
def test_a_part_that_a_lag_may_explain_is_waited_for(counted: int) -> None:
    assert judged(replace(SHARED, canary_id=None), counted) == Part()
    assert judged(SHARED, counted, after=timedelta(hours=24)) == Part()


@pytest.mark.parametrize("counted", [19, -1])
def test_what_no_lag_explains_is_not_waited_for(counted: int) -> None:
    assert judged(replace(SHARED, canary_id=None), counted) == Contradicted(
        reason=f"Stripe counts {counted} in its minute, where 10 was accepted and 8 is held"
    )


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"formula": "last"}, "a `last` meter"),
        ({"is_mixed": True}, "the opposite sign"),
        ({"is_contested": True}, "in conflict"),
        ({"settled": Decimal(999999999999999), "held_least": Decimal("0.01")}, "more digits"),
    ],
)
def test_what_the_figures_cannot_tell_is_not_read(odd: dict[str, Any], why: str) -> None:
    said = why_unread(replace(SHARED, **odd), is_only_writer=True)

    assert said is not None
    assert why in said


@pytest.mark.parametrize("minute", [ALONE, SHARED, PROVABLE, replace(ALONE, formula="count")])
def test_everything_else_is_read(minute: HeldMinute) -> None:
    assert why_unread(minute, is_only_writer=True) is None


def test_where_others_report_nothing_is_read() -> None:
    assert why_unread(ALONE, is_only_writer=False) is not None


@pytest.mark.parametrize(("days", "is_sendable"), [(0, True), (33, True), (34, False), (36, False)])
def test_what_stripe_would_refuse_as_too_old_is_not_sent_anew(days: int, *, is_sendable: bool) -> None:
    assert (why_unsendable(ALONE, now=TRIED + timedelta(days=days)) is None) is is_sendable


def test_what_stripe_dropped_under_every_identifier_is_not_sent_anew_for_ever() -> None:
    assert why_unsendable(replace(ALONE, generation=5), now=TRIED) is not None


@pytest.mark.parametrize(
    ("minute", "after", "waited"),
    [
        (ALONE, timedelta(0), timedelta(hours=1)),
        (ALONE, timedelta(hours=24, minutes=10), timedelta(minutes=50)),
        (replace(ALONE, canary_id=7), timedelta(hours=25), timedelta(minutes=30)),
        (ALONE, timedelta(hours=32), timedelta(hours=2)),
        (PROVABLE, timedelta(hours=25, minutes=10), timedelta(minutes=20)),
        (PROVABLE, timedelta(hours=32), timedelta(hours=2)),
        (PROVABLE, timedelta(days=32), timedelta(days=2)),
    ],
)
def test_the_next_reading_is_when_it_may_tell_more_and_rarer_with_time(
    minute: HeldMinute, after: timedelta, waited: timedelta
) -> None:
    assert wait(minute, now=TRIED + after, timing=STANDARD) == waited


values = st.lists(st.integers(1, 1_000), min_size=1, max_size=6)


@given(held=values, settled=st.lists(st.integers(1, 1_000), max_size=4), chosen=st.sets(st.integers(0, 9)))
def test_no_part_of_a_minute_ever_passes_for_the_whole_or_for_nothing_once_a_lag_is_excluded(
    held: list[int], settled: list[int], chosen: set[int]
) -> None:
    counts = [value for number, value in enumerate(held) if number in chosen]
    minute = shared(held, settled)

    got = judged(minute, sum(settled) + sum(counts))

    expected = Present if counts == held else Absent if not counts else Contradicted
    assert isinstance(got, expected)


@given(held=values, settled=values, chosen=st.sets(st.integers(0, 9)))
def test_whatever_a_lag_hides_nothing_is_proven_absent_without_a_canary(
    held: list[int], settled: list[int], chosen: set[int]
) -> None:
    shows = sum(value for number, value in enumerate([*held, *settled]) if number in chosen)

    got = judged(replace(shared(held, settled), canary_id=None), shows)

    assert got in {Unseen(), Part()} or (got == Present() and shows == sum(held) + sum(settled))


def shared(held: list[int], settled: list[int]) -> HeldMinute:
    return replace(
        PROVABLE,
        settled=Decimal(sum(settled)),
        held=Decimal(sum(held)),
        held_least=Decimal(min(held)),
        high=Decimal(sum(held) + sum(settled)),
        is_alone=len(held) + len(settled) == 1,
    )


@pytest.mark.parametrize("days", [0, 40])
def test_what_is_absent_under_an_error_report_is_not_sent_anew(days: int) -> None:
    reported = replace(ALONE, report="Stripe reported 40 errors")

    assert why_unsendable(reported, now=TRIED + timedelta(days=days)) == "Stripe reported 40 errors"
