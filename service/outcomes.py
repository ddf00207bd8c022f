"""What Stripe's answers mean: one total table from an answer to an outcome.

The table is read from the top; the first line that fits decides. Its last line is `Unknown`: a text that we have
not seen may hide an application, and what may have been applied is never called refused. Two 400s without a code
differ only by their words: "already exists" is a success and "35 days" a refusal. Source:
docs.stripe.com/error-low-level, /api/idempotent_requests, /rate-limits.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """How far a call got, as our side of the connection saw it."""

    NOT_SENT = "not_sent"  # no byte of the request left: Stripe cannot have seen it
    MAYBE_SENT = "maybe_sent"  # timeout, reset, unreadable answer
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One call's end. `status` is None unless Stripe answered."""

    reach: Reach
    status: int | None = None
    type: str = ""
    code: str = ""
    message: str = ""
    request_id: str | None = None
    is_replayed: bool = False
    limited_reason: str = ""


class Scope(StrEnum):
    """What must slow down after an outcome that was no success."""

    CALL = "call"  # this meter event alone
    STRIPE = "stripe"  # Stripe itself, or the way there: what befalls one call befalls the others
    LANE = "lane"  # one object at Stripe is busy
    LIMITER = "limiter"  # all calls of the account
    ACCOUNT = "account"  # no call until a person has looked: the key


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Stripe has it: answered 200, or says that the identifier exists already."""

    answer: Answer
    is_duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Stripe will never take it as it is. This call applied nothing; an earlier one may have."""

    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """Not applied, and asking later may succeed."""

    answer: Answer
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It may have been applied. Only the same identifier, or Stripe's own books, can tell."""

    answer: Answer
    scope: Scope = Scope.CALL


Outcome = Accepted | Refused | Unavailable | Unknown

LOST = Unknown(
    answer=Answer(reach=Reach.MAYBE_SENT, code="lost", message="the worker that made the call ended before its answer")
)
NOT_MADE = Unavailable(
    answer=Answer(reach=Reach.NOT_SENT, code="not_made", message="the lease would have run out during the call"),
    scope=Scope.LANE,
)
NOT_WITNESSED = Unavailable(
    answer=Answer(reach=Reach.NOT_SENT, code="not_made", message="no witness of the call could be kept"),
    scope=Scope.LANE,
)

OK = 200
BAD_REQUEST = 400
UNAUTHORIZED, FORBIDDEN = 401, 403
CONFLICT = 409
TOO_MANY_REQUESTS = 429
API_ANSWERS = range(400, 500)  # and 200; whatever else is no answer of Stripe's API about this call
REFUSING = frozenset({400, 402, 404, 422})

# Words and codes with which Stripe refuses a meter event for good, before applying anything.
ALREADY_EXISTS = re.compile(r"\balready exists with identifier\b", re.IGNORECASE)
REFUSAL_WORDS = re.compile(
    r"more than 35 days in (the )?past|in the future"
    r"|no active meter|no such meter|no meter"
    r"|no such customer|customer .*not found"
    r"|at most \d+ (significant )?digits|must be a (positive integer|number|numeric|decimal)"
    r"|invalid (value|integer|decimal|timestamp|event_name)"
    r"|missing required param|received unknown parameter|not found in payload",
    re.IGNORECASE,
)
REFUSAL_CODES = frozenset(
    {
        "archived_meter",
        "meter_event_customer_not_found",
        "meter_event_dimension_count_too_high",
        "meter_event_invalid_value",
        "meter_event_no_customer_defined",
        "meter_event_value_not_found",
        "meter_event_value_too_many_digits",
        "missing_dimension_payload_keys",
        "no_meter",
        "parameter_invalid_empty",
        "parameter_invalid_integer",
        "parameter_missing",
        "parameter_unknown",
        "payload_invalid_value",
        "payload_no_customer_defined",
        "payload_no_value_defined",
        "resource_missing",
        "timestamp_in_future",
        "timestamp_too_far_in_past",
    }
)
DUPLICATE_CODE = "duplicate_meter_event"
TAKEN_CODE = "resource_already_exists"  # a product under an id that we chose
REFUSAL_TYPES = frozenset({"invalid_request_error", "card_error"})
LIMITER_CODE = "rate_limit"


def classify(answer: Answer) -> Outcome:
    """The outcome of a call that reports a meter event. Total: every answer has exactly one."""
    return next(outcome(answer) for fits, outcome in TABLE if fits(answer))


