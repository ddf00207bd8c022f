"""Which rows are behind a sum that Stripe counted, and what a minute counts beyond what is known."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.epoch_gap import lags, unexplained
from service.ledger.comparing import Known
from service.matching import select

AMOUNTS = st.lists(st.integers(-9, 9), min_size=1, max_size=8)


@given(AMOUNTS, st.data())
def test_a_selection_of_the_sum_is_found_wherever_there_is_one(amounts, draw):
    chosen = draw.draw(st.lists(st.sampled_from(range(len(amounts))), min_size=1, unique=True))
    values, wanted = [Decimal(amount) for amount in amounts], Decimal(sum(amounts[place] for place in chosen))
    places = select(values, wanted)
    assert wanted == 0 or places is not None
    assert wanted == 0 or sum(values[place] for place in places) == wanted
    assert wanted == 0 or len(set(places)) == len(places)


def test_amounts_that_do_not_add_up_are_not_taken():
    assert select([Decimal(2), Decimal(4)], Decimal(5)) is None


def test_of_too_many_amounts_a_person_is_asked():
    assert select([Decimal(2) ** place for place in range(20)], Decimal("0.5")) is None


class Amount(Decimal):
    """Counts how often any is added to another."""

    added = 0

    def __add__(self, other):
        Amount.added += 1
        return Amount(super().__add__(other))

    __radd__ = __add__


@pytest.mark.parametrize("wanted", [99, 10**9], ids=["none adds up to it", "all together are less"])
def test_the_rows_of_a_whole_hour_are_looked_at_within_bounds(wanted):
    Amount.added = 0
    assert select([Amount(2 * amount) for amount in range(1, 10_001)], Decimal(wanted)) is None
    assert Amount.added < 2_000_000


MANY = list(range(1, 10_001))


@pytest.mark.parametrize(
    ("amounts", "wanted"),
    [([1] * 10_000, 9_999), (MANY, sum(MANY)), ([10**9, *MANY], sum(MANY)), ([*MANY, 10**9], sum(MANY))],
    ids=["alike", "all", "all but the first", "all but the last"],
)
def test_what_came_again_one_after_the_other_is_found_however_much_it_is(amounts, wanted):
    places = select([Decimal(amount) for amount in amounts], Decimal(wanted))
    assert sum(amounts[place] for place in places) == wanted


@pytest.mark.parametrize(
    ("counted", "known", "rest"),
    [
        (7, None, 7),
        (7, ((), 7), 0),
        (7, ((), 4), 3),
        (7, ((3,), 4), 0),
        (7, ((2, 1, 9), 4), 0),
        (7, ((2,), 4), 3),
        (0, ((), 4), -4),
    ],
    ids=["nothing known", "all known", "more", "in doubt", "some in doubt", "not by what is in doubt", "less"],
)
def test_what_a_minute_counts_beyond_what_is_known_and_in_doubt(counted, known, rest):
    assert unexplained(Decimal(counted), known and told(*known)) == rest


@pytest.mark.parametrize("accepted", [4, -4], ids=["usage", "credit"])
def test_what_was_accepted_just_now_and_does_not_show_yet_was_not_forgotten(accepted):
    known = told((), accepted, is_unsettled=True)
    assert (unexplained(Decimal(0), known), lags(Decimal(0), known)) == (0, True)


@pytest.mark.parametrize(
    ("counted", "is_unsettled"), [(4, True), (9, True), (0, False)], ids=["all", "more", "settled"]
)
def test_summaries_lag_only_where_what_was_accepted_does_not_show(counted, is_unsettled):
    assert not lags(Decimal(counted), told((), 4, is_unsettled=is_unsettled))


def told(doubtful, counted, *, is_unsettled=False):
    at = datetime(2026, 3, 1, tzinfo=UTC)
    amounts = [Decimal(value) for value in doubtful]
    return Known(start=at, counted=Decimal(counted), doubtful=amounts, is_unsettled=is_unsettled)
