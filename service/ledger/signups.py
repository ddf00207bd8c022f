"""Signups, what was done about them, and how they move: by a decision, or by any word of Stripe's."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from meterpost.subscription import SubscriptionRow, from_said
from meterpost.subscription_limits import instants_ahead
from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.ledger.signup_lanes import SignupLease
from service.signup_facts import Call, Listing, Part, Signup, Step
from service.signup_guard import Other, Verdict
from service.signup_params import SETUP_FEE
from service.signups import Decision, Later, NextKey, Settle, Take
from service.stripe_signups import PriceTold
from service.timing import Timing

SEVERAL = "Stripe has several subscriptions of this one row: {}; end all but one, then discard this"
MADE_ALL_THE_SAME = "it was told again, corrected, and Stripe has {} of it all the same; end one, then discard this"


@dataclass(frozen=True, slots=True)
class SignupNow:
    """A signup at this look, with what was done about it."""

    signup_id: int
    signup_lane_id: int
    account: str
    customer: str
    source: str
    row_id: str
    import_name: str | None
    price: str
    said: dict[str, Any]
    identifier: str
    state: str
    key_number: int
    ambiguous_since: datetime | None
    asked_at: datetime | None
    meter_stripe_id: str | None
    is_allowed: bool
    creation: dict[str, Any] | None
    subscription: str | None
    replaced_state: str | None
    now: datetime  # the ledger's time

    @property
    def row(self) -> SubscriptionRow:
        return from_said(
            self.said, account=self.account, source=self.source, row_id=self.row_id, import_name=self.import_name
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """What changed of a signup."""

    signup_id: int
    identifier: str
    before: str
    state: str
    subscription: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A subscription of Stripe's that names a row."""

    identifier: str
    customer: str
    subscription: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """`found`: Stripe's id of what is there now; `told`: what later steps need of it."""

    step: Step
    found: str
    about: str = ""
    told: Mapping[str, Any] | None = None
    done_at: datetime | None = None  # None: now


@dataclass(frozen=True, slots=True)
class _Done:
    step: str
    about: str
    found: str
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Learnt:
    found: str
    told: dict[str, Any]
    done_at: datetime


@dataclass(frozen=True, slots=True)
class _Id:
    signup_id: int


def next_due(tx: Transaction, lease: SignupLease) -> SignupNow | None:
    """The customer's oldest signup that is due."""
    found = fetch_one(tx, _Id, "next_due_signup", signup_lane_id=lease.signup_lane_id)
    return None if found is None else signup_now(tx, found.signup_id)


def signup_now(tx: Transaction, signup_id: int) -> SignupNow:
    found = fetch_one(tx, SignupNow, "signup_to_make", signup_id=signup_id)
    assert found is not None, "a signup is never deleted"
    return found


def facts(tx: Transaction, signup: SignupNow) -> Signup:
    """All that is decided by."""
    alone = _facts_alone(tx, signup)
    ended = list(alone.listings[-1].ended) if alone.listings else []
    return replace(alone, others=fetch(tx, Other, "other_signups", signup_id=signup.signup_id, ended=ended))


def put_step(tx: Transaction, signup_id: int, done: StepDone) -> None:
    told = json.dumps(dict(done.told or {}))
    where = {"step": done.step, "about": done.about, "found": done.found, "done_at": done.done_at}
    execute(tx, "put_signup_step", signup_id=signup_id, told=told, **where)


def put_price(tx: Transaction, signup_id: int, price: PriceTold, *, done_at: datetime | None = None) -> None:
    put_step(tx, signup_id, StepDone(step=Step.PRICE, found=price.price, told=asdict(price), done_at=done_at))
    execute(tx, "learn_signup_meter", signup_id=signup_id, meter_stripe_id=price.meter_stripe_id)


def price_of(tx: Transaction, signup_id: int) -> PriceTold:
    (told,) = (one.told for one in fetch(tx, _Done, "signup_steps", signup_id=signup_id) if one.step == Step.PRICE)
    return PriceTold(**told)


