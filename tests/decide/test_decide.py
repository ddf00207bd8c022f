"""What becomes of a meter event: the rules of sending, each as a claim."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decide import Again, Attempt, Generation, Send, Settle, decide, may_call, window
from service.outcomes import LOST, Accepted, Answer, Outcome, Reach, Refused, Scope, Unavailable, Unknown
from service.timing import STANDARD, STRIPE_FORGETS_S

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANSWER = Answer(reach=Reach.ANSWERED, status=400, message="No such customer")
FRESH = Generation(identifier="mp-1-1-abc", ambiguous_since=None)
DOUBTED = Generation(identifier="mp-1-1-abc", ambiguous_since=NOW - timedelta(hours=1))
TRIED = Attempt(started_at=NOW, outcome="unknown", status=None, is_replayed=False)
STORED_500 = Attempt(started_at=NOW, outcome="unknown", status=500, is_replayed=True)
OUTCOMES: list[Outcome] = [
    Accepted(answer=ANSWER),
    Refused(answer=ANSWER),
    Unavailable(answer=ANSWER, scope=Scope.LIMITER),
    Unknown(answer=ANSWER),
    LOST,
]


def decided(generation: Generation, outcome: Outcome | None, *attempts: Attempt, now: datetime = NOW) -> object:
    return decide(generation, attempts, outcome, now=now, timing=STANDARD)


def test_the_first_call_goes_out_under_the_identifier_itself() -> None:
    assert decided(FRESH, None) == Send(idempotency_key="mp-1-1-abc")


def test_an_unknown_outcome_is_sent_again_under_the_same_key() -> None:
    assert decided(DOUBTED, None, TRIED) == Send(idempotency_key="mp-1-1-abc")


def test_only_a_replayed_5xx_changes_the_key_and_never_the_identifier() -> None:
    assert decided(DOUBTED, None, TRIED, STORED_500) == Send(idempotency_key="mp-1-1-abc.1")


@pytest.mark.parametrize("generation", [FRESH, DOUBTED])
def test_an_acceptance_settles_whatever_was_before(generation: Generation) -> None:
    got = decided(generation, Accepted(answer=ANSWER), TRIED)

    assert isinstance(got, Settle)
    assert got.state == "accepted"


def test_an_acceptance_of_a_generation_that_was_given_up_is_a_conflict() -> None:
    got = decided(replace(FRESH, is_current=False), Accepted(answer=ANSWER), TRIED)

    assert isinstance(got, Settle)
    assert got.state == "conflict"


@pytest.mark.parametrize(("since_leased_s", "is_allowed"), [(0, True), (20, True), (20.1, False), (90_000, False)])
def test_a_call_that_could_outlive_its_lease_is_not_made(since_leased_s: float, *, is_allowed: bool) -> None:
    assert may_call(since_leased_s, timing=STANDARD) is is_allowed


def test_a_refusal_with_no_doubt_before_is_final_and_in_stripes_words() -> None:
    assert decided(FRESH, Refused(answer=ANSWER), TRIED) == Settle(
        state="refused", reason="No such customer", ambiguous_since=None
    )


def test_a_refusal_after_a_call_that_may_have_counted_is_held() -> None:
    got = decided(DOUBTED, Refused(answer=ANSWER), TRIED)

    assert isinstance(got, Settle)
    assert got.state == "held"


def test_what_was_not_applied_stays_sealed_and_leaves_no_doubt() -> None:
    got = decided(FRESH, Unavailable(answer=ANSWER, scope=Scope.LIMITER), TRIED)

    assert isinstance(got, Again)
    assert (got.state, got.ambiguous_since) == ("sealed", None)


def test_what_was_not_applied_does_not_lift_an_earlier_doubt() -> None:
    got = decided(DOUBTED, Unavailable(answer=ANSWER, scope=Scope.LIMITER), TRIED)

    assert isinstance(got, Again)
    assert (got.state, got.ambiguous_since) == ("unknown", DOUBTED.ambiguous_since)


@pytest.mark.parametrize("outcome", [Unknown(answer=ANSWER), LOST])
def test_the_first_doubt_starts_with_the_attempt_that_brought_it(outcome: Outcome) -> None:
    got = decided(FRESH, outcome, TRIED, now=NOW + timedelta(seconds=20))

    assert isinstance(got, Again)
    assert (got.state, got.ambiguous_since) == ("unknown", TRIED.started_at)


def test_a_later_doubt_does_not_move_the_first() -> None:
    got = decided(DOUBTED, Unknown(answer=ANSWER), TRIED)

    assert isinstance(got, Again)
    assert got.ambiguous_since == DOUBTED.ambiguous_since


@pytest.mark.parametrize("outcome", [None, Unknown(answer=ANSWER), Unavailable(answer=ANSWER, scope=Scope.CALL)])
def test_when_the_window_has_closed_nothing_is_sent_again(outcome: Outcome | None) -> None:
    closed = NOW - timedelta(hours=1) + window(STANDARD)

    got = decided(DOUBTED, outcome, TRIED, now=closed)

    assert got == Settle(state="held", reason="window_closed", ambiguous_since=DOUBTED.ambiguous_since)


def test_a_day_of_401s_holds_nothing() -> None:
    refused_keys = [Attempt(started_at=NOW, outcome="unavailable", status=401, is_replayed=False)] * 50

    assert isinstance(decided(FRESH, None, *refused_keys, now=NOW + timedelta(days=3)), Send)


def test_the_wait_grows_and_is_bounded() -> None:
    first = decided(FRESH, Unknown(answer=ANSWER), TRIED)
    fiftieth = decided(FRESH, Unknown(answer=ANSWER), *[TRIED] * 50)

    assert isinstance(first, Again)
    assert isinstance(fiftieth, Again)
    assert first.wait_s_max < fiftieth.wait_s_max == STANDARD.backoff_max_s


ages = st.one_of(st.none(), st.integers(0, 60 * 3600))
attempts = st.lists(
    st.builds(
        Attempt,
        started_at=st.just(NOW),
        outcome=st.sampled_from(["unknown", "unavailable"]),
        status=st.sampled_from([None, 401, 429, 500]),
        is_replayed=st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@given(age=ages, tried=attempts, outcome=st.sampled_from([None, *OUTCOMES]))
def test_whatever_happened_nothing_is_called_when_stripe_may_have_forgotten(
    age: int | None, tried: list[Attempt], outcome: Outcome | None
) -> None:
    since = None if age is None else NOW - timedelta(seconds=age)

    got = decide(Generation(identifier="i", ambiguous_since=since), tried, outcome, now=NOW, timing=STANDARD)

    may_call = isinstance(got, Send | Again)
    assert not may_call or since is None or NOW + STANDARD.lease < since + timedelta(seconds=STRIPE_FORGETS_S)


@given(age=ages, tried=attempts, outcome=st.sampled_from(OUTCOMES))
def test_a_doubt_once_had_is_never_refused_and_never_forgotten(
    age: int | None, tried: list[Attempt], outcome: Outcome
) -> None:
    since = None if age is None else NOW - timedelta(seconds=age)

    got = decide(Generation(identifier="i", ambiguous_since=since), tried, outcome, now=NOW, timing=STANDARD)

    assert not isinstance(got, Send)
    assert since is None or got.ambiguous_since == since
    assert since is None or got.state != "refused"


@pytest.mark.parametrize("outcome", [*OUTCOMES, None])
@pytest.mark.parametrize("generation", [FRESH, DOUBTED])
def test_what_an_error_report_names_is_refused_whatever_its_call_was_answered(
    generation: Generation, outcome: Outcome | None
) -> None:
    got = decided(replace(generation, rejection="No such customer"), outcome, TRIED)

    assert isinstance(got, Settle)
    assert (got.state, got.reason) == ("refused", "No such customer")


def test_where_another_call_may_have_brought_in_a_copy_stripes_books_decide() -> None:
    named = replace(DOUBTED, rejection="No such customer", is_rejection_of_one_copy=True)

    got = decided(named, Accepted(answer=ANSWER), TRIED)

    assert isinstance(got, Settle)
    assert (got.state, got.reason) == ("held", "No such customer; another call under its identifier may count")


def test_a_report_on_the_present_generation_says_nothing_of_one_that_was_given_up() -> None:
    got = decided(replace(FRESH, rejection="No", is_current=False), Accepted(answer=ANSWER), TRIED)

    assert isinstance(got, Settle)
    assert got.state == "conflict"
