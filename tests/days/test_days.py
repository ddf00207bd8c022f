"""A run over days lives through storms, and its audit lets nothing pass that is lost, doubled or unexplained."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest

from chaos.days.books import Books, Unsettled, without
from chaos.days.mishaps import KINDS as MISHAPS
from chaos.days.missed import missed
from chaos.days.report import page, summary
from chaos.days.run import Plan, play
from chaos.days.weather import KINDS, LONG_H, Storm, forecast, storm_at
from chaos.judge import Joined, Verdict

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = int(NOON.timestamp())
HELD = Unsettled(
    meter_event_id=7,
    customer="cus_1",
    meter="tokens",
    stamped_at=NOON + timedelta(minutes=5),
    value=Decimal(20),
    state="held",
    reason="window_closed; not read back: it is of a last meter; a person decides",
    is_discarded=False,
    counted=0,
)


@pytest.fixture
def verdict() -> Verdict:
    nothing = Decimal(0)
    joined = Joined(calls=1, attempts=1, unwritten=(), uncalled=())
    sums = {"told": nothing, "billed": nothing, "lost": nothing, "extra": nothing}
    return Verdict(**sums, differences=(), applied_twice=(), joined=joined, states={}, breaches=())


@pytest.fixture
def books(verdict: Verdict) -> Books:
    """Of a run in which one meter event is left that stands before a person."""
    return Books(
        meter_events=1,
        unsettled=(HELD,),
        unsealed=0,
        late_attempts=(),
        verdicts={},
        next_generations=0,
        forgotten=Counter(),
        verdict=verdict,
    )


@pytest.mark.parametrize("seed", range(20))
def test_twelve_days_have_the_storms_that_no_retry_outlives_and_all_the_short_ones(seed: int) -> None:
    storms = forecast(days=12, chance=Random(seed))
    lengths = {storm.name: (storm.ends - storm.begins) / timedelta(hours=1) for storm in storms if storm.is_long}
    assert lengths == LONG_H
    assert {storm.name for storm in storms} == set(KINDS)
    assert all(before.ends < after.begins for before, after in pairwise(storms))


def test_a_storm_strikes_while_it_lasts() -> None:
    storm, *_ = forecast(days=12, chance=Random(1))
    assert storm_at([storm], storm.begins) == storm
    assert storm_at([storm], storm.ends) is None


def test_what_stands_before_a_person_with_a_reason_is_right(books: Books) -> None:
    assert books.wrongs() == []


@pytest.mark.parametrize(
    ("left", "wrong"),
    [
        (replace(HELD, counted=2), "me-7 counts 2 times"),
        (replace(HELD, counted=2, state="conflict", reason="2 for 1"), "me-7 counts 2 times"),
        (replace(HELD, counted=2, is_forgotten=True), "me-7 counts 2 times"),
        (replace(HELD, reason="window_closed"), "me-7 is held"),
        (replace(HELD, state="unknown", reason=None), "me-7 is unknown"),
        (replace(HELD, state="sealed", reason=None), "me-7 is sealed"),
        (replace(HELD, state="confirmed", reason=None), "me-7 is confirmed"),
    ],
)
def test_what_counts_twice_or_stands_nowhere_is_wrong(books: Books, left: Unsettled, wrong: str) -> None:
    assert replace(books, unsettled=(left,)).wrongs() == [wrong]


def test_a_call_that_stripe_had_forgotten_may_count_twice_if_it_stands_in_conflict(books: Books) -> None:
    left = replace(HELD, counted=2, state="conflict", reason="2 for 1", is_forgotten=True)
    assert replace(books, unsettled=(left,)).wrongs() == []


def test_what_a_run_should_have_seen_and_did_not_is_named() -> None:
    steps, done = Counter(list(KINDS)), Counter(dict.fromkeys(MISHAPS, 5))
    outage = Storm(name="limits", begins=timedelta(), ends=timedelta(hours=47))
    del steps["locks"]
    done[MISHAPS[0]] -= 1
    assert missed([outage], steps=steps, mishaps_done=done, found_twice=0) == [
        "no step in: locks",
        "killed between opening and calling: 4 times only",
        "the longest outage was 1 day, 23:00:00",
        "no call counted a second time because Stripe had forgotten its identifier",
    ]


def test_a_run_that_has_seen_everything_misses_nothing() -> None:
    outage = Storm(name="limits", begins=timedelta(), ends=timedelta(hours=48))
    done = Counter(dict.fromkeys(MISHAPS, 5))
    assert missed([outage], steps=Counter(list(KINDS)), mishaps_done=done, found_twice=1) == []


@pytest.mark.parametrize(
    ("minutes", "counted", "covers"), [(5, 1, True), (5, 0, False), (-1, 1, False), (60, 1, False)]
)
def test_a_value_is_covered_by_a_later_one_of_its_hour_that_counts(minutes: int, counted: int, covers: object) -> None:
    other = replace(HELD, stamped_at=HELD.stamped_at + timedelta(minutes=minutes), counted=counted)
    assert replace(HELD, state="confirmed").is_covered_by(other) is covers


def test_an_attempt_after_the_window_is_wrong(books: Books) -> None:
    late = replace(books, late_attempts=((3, timedelta(hours=24)),))
    assert late.wrongs() == ["attempt 3 began 1 day, 0:00:00 after the first doubt"]


def test_an_entry_in_no_meter_event_is_wrong(books: Books) -> None:
    assert replace(books, unsealed=2).wrongs() == ["2 entries are in no meter event"]


@pytest.mark.parametrize(("counted", "expected"), [(0, 80), (1, 100), (2, 120)])
def test_what_is_not_settled_is_expected_as_often_as_stripe_counts_it(counted: int, expected: int) -> None:
    told = {("cus_1", "tokens", HOUR): Decimal(100)}
    assert without(told, [replace(HELD, counted=counted)]) == {("cus_1", "tokens", HOUR): expected}


def test_a_day_of_storms_leaves_nothing_lost_doubled_or_unexplained() -> None:
    run, books = play(Plan(days=1, seed=3, lag_s=60, rest_days=2, rows_an_hour=1, rush_rows=10, customers=6))
    assert run.stormy
    assert books.meter_events > 20
    assert books.wrongs() == []
    assert page({"a run": summary(run, books)}).row_count < 25
