"""Days of one signup drawn from a seed, by the worker's own rules: whatever Stripe does, there is one subscription."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.outcomes import LOST, Accepted, Answer, Outcome, Reach, Refused, Scope, Unavailable, Unknown
from service.signup_facts import Call, Listing, Signup, Step
from service.signups import Later, NextKey, Settle, Take, after_call, next_step
from service.timing import STANDARD, Timing

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = timedelta(days=30)
FATES = ["made"] * 4 + ["lost", "dead", "slow", "gone", "500", "kept", "made 500", "proxy"] * 2 + ["no", "429"]
SECOND = timedelta(seconds=1)
HISTORIES = 500
IMPATIENT = replace(STANDARD, listing_again_s=60)  # a wrong rule, by which the model must see a double

YES = Accepted(answer=Answer(reach=Reach.ANSWERED, status=200, request_id="req"))
NO = Refused(answer=Answer(reach=Reach.ANSWERED, status=402, request_id="req"))
LIMITED = Unavailable(answer=Answer(reach=Reach.ANSWERED, status=429, request_id="req"), scope=Scope.LIMITER)
ERROR = Unknown(answer=Answer(reach=Reach.ANSWERED, status=500, request_id="req"))
REPLAYED = Unknown(answer=replace(ERROR.answer, is_replayed=True))
PROXY = Unknown(answer=Answer(reach=Reach.ANSWERED, status=502))
UNHEARD = Unknown(answer=Answer(reach=Reach.MAYBE_SENT))
AWAY = Unavailable(answer=UNHEARD.answer, scope=Scope.CALL)


@dataclass(kw_only=True)
class Stripe:
    """Keeps keys for a day, applies what it received at once or hours later, and lists what it made after a while."""

    chance: random.Random
    made: list[datetime] = field(default_factory=list)  # from when on lists show it
    kept: dict[str, tuple[datetime, Outcome]] = field(default_factory=dict)
    under_way: list[tuple[datetime, str]] = field(default_factory=list)

    def create(self, key: str, now: datetime) -> Outcome:
        self.arrive(now)
        how = self.chance.choice(FATES)
        if how in {"made", "lost", "dead", "proxy"}:
            said = self.apply(key, now, YES)
            return {"lost": UNHEARD, "dead": LOST, "proxy": PROXY}.get(how, said)
        if how in {"kept", "made 500"}:
            return self.apply(key, now, ERROR, is_made=how == "made 500")
        if how == "slow":
            self.under_way.append((now + self.chance.random() * timedelta(hours=20), key))
        kept = self.kept.get(key, (now, NO))[1]
        return {"slow": UNHEARD, "gone": UNHEARD, "500": ERROR, "no": kept, "429": LIMITED}[how]

    def apply(self, key: str, now: datetime, answer: Outcome, *, is_made: bool = True) -> Outcome:
        kept_at, kept = self.kept.get(key, (START - DAYS, answer))
        if now < kept_at + timedelta(hours=24):
            return REPLAYED if kept is ERROR else kept
        if is_made:
            self.made.append(now + self.chance.choice([0, 0, 0, 30, 900]) * SECOND)
        self.kept[key] = now, answer
        return answer

    def arrive(self, now: datetime) -> None:
        for at, key in [one for one in self.under_way if one[0] <= now]:
            self.apply(key, at, YES)
        self.under_way = [one for one in self.under_way if one[0] > now]

    def listed(self, now: datetime) -> tuple[str, ...]:
        self.arrive(now)
        return tuple(f"sub_{number}" for number, seen_at in enumerate(self.made) if seen_at <= now)


@dataclass(kw_only=True)
class History:
    seed: int
    timing: Timing = STANDARD
    now: datetime = START

    def play(self) -> tuple[Signup, Stripe]:
        self.chance = random.Random(self.seed)
        stripe, signup = Stripe(chance=self.chance), SIGNUP
        while signup.state in {"due", "unknown", "held"} and self.now < START + DAYS:
            decision = next_step(signup, now=self.now, timing=self.timing)
            if isinstance(decision, Take):
                signup, decision = self.call(signup, decision, stripe)
            signup = self.moved(signup, decision)
            if signup.state == "refused":  # a person has it tried again
                signup = replace(signup, state="due", key_number=signup.key_number + 1, asked_at=self.now)
            self.now += self.chance.choice([1, 5, 70]) * SECOND
        return signup, stripe

    def call(self, signup: Signup, take: Take, stripe: Stripe) -> tuple[Signup, Any]:
        began, self.now = self.now, self.now + self.chance.choice([1, 1, 15]) * SECOND
        told: Any = None
        if take.step == Step.LIST:
            outcome: Outcome = YES if self.chance.random() < 0.9 else AWAY
            found = stripe.listed(began)
        else:
            assert take.key is not None, "a creation has a key"
            outcome, found = stripe.create(take.key, began), ()
            told = Settle(state="created", subscription="sub_0") if outcome is YES else None
        signup = replace(signup, calls=[*signup.calls, ended(take, outcome, began=began, now=self.now)])
        if take.step == Step.LIST and outcome is YES:
            verdict = ("clear", "ours", "several")[min(len(found), 2)]
            seen = Listing(read_at=began, key_number=signup.key_number, verdict=verdict, subscriptions=found)
            signup = replace(signup, listings=[*signup.listings, seen])
        return signup, told or after_call(signup, take.step, outcome, now=self.now, timing=self.timing)

    def moved(self, signup: Signup, decision: Any) -> Signup:
        match decision:
            case Later():
                self.now += decision.in_s * (self.chance.random() if decision.is_spread else 1) * SECOND
                return replace(signup, state=decision.state, ambiguous_since=signup.doubt)
            case NextKey():
                return replace(signup, state="due", key_number=signup.key_number + 1, ambiguous_since=None)
            case Settle():
                return replace(signup, state=decision.state)
            case _:
                return signup


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


def ended(take: Take, outcome: Outcome, *, began: datetime, now: datetime) -> Call:
    names: list[tuple[Callable[[Outcome], bool], str]] = [
        (lambda o: isinstance(o, Accepted), "accepted"),
        (lambda o: isinstance(o, Refused), "refused"),
        (lambda o: isinstance(o, Unavailable), "unavailable"),
        (lambda _: True, "unknown"),
    ]
    answer = outcome.answer
    return Call(
        step=take.step,
        about="",
        key=take.key,
        started_at=began,
        ended_at=now,
        outcome=next(name for fits, name in names if fits(outcome)),
        status=answer.status,
        is_answered=answer.status is not None and answer.request_id is not None,
        is_replayed=answer.is_replayed,
    )


def test_whatever_stripe_does_it_is_made_once_and_that_is_known() -> None:
    played = [History(seed=seed).play() for seed in range(HISTORIES)]

    assert {len(stripe.made) for _, stripe in played} == {1}
    assert {signup.state for signup, _ in played} == {"created"}
    assert max(signup.key_number for signup, _ in played) > 1
    assert any(len(signup.listings) > 5 for signup, _ in played)


@pytest.mark.parametrize("timing", [IMPATIENT])
def test_the_histories_show_a_double_where_a_proof_is_too_quick(timing: Timing) -> None:
    played = [History(seed=seed, timing=timing).play() for seed in range(HISTORIES)]

    assert any(len(stripe.made) > 1 for _, stripe in played)
