"""The classification table: every answer of Stripe's has exactly one outcome."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.outcomes import Accepted, Answer, Outcome, Reach, Refused, Scope, Unavailable, Unknown, classify

THIRTY_FIVE_DAYS = (
    "The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or equal to 1758141836."
)
EXISTS = "An event already exists with identifier mp-1-1-abc."


def answered(status: int, **said: Any) -> Outcome:
    return classify(Answer(reach=Reach.ANSWERED, status=status, **said))


@pytest.mark.parametrize(
    ("status", "said", "outcome", "scope"),
    [
        (429, {"limited_reason": "endpoint-rate"}, Unavailable, Scope.LIMITER),
        (429, {"code": "rate_limit"}, Unavailable, Scope.LIMITER),
        (429, {"code": "lock_timeout"}, Unknown, Scope.LANE),
        (429, {}, Unknown, Scope.LANE),
        (409, {"code": "idempotency_key_in_use"}, Unknown, Scope.LANE),
        (409, {"code": "too_many_concurrent_requests"}, Unknown, Scope.LANE),
        (401, {}, Unavailable, Scope.ACCOUNT),
        (403, {}, Unavailable, Scope.ACCOUNT),
        (500, {}, Unknown, Scope.STRIPE),
        (502, {}, Unknown, Scope.STRIPE),
        (503, {"is_replayed": True}, Unknown, Scope.CALL),
    ],
)
def test_an_answer_that_is_no_success_slows_what_it_is_about(
    status: int, said: dict[str, Any], outcome: type[Outcome], scope: Scope
) -> None:
    got = answered(status, **said)

    assert isinstance(got, outcome)
    assert not isinstance(got, Accepted | Refused)
    assert got.scope is scope


def test_a_200_is_accepted() -> None:
    assert isinstance(answered(200), Accepted)


def test_a_duplicate_identifier_is_a_success_although_it_is_a_400_without_a_code() -> None:
    got = answered(400, type="invalid_request_error", message=EXISTS)

    assert isinstance(got, Accepted)
    assert got.is_duplicate


def test_the_35_day_refusal_looks_like_the_duplicate_and_is_not_one() -> None:
    assert isinstance(answered(400, type="invalid_request_error", message=THIRTY_FIVE_DAYS), Refused)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, {"message": "No active meter found with this event name."}),
        (400, {"message": "No such customer: 'cus_x'", "code": "resource_missing"}),
        (400, {"code": "payload_invalid_value"}),
        (400, {"code": "meter_event_value_too_many_digits"}),
        (400, {"code": "timestamp_in_future"}),
        (404, {"code": "resource_missing"}),
    ],
)
def test_a_known_refusal_is_refused(status: int, said: dict[str, Any]) -> None:
    assert isinstance(answered(status, type="invalid_request_error", **said), Refused)


@pytest.mark.parametrize("status", [400, 402, 404, 422, 302, 418])
def test_a_text_that_we_have_not_seen_is_unknown_and_never_refused(status: int) -> None:
    assert isinstance(answered(status, message="Something new."), Unknown)


def test_other_parameters_under_a_used_key_are_unknown_because_the_first_may_have_counted() -> None:
    said = "Keys for idempotent requests can only be used with the same parameters. No such meter"

    assert isinstance(answered(400, type="idempotency_error", message=said), Unknown)


def test_a_connection_that_was_never_made_applied_nothing() -> None:
    assert isinstance(classify(Answer(reach=Reach.NOT_SENT)), Unavailable)


def test_an_answer_that_never_came_may_have_been_applied() -> None:
    assert isinstance(classify(Answer(reach=Reach.MAYBE_SENT)), Unknown)


@given(
    status=st.integers(100, 599),
    type=st.text(max_size=20),
    code=st.text(max_size=20),
    message=st.text(max_size=60),
    is_replayed=st.booleans(),
    limited_reason=st.sampled_from(["", "global-rate"]),
)
def test_every_answer_has_an_outcome_and_only_a_200_or_the_duplicate_is_accepted(**said: Any) -> None:
    got = answered(**said)

    assert isinstance(got, Accepted | Refused | Unavailable | Unknown)
    assert not isinstance(got, Accepted) or said["status"] == 200 or got.is_duplicate


@given(status=st.sampled_from([*range(100, 200), *range(201, 400), *range(405, 422), *range(500, 600)]))
def test_no_answer_but_a_4xx_is_ever_refused(status: int) -> None:
    assert not isinstance(answered(status, message="No such customer"), Refused)
