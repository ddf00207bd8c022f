"""One call of a signup: how it is made, and what it told, written down in the transaction that closes it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.ledger import Transaction, signups
from service.ledger.signups import Moved, SignupNow, StepDone
from service.logs import say
from service.outcomes import Accepted, Outcome, Unknown, classify_looking, classify_making
from service.signup_facts import Step
from service.signup_guard import verdict_of
from service.signup_params import SETUP_FEE, creation, unfit
from service.signups import Settle, Take
from service.stripe_signups import PaymentMethodTold, PriceTold, Said, StripeSignups, TaxIdTold
from service.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that is written down and about to be made."""

    attempt_id: int
    signup: SignupNow
    take: Take
    fence: int
    leased_at_s: float  # on our own clock, before the lease was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of it."""

    outcome: Outcome
    said: Said[Any]


def make(stripe: StripeSignups, call: Call) -> Ended:
    """Never raises."""
    call_id = f"signup-{call.attempt_id}-{call.fence}"
    if call.take.key is None:
        said = _look(stripe, call.signup, step=call.take.step, call_id=call_id)
        return Ended(outcome=classify_looking(said.answer), said=said)
    said = _make(stripe, call, key=call.take.key, call_id=call_id)
    outcome = classify_making(said.answer)
    if isinstance(outcome, Accepted) and said.found is None and call.take.step != Step.PRODUCT:
        outcome = Unknown(answer=said.answer)  # that something exists already says nothing of what has no id of ours
    return Ended(outcome=outcome, said=said)


def is_known(tx: Transaction, signup: SignupNow, take: Take, *, timing: Timing) -> Settle | bool:
    """Whether another signup has learnt or made the same thing: then it is noted as done, and nothing is called for."""
    match take.step:
        case Step.PRICE if (young := signups.young_price(tx, signup, timing=timing)) is not None:
            price, done_at = young
            return _note_price(tx, signup, price, done_at=done_at) or True
        case Step.PRODUCT if signups.is_made(tx, signup, Step.PRODUCT, found=SETUP_FEE.product):
            signups.put_step(tx, signup.signup_id, StepDone(step=Step.PRODUCT, found=SETUP_FEE.product))
            return True
        case _:
            return False


def prepare(tx: Transaction, signup: SignupNow, take: Take) -> SignupNow:
    """The signup with what Stripe is asked for, fixed with the first creation."""
    if take.step != Step.CREATE or signup.creation is not None:
        return signup
    signups.fix_creation(tx, signup.signup_id, creation(signup.row, signups.price_of(tx, signup.signup_id)))
    return signups.signup_now(tx, signup.signup_id)


def note(tx: Transaction, call: Call, found: Any) -> Settle | None:
    """Write down what a call that succeeded told. Settle: that ends the signup."""
    signup = call.signup
    match call.take.step:
        case Step.PRICE:
            return _note_price(tx, signup, found)
        case Step.PAYMENT_METHOD:
            return _note_payment_method(tx, call, found)
        case Step.CREATE:
            signups.put_step(tx, signup.signup_id, StepDone(step=Step.CREATE, found=str(found)))
            return Settle(state="created", subscription=str(found))
        case Step.LIST:
            _note_listing(tx, call, found)
        case Step.TAX_ID:
            _note_tax_ids(tx, call, found)
        case Step.PRODUCT:
            signups.put_step(tx, signup.signup_id, StepDone(step=Step.PRODUCT, found=SETUP_FEE.product))
    return None


def tell(moved: Moved) -> None:
    """Once a state: what only waits for longer says nothing."""
    said = "proven_absent" if moved.before == "held" and moved.state == "due" else moved.state
    if moved.state != moved.before:
        about = {"signup_id": moved.signup_id, "identifier": moved.identifier, "subscription": moved.subscription}
        say(f"signup.{said}", **about, reason=moved.reason)


def _look(stripe: StripeSignups, signup: SignupNow, *, step: Step, call_id: str) -> Said[Any]:
    match step:
        case Step.PRICE:
            return stripe.price(signup.price, call_id=call_id)
        case Step.LIST:
            return stripe.subscriptions(signup.customer, call_id=call_id)
        case Step.TAX_ID:
            return stripe.tax_ids(signup.customer, call_id=call_id)
        case Step.PAYMENT_METHOD:
            return stripe.payment_method(str(signup.row.payment_method), call_id=call_id)
        case Step.PRODUCT | Step.CREATE:
            raise AssertionError(f"{step} has nothing to look at")


def _make(stripe: StripeSignups, call: Call, *, key: str, call_id: str) -> Said[Any]:
    signup, customer, named = call.signup, call.signup.customer, {"key": key, "call_id": call_id}
    match call.take.step:
        case Step.TAX_ID:
            type_, _, value = call.take.about.partition(":")
            return stripe.add_tax_id(customer, tax_id=(type_, value), **named)
        case Step.PAYMENT_METHOD:
            return stripe.attach(str(signup.row.payment_method), customer=customer, **named)
        case Step.PRODUCT:
            return stripe.make_product(SETUP_FEE.product, name=SETUP_FEE.name, **named)
        case Step.CREATE:
            assert signup.creation is not None, "what is asked for was fixed before the call was written down"
            return stripe.create(signup.creation, identifier=signup.identifier, **named)
        case Step.PRICE | Step.LIST:
            raise AssertionError(f"{call.take.step} makes nothing")


def _note_price(
    tx: Transaction, signup: SignupNow, price: PriceTold, *, done_at: datetime | None = None
) -> Settle | None:
    if (reason := unfit(signup.row, price)) is not None:
        return Settle(state="refused", reason=reason)
    signups.put_price(tx, signup.signup_id, price, done_at=done_at)
    return None


def _note_listing(tx: Transaction, call: Call, found: Any) -> None:
    """As of when it was asked for: what was made since may not be in it."""
    signup = call.signup
    is_meant = signup.row.allow_duplicate or signup.is_allowed
    meter_stripe_id = signup.meter_stripe_id
    verdict = verdict_of(found, identifier=signup.identifier, meter_stripe_id=meter_stripe_id, is_meant=is_meant)
    signups.put_listing(tx, signup.signup_id, verdict, read_at=signup.now)


def _note_tax_ids(tx: Transaction, call: Call, found: Any) -> None:
    signup, take = call.signup, call.take
    if take.key is not None:
        signups.put_step(tx, signup.signup_id, StepDone(step=Step.TAX_ID, about=take.about, found=str(found)))
        return
    told: dict[str, TaxIdTold] = {f"{one.type_}:{_bare(one.value)}": one for one in found}
    for type_, value in signup.row.customer_tax_ids:
        if (one := told.get(f"{type_}:{_bare(value)}")) is not None:
            about = f"{type_}:{value}"
            signups.put_step(tx, signup.signup_id, StepDone(step=Step.TAX_ID, about=about, found=one.id_))


def _bare(value: str) -> str:
    """As Stripe may have written it anew."""
    return value.replace(" ", "").upper()


def _note_payment_method(tx: Transaction, call: Call, found: Any) -> Settle | None:
    signup, payment_method = call.signup, str(call.signup.row.payment_method)
    if call.take.key is None:
        assert isinstance(found, PaymentMethodTold), "a look tells whose it is"
        if found.customer is None:
            return None
        if found.customer != signup.customer:
            reason = f"payment_method: {payment_method} belongs to another customer; tell the row again with his own"
            return Settle(state="refused", reason=reason)
    signups.put_step(tx, signup.signup_id, StepDone(step=Step.PAYMENT_METHOD, found=payment_method))
    return None
