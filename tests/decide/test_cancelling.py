"""Cancelling a copy too many: what Stripe's answers mean, and what follows, each as a claim."""

from datetime import UTC, datetime, timedelta

import pytest

from service.cancelling import Cancel, GiveUp, Later, Made, ReadBack, Step, classify_cancellation, next_step
from service.outcomes import Accepted, Answer, Outcome, Reach, Refused, Scope, Unavailable, Unknown
from service.timing import STANDARD

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TAKEN = Made(outcome="accepted", status=200, is_replayed=False)
LOST = Made(outcome="unknown", status=None, is_replayed=False)
REFUSED = Made(outcome="refused", status=400, is_replayed=False)
BUSY = Made(outcome="unavailable", status=429, is_replayed=False)
STORED = Made(outcome="unknown", status=500, is_replayed=True)
NO = Refused(answer=Answer(reach=Reach.ANSWERED, status=400, message="No event with identifier mp-1"))
AWAY = Unavailable(answer=Answer(reach=Reach.NOT_SENT), scope=Scope.CALL)
UNHEARD = Unknown(answer=Answer(reach=Reach.MAYBE_SENT))
YES = Accepted(answer=Answer(reach=Reach.ANSWERED, status=200))


def step(outcome: Outcome | None, *calls: Made, hours_left: float = 1) -> Step:
    until = NOW + timedelta(hours=hours_left)
    return next_step("mp-1", calls, outcome, now=NOW, cancel_until=until, timing=STANDARD)


@pytest.mark.parametrize("calls", [[], [LOST], [BUSY, LOST, BUSY]])
def test_every_call_is_made_under_one_key(calls: list[Made]) -> None:
    assert step(None, *calls) == Cancel(idempotency_key="mp-1.cancel")


def test_an_answer_is_no_proof_and_the_books_are_read() -> None:
    assert step(YES, TAKEN) == ReadBack()


@pytest.mark.parametrize(("outcome", "calls"), [(AWAY, [BUSY]), (UNHEARD, [LOST])])
def test_what_did_not_succeed_is_asked_for_again(outcome: Outcome, calls: list[Made]) -> None:
    assert step(outcome, *calls) == Later(wait_s_max=2)


def test_a_refusal_is_a_persons_with_stripes_words() -> None:
    reason = "Stripe counts it twice and refuses to cancel one: No event with identifier mp-1"

    assert step(NO, BUSY, REFUSED) == GiveUp(reason=reason, said="No event with identifier mp-1")


def test_a_refusal_after_a_call_that_stripe_may_have_heeded_is_no_end() -> None:
    assert step(NO, LOST, REFUSED) == ReadBack(said="No event with identifier mp-1")


@pytest.mark.parametrize("outcome", [None, AWAY, UNHEARD])
def test_nothing_is_called_for_once_stripe_would_not_cancel_it_any_more(outcome: Outcome | None) -> None:
    assert step(outcome, LOST, hours_left=0) == ReadBack()
    assert isinstance(step(outcome, BUSY, hours_left=0), GiveUp)


def test_an_error_that_its_key_replays_is_read_back_and_never_tried_under_another_key() -> None:
    assert step(UNHEARD, STORED) == ReadBack()


def test_calls_are_bounded() -> None:
    assert isinstance(step(None, *[BUSY] * 100), GiveUp)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(reach=Reach.NOT_SENT), Unavailable),
        (Answer(reach=Reach.MAYBE_SENT), Unknown),
        (Answer(reach=Reach.ANSWERED, status=200), Accepted),
        (Answer(reach=Reach.ANSWERED, status=400, message="The event … has already been cancelled."), Accepted),
        (Answer(reach=Reach.ANSWERED, status=400, message="words never seen"), Refused),
        (Answer(reach=Reach.ANSWERED, status=404, code="resource_missing"), Refused),
        (Answer(reach=Reach.ANSWERED, status=400, type="idempotency_error"), Unknown),
        (Answer(reach=Reach.ANSWERED, status=429, code="rate_limit"), Unavailable),
        (Answer(reach=Reach.ANSWERED, status=429, code="lock_timeout"), Unknown),
        (Answer(reach=Reach.ANSWERED, status=409), Unknown),
        (Answer(reach=Reach.ANSWERED, status=401), Unavailable),
        (Answer(reach=Reach.ANSWERED, status=403), Unavailable),
        (Answer(reach=Reach.ANSWERED, status=500), Unknown),
        (Answer(reach=Reach.ANSWERED, status=302), Unknown),
    ],
)
def test_every_answer_has_one_outcome(answer: Answer, outcome: type) -> None:
    assert type(classify_cancellation(answer)) is outcome