def young_price(tx: Transaction, signup: SignupNow, *, timing: Timing) -> tuple[PriceTold, datetime] | None:
    """What another signup read of the same price, and when."""
    learnt = _of_another(tx, signup, Step.PRICE, found=signup.price, within_s=timing.price_reread_s)
    return None if learnt is None else (PriceTold(**learnt.told), learnt.done_at)


def is_made(tx: Transaction, signup: SignupNow, step: Step, *, found: str) -> bool:
    """Whether another signup made the same thing already."""
    return _of_another(tx, signup, step, found=found, within_s=None) is not None


def put_listing(tx: Transaction, signup_id: int, verdict: Verdict, *, read_at: datetime) -> None:
    told = {"verdict": verdict.verdict, "subscriptions": list(verdict.subscriptions), "ended": list(verdict.ended)}
    execute(tx, "put_signup_listing", signup_id=signup_id, read_at=read_at, **told)


def fix_creation(tx: Transaction, signup_id: int, creation: Mapping[str, Any]) -> None:
    execute(tx, "fix_creation", signup_id=signup_id, creation=json.dumps(creation))


def move(tx: Transaction, signup: SignupNow, decision: Decision, *, wait_s: float) -> list[Moved]:
    """Act on a decision. The caller holds the customer. Returns what changed, if anything did."""
    match decision:
        case Take():
            raise AssertionError("to call is to open an attempt, not to move")
        case NextKey():
            return fetch(tx, Moved, "next_signup_key", signup_id=signup.signup_id)
        case Settle(state="created", subscription=str(subscription)):
            made = Told(identifier=signup.identifier, customer=signup.customer, subscription=subscription)
            return prove(tx, signup.account, [made])
        case Later() | Settle():
            is_later, doubt = isinstance(decision, Later), _facts_alone(tx, signup).doubt
            return fetch(
                tx,
                Moved,
                "move_signup",
                signup_id=signup.signup_id,
                state=decision.state,
                reason=decision.reason,
                wait=timedelta(seconds=wait_s) if is_later else None,
                ambiguous_since=doubt,
            )


def prove(tx: Transaction, account: str, told: Sequence[Told]) -> list[Moved]:
    """What Stripe has under a row's identifier is made, whoever says so and whatever the ledger believed."""
    if not told:
        return []
    identifiers = [one.identifier for one in told]
    execute(tx, "lock_proven_lanes", identifiers=identifiers)
    return fetch(
        tx,
        Moved,
        "prove_signups",
        account=account,
        identifiers=identifiers,
        customers=[one.customer for one in told],
        subscriptions=[one.subscription for one in told],
        several=SEVERAL,
        replaced=MADE_ALL_THE_SAME,
    )


def _facts_alone(tx: Transaction, signup: SignupNow) -> Signup:
    """Without what stands beside it."""
    row, of_it = signup.row, {"signup_id": signup.signup_id}
    done = fetch(tx, _Done, "signup_steps", **of_it)
    return Signup(
        identifier=signup.identifier,
        state=signup.state,
        key_number=signup.key_number,
        ambiguous_since=signup.ambiguous_since,
        asked_at=signup.asked_at,
        meter_stripe_id=signup.meter_stripe_id,
        price=signup.price,
        import_name=signup.import_name,
        is_meant=row.allow_duplicate,
        is_allowed=signup.is_allowed,
        replaced_state=signup.replaced_state,
        tax_ids=tuple(":".join(tax_id) for tax_id in row.customer_tax_ids),
        payment_method=row.payment_method,
        product=SETUP_FEE.product if row.setup_fee is not None else None,
        ahead=instants_ahead(row),
        done=frozenset[Part]((Step(one.step), one.about) for one in done),
        calls=fetch(tx, Call, "signup_calls", **of_it),
        listings=fetch(tx, Listing, "signup_listings", **of_it),
        others=[],
    )


def _of_another(tx: Transaction, signup: SignupNow, step: Step, *, found: str, within_s: int | None) -> _Learnt | None:
    within = None if within_s is None else timedelta(seconds=within_s)
    return fetch_one(tx, _Learnt, "step_of_another", account=signup.account, step=step, found=found, within=within)