def classify_making(answer: Answer) -> Outcome:
    """The outcome of a call that makes something for a signup. Total: every answer has exactly one."""
    return next(outcome(answer) for fits, outcome in MAKING if fits(answer))


def classify_looking(answer: Answer) -> Outcome:
    """The outcome of a call that only reads for a signup: nothing is in doubt, however it ends."""
    outcome = classify_making(answer)
    return Unavailable(answer=answer, scope=outcome.scope) if isinstance(outcome, Unknown) else outcome


def is_limited(answer: Answer) -> bool:
    """Whether Stripe's limiter refused the call, whatever it asked for: all calls of the kind must slow down."""
    return answer.status == TOO_MANY_REQUESTS and (bool(answer.limited_reason) or answer.code == LIMITER_CODE)


def _exists_already(answer: Answer) -> bool:
    return answer.status == BAD_REQUEST and (
        answer.code == DUPLICATE_CODE or ALREADY_EXISTS.search(answer.message) is not None
    )


def _is_refused(answer: Answer) -> bool:
    is_known = answer.code in REFUSAL_CODES or REFUSAL_WORDS.search(answer.message) is not None
    return answer.status in REFUSING and answer.type != "idempotency_error" and is_known


TABLE: tuple[tuple[Callable[[Answer], bool], Callable[[Answer], Outcome]], ...] = (
    (lambda a: a.reach is Reach.NOT_SENT, lambda a: Unavailable(answer=a, scope=Scope.STRIPE)),
    (lambda a: a.reach is Reach.MAYBE_SENT, lambda a: Unknown(answer=a, scope=Scope.STRIPE)),
    (lambda a: a.status == OK, lambda a: Accepted(answer=a)),
    (_exists_already, lambda a: Accepted(answer=a, is_duplicate=True)),
    (is_limited, lambda a: Unavailable(answer=a, scope=Scope.LIMITER)),
    (lambda a: a.status in {UNAUTHORIZED, FORBIDDEN}, lambda a: Unavailable(answer=a, scope=Scope.ACCOUNT)),
    # lock_timeout, and a call of ours that is still being worked on: another call may be applying it right now
    (lambda a: a.status in {TOO_MANY_REQUESTS, CONFLICT}, lambda a: Unknown(answer=a, scope=Scope.LANE)),
    (_is_refused, lambda a: Refused(answer=a)),
    # a replayed 500 is kept under the meter event's own key; a new one is Stripe's trouble
    (lambda a: a.status not in API_ANSWERS and not a.is_replayed, lambda a: Unknown(answer=a, scope=Scope.STRIPE)),
    (lambda _: True, lambda a: Unknown(answer=a)),
)

# Of a refusal of these types nothing was applied, in whatever words; a key without the right to a call is a person's to
# mend, and stops no other kind of call.
MAKING: tuple[tuple[Callable[[Answer], bool], Callable[[Answer], Outcome]], ...] = (
    (lambda a: a.reach is Reach.NOT_SENT, lambda a: Unavailable(answer=a, scope=Scope.STRIPE)),
    (lambda a: a.reach is Reach.MAYBE_SENT, lambda a: Unknown(answer=a, scope=Scope.STRIPE)),
    (lambda a: a.status == OK, lambda a: Accepted(answer=a)),
    (
        lambda a: a.status == BAD_REQUEST and a.code == TAKEN_CODE,
        lambda a: Accepted(answer=a, is_duplicate=True),
    ),
    (is_limited, lambda a: Unavailable(answer=a, scope=Scope.LIMITER)),
    (lambda a: a.status == UNAUTHORIZED, lambda a: Unavailable(answer=a, scope=Scope.ACCOUNT)),
    (lambda a: a.status in {TOO_MANY_REQUESTS, CONFLICT}, lambda a: Unknown(answer=a, scope=Scope.LANE)),
    (lambda a: a.status == FORBIDDEN, lambda a: Refused(answer=a)),
    (lambda a: a.status in REFUSING and a.type in REFUSAL_TYPES, lambda a: Refused(answer=a)),
    (lambda a: a.status not in API_ANSWERS and not a.is_replayed, lambda a: Unknown(answer=a, scope=Scope.STRIPE)),
    (lambda _: True, lambda a: Unknown(answer=a)),
)
