"""What becomes of a signup, a claim a rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.outcomes import LOST, Accepted, Answer, Outcome, Reach, Refused, Scope, Unavailable, Unknown
from service.signup_facts import Call, Listing, Signup, Step
from service.signup_guard import Other
from service.signups import LIMITED_MAX, Later, NextKey, Settle, Take, after_call, next_step
from service.timing import STANDARD

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIGNUP = Signup(
    identifier="mps-1",
    state="due",
    key_number=0,
    ambiguous_since=None,
    asked_at=None,
    meter_stripe_id="mtr_1",
    price="price_1",
    import_name=None,
    is_meant=False,
    is_allowed=False,
    replaced_state=None,
    tax_ids=(),
    payment_method=None,
    product=None,
    done=frozenset({(Step.PRICE, "")}),
    calls=[],
    listings=[],
    others=[],
)
OTHER = Other(
    signup_id=7,
    is_earlier=True,
    state="created",
    meter_stripe_id="mtr_1",
    price="price_2",
    import_name=None,
    subscription="sub_7",
    due_at=None,
)
CREATE = Take(step=Step.CREATE, key="mps-1")
NO = Refused(answer=Answer(reach=Reach.ANSWERED, status=402, message="Your card was declined."))
AWAY = Unavailable(answer=Answer(reach=Reach.NOT_SENT), scope=Scope.STRIPE)
LIMITED = Unavailable(answer=Answer(reach=Reach.ANSWERED, status=429), scope=Scope.LIMITER)
UNHEARD = Unknown(answer=Answer(reach=Reach.MAYBE_SENT))
YES = Accepted(answer=Answer(reach=Reach.ANSWERED, status=200))


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def call(step: Step = Step.CREATE, *, at: datetime, outcome: str | None = "unknown", **more: Any) -> Call:
    told = {"about": "", "key": "mps-1", "ended_at": at, "status": None, "is_answered": False, "is_replayed": False}
    return Call(step=step, started_at=at, outcome=outcome, **{**told, **more})


def listing(at: datetime, verdict: str = "clear", *subscriptions: str, **more: Any) -> Listing:
    return Listing(read_at=at, **{"key_number": 0, "verdict": verdict, "subscriptions": subscriptions, **more})


def step(now: datetime = NOW, **facts: Any) -> object:
    return next_step(replace(SIGNUP, **facts), now=now, timing=STANDARD)


def after(outcome: Outcome, of: Step = Step.CREATE, **facts: Any) -> object:
    return after_call(replace(SIGNUP, **facts), of, outcome, now=NOW, timing=STANDARD)


def test_a_price_is_read_before_anything_is_asked_of_the_customer() -> None:
    assert step(done=frozenset()) == Take(step=Step.PRICE)


def test_nothing_is_created_without_a_young_list() -> None:
    assert step() == Take(step=Step.LIST)
    assert step(listings=[listing(ago(seconds=59))]) == CREATE
    assert step(listings=[listing(ago(seconds=61))]) == Take(step=Step.LIST)


def test_a_list_from_before_the_last_creation_or_a_persons_word_is_old() -> None:
    listings = [listing(ago(seconds=30))]
    assert step(state="unknown", listings=listings, calls=[call(at=ago(seconds=20))]) == Take(step=Step.LIST)
    assert step(listings=listings, asked_at=ago(seconds=20)) == Take(step=Step.LIST)
    assert step(listings=listings, calls=[call(at=ago(seconds=20), outcome="unavailable")]) == CREATE


@pytest.mark.parametrize("state", ["due", "unknown", "held"])
def test_what_a_list_shows_is_made_whatever_was_believed(state: str) -> None:
    shown = [listing(ago(seconds=5), "ours", "sub_1")]
    assert step(state=state, listings=shown) == Settle(state="created", subscription="sub_1")
    several = step(state=state, listings=[listing(ago(seconds=5), "several", "sub_1", "sub_2")])
    assert isinstance(several, Settle)
    assert several.state == "conflict"


def test_what_is_missing_is_looked_for_and_then_made_each_once() -> None:
    facts: dict[str, Any] = {"tax_ids": ("eu_vat:DE1",), "listings": [listing(ago(seconds=5))]}
    look = call(Step.TAX_ID, at=ago(seconds=2), key=None, outcome="accepted")
    made = Take(step=Step.TAX_ID, about="eu_vat:DE1", key="mps-1.tax_id.eu_vat:DE1")
    lost = call(Step.TAX_ID, at=ago(seconds=1), about="eu_vat:DE1", key=made.key)

    assert step(**facts) == Take(step=Step.TAX_ID)
    assert step(**facts, calls=[look]) == made
    assert step(**facts, calls=[look, lost]) == Take(step=Step.TAX_ID)
    assert step(**facts, done=SIGNUP.done | {(Step.TAX_ID, "eu_vat:DE1")}) == CREATE


@pytest.mark.parametrize(("at", "refused"), [(ago(seconds=1), True), (NOW, True), (NOW + timedelta(seconds=1), False)])
def test_what_must_be_ahead_and_has_passed_is_refused_before_anything_is_made(*, at: datetime, refused: bool) -> None:
    facts: dict[str, Any] = {"ahead": (("cancel_at", at),), "listings": [listing(ago(seconds=5))]}
    decided = step(**facts, tax_ids=("eu_vat:DE1",))
    assert (isinstance(decided, Settle) and decided.reason is not None) == refused
    assert step(**facts | {"listings": []}) == Take(step=Step.LIST)
    assert step(**facts, state="unknown", calls=[call(at=ago(hours=1))]) == CREATE


def test_a_call_that_only_repeats_an_error_is_made_under_another_key() -> None:
    stored = call(Step.PRODUCT, at=ago(seconds=2), key="k", status=500, is_replayed=True, is_answered=True)
    facts: dict[str, Any] = {"product": "p", "listings": [listing(ago(seconds=5))]}
    assert step(**facts) == Take(step=Step.PRODUCT, key="mps-1.product")
    assert step(**facts, calls=[stored]) == Take(step=Step.PRODUCT, key="mps-1.product.1")


def test_a_doubt_is_asked_for_again_under_the_same_key_while_stripe_remembers_it() -> None:
    calls = [call(at=ago(hours=22))]
    assert step(state="unknown", calls=calls, listings=[listing(ago(seconds=5))]) == CREATE
    late = step(state="unknown", calls=[call(at=ago(hours=23))], listings=[listing(ago(seconds=5))])
    assert isinstance(late, Later)
    assert late.state == "held"


def test_an_error_that_the_key_repeats_holds_it_at_once() -> None:
    stored = call(at=ago(seconds=1), status=500, is_answered=True, is_replayed=True)
    held = after(UNHEARD, state="unknown", calls=[call(at=ago(seconds=9)), stored])
    assert isinstance(held, Later)
    assert held.state == "held"


def test_a_refusal_ends_it_only_where_nothing_else_can_have_made_it() -> None:
    refused = call(at=ago(seconds=1), outcome="refused", status=402, is_answered=True)
    assert after(NO, calls=[refused]) == Settle(state="refused", reason="Your card was declined.")
    doubtful = after(NO, state="unknown", calls=[call(at=ago(seconds=9)), refused])
    assert isinstance(doubtful, Later)
    assert doubtful.state == "held"


@pytest.mark.parametrize(("outcome", "state"), [(AWAY, "due"), (UNHEARD, "unknown"), (LOST, "unknown")])
def test_what_did_not_succeed_is_asked_for_again(outcome: Outcome, state: str) -> None:
    ended = call(at=ago(seconds=1), outcome="unavailable" if outcome is AWAY else "unknown")
    again = after(outcome, calls=[ended])
    assert isinstance(again, Later)
    assert (again.state, again.is_spread) == (state, True)


@pytest.mark.parametrize(("times", "is_at_once"), [(1, True), (LIMITED_MAX, True), (LIMITED_MAX + 1, False)])
def test_what_the_limiter_refused_is_asked_for_in_the_same_turn_a_few_times(times: int, *, is_at_once: bool) -> None:
    refused = [call(at=ago(seconds=1), outcome="unavailable", status=429, is_answered=True)] * times
    again = after(LIMITED, calls=refused)
    assert isinstance(again, Later)
    assert (again.state, again.in_s == 0) == ("due", is_at_once)


def test_what_the_limiter_refused_was_not_made_and_is_not_looked_for_again() -> None:
    looked = call(Step.TAX_ID, at=ago(seconds=9), key=None, outcome="accepted")
    refused = call(Step.TAX_ID, at=ago(seconds=5), key="k", about="t", outcome="unavailable", status=429)
    facts: dict[str, Any] = {"tax_ids": ("t",), "listings": [listing(ago(seconds=20))]}
    decided = step(**facts, calls=[looked, refused])
    assert decided == Take(step=Step.TAX_ID, about="t", key="mps-1.tax_id.t")


def test_a_call_that_succeeded_goes_on_to_the_next_step() -> None:
    assert after(YES, of=Step.LIST) is None


def test_answered_calls_are_proven_absent_by_two_lists_half_an_hour_apart() -> None:
    calls = [call(at=ago(minutes=33), status=500, is_answered=True, is_replayed=True)]
    first, second = listing(ago(minutes=31)), listing(ago(seconds=30))
    held: dict[str, Any] = {"state": "held", "ambiguous_since": ago(minutes=33), "calls": calls}

    assert step(**held) == Take(step=Step.LIST)
    assert step(**held, listings=[first]) == Take(step=Step.LIST)
    assert step(**held, listings=[first, second]) == NextKey()
    assert isinstance(step(**held, listings=[listing(ago(minutes=20))]), Later)


def test_calls_that_nobody_heard_end_of_are_proven_absent_after_a_day() -> None:
    held: dict[str, Any] = {"state": "held", "ambiguous_since": ago(hours=26), "calls": [call(at=ago(hours=26))]}
    early, first, second = listing(ago(hours=2)), listing(ago(minutes=40)), listing(ago(minutes=5))

    assert step(**held, listings=[early, first]) == Take(step=Step.LIST)
    assert step(**held, listings=[early, first, second]) == NextKey()


def test_what_the_key_replays_tells_the_end_of_the_calls_that_nobody_heard_of_as_well() -> None:
    stored = call(at=ago(minutes=32), status=500, is_answered=True, is_replayed=True)
    listings = [listing(ago(minutes=30, seconds=50)), listing(ago(seconds=30))]
    held: dict[str, Any] = {"state": "held", "ambiguous_since": ago(minutes=33), "listings": listings}

    assert step(**held, calls=[call(at=ago(minutes=33)), stored]) == NextKey()
    assert isinstance(step(**held, calls=[call(at=ago(minutes=33)), stored, call(at=ago(minutes=31))]), Later | Take)
    long_ago = call(at=ago(hours=2))
    assert isinstance(step(**held, calls=[long_ago, call(at=ago(minutes=33)), stored]), Later | Take)


def test_lists_under_an_older_key_prove_nothing_of_the_present_one() -> None:
    old = [listing(ago(minutes=31)), listing(ago(seconds=30))]
    calls = [call(at=ago(minutes=33), key="mps-1.1", status=500, is_answered=True, is_replayed=True)]
    held: dict[str, Any] = {"state": "held", "ambiguous_since": ago(minutes=33), "calls": calls, "key_number": 1}
    assert step(**held, listings=old) == Take(step=Step.LIST)


def test_a_person_may_have_it_looked_for_now() -> None:
    calls = [call(at=ago(minutes=3), status=500, is_answered=True, is_replayed=True)]
    held: dict[str, Any] = {"state": "held", "ambiguous_since": ago(minutes=3), "calls": calls}
    looked = [listing(ago(seconds=90))]
    assert isinstance(step(**held, listings=looked), Later)
    assert step(**held, listings=looked, asked_at=ago(seconds=1)) == Take(step=Step.LIST)


def test_a_duplicate_blocks_what_is_in_no_doubt_and_stops_what_is() -> None:
    found = [listing(ago(seconds=5), "duplicate", "sub_9")]
    blocked = step(listings=found)
    assert isinstance(blocked, Settle)
    assert (blocked.state, "sub_9" in str(blocked.reason)) == ("blocked", True)
    stopped = step(state="unknown", calls=[call(at=ago(minutes=1))], listings=found)
    assert isinstance(stopped, Later)
    assert stopped.state == "held"


def test_what_was_created_here_blocks_although_stripes_list_lags_unless_it_ended() -> None:
    blocked = step(others=[OTHER], listings=[listing(ago(seconds=5))])
    assert isinstance(blocked, Settle)
    assert blocked.state == "blocked"
    assert step(others=[OTHER], listings=[listing(ago(seconds=5), ended=("sub_7",))]) == CREATE


@pytest.mark.parametrize(
    ("facts", "way"),
    [
        ({"state": "due"}, Later),
        ({"state": "due", "meter_stripe_id": None}, Later),
        ({"state": "due", "is_earlier": False}, Take),
        ({"state": "unknown", "is_earlier": False}, Later),
        ({"state": "held"}, Settle),
        ({"state": "held", "meter_stripe_id": "mtr_2"}, Take),
    ],
)
def test_another_row_of_the_meter_is_waited_for_or_blocks(facts: dict[str, Any], way: type) -> None:
    assert isinstance(step(others=[replace(OTHER, **facts)]), way)


@pytest.mark.parametrize(("in_s", "waits_s"), [(20, 20), (-3, 5), (900, 60)])
def test_what_waits_for_another_comes_due_with_it_but_no_more_than_a_minute_later(in_s: float, waits_s: float) -> None:
    waits = step(others=[replace(OTHER, state="unknown", due_at=NOW + timedelta(seconds=in_s))])
    assert isinstance(waits, Later)
    assert waits.in_s == waits_s


def test_a_row_that_says_that_it_is_meant_passes_all_but_the_same_price_of_another_file() -> None:
    facts: dict[str, Any] = {"listings": [listing(ago(seconds=5))], "is_meant": True, "import_name": "b.csv"}
    twice = replace(OTHER, price="price_1", import_name="a.csv")
    assert step(**facts, others=[OTHER]) == CREATE
    assert step(**facts, others=[replace(twice, import_name="b.csv")]) == CREATE
    blocked = step(**facts, others=[twice])
    assert isinstance(blocked, Settle)
    assert "overlaps_import" in str(blocked.reason)
    assert step(**facts, others=[twice], is_allowed=True) == CREATE


def test_a_correction_of_what_was_made_meanwhile_is_blocked() -> None:
    assert step(replaced_state="replaced") == Take(step=Step.LIST)
    assert isinstance(step(replaced_state="created"), Settle)
