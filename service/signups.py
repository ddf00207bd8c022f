"""What becomes of a signup: one pure function over its steps, what Stripe listed, and what was called for.

The rules, and the reason of each:
- Only a creation can double. Every other step asks for a state: it looks, and makes what is missing; after a doubt it
  looks again.
- A creation is called for only behind a list of the customer's subscriptions that is clear and young: it knows our
  identifier, whatever Stripe's keys and our ledger have forgotten.
- The same key again is safe while Stripe remembers it: *unknown* is sent again until `ambiguous_since` + 23 h. After
  that, and where the key would only replay Stripe's own error, it is *held*.
- A next key comes after proof alone: two lists without it, some time apart, both after any call under the last key must
  have shown; or after a refusal that no doubt came before.
- What stands in the way of a creation (`signup_guard.py`) is looked for before each. Under a doubt it blocks nothing,
  but nothing is sent again either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from service.decide import DOUBLINGS_MAX, window
from service.outcomes import Accepted, Outcome, Refused, Scope, Unavailable, Unknown
from service.signup_facts import Call, Listing, Signup, Step
from service.signup_guard import Blocked, Waits, in_the_way
from service.timing import RETRY_WINDOW_S, STRIPE_FORGETS_S, Timing

WANTED_BY_SEVERAL = "Stripe has several subscriptions of this one row: {}; end all but one, then discard this"
KEY_MARGIN = timedelta(seconds=STRIPE_FORGETS_S - RETRY_WINDOW_S)
LIMITED_MAX = 3  # in a row, of one signup; then somebody else is to have the permitted calls
UNDER_DOUBT = "a call may have made it, and {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Make this call now. `key` None: it only reads."""

    step: Step
    about: str = ""
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Look again `in_s` seconds from now or, spread, within them (the caller draws the jitter)."""

    state: str  # due, unknown or held
    in_s: float
    is_spread: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextKey:
    """Nothing was made under the last one: due again, under the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Nothing is due any more. `subscription`: Stripe's id of what was made."""

    state: str  # created, refused, blocked or conflict
    reason: str | None = None
    subscription: str | None = None


Decision = Take | Later | NextKey | Settle


def next_step(signup: Signup, *, now: datetime, timing: Timing) -> Decision:
    """Which call to make now, or what becomes of the signup without one. `now` is the ledger's time."""
    listing = _serving(signup, now=now, timing=timing)
    if listing is not None and (told := _told(listing)) is not None:
        return told
    if signup.state == "held":
        return _read_back(signup, now=now, timing=timing)
    if (why := _why_held(signup, now=now, timing=timing)) is not None:
        return _held(signup, reason=why)
    if (Step.PRICE, "") not in signup.done:
        return Take(step=Step.PRICE)
    if (way := in_the_way(signup, signup.others, listing=listing)) is not None:
        return _stopped(signup, way, now=now, timing=timing)
    return _missing(signup, listing, now=now, timing=timing) or Take(step=Step.CREATE, key=signup.key)


def after_call(signup: Signup, step: Step, outcome: Outcome, *, now: datetime, timing: Timing) -> Decision | None:
    """What follows from the outcome of a call, which is among the signup's by now. None: the next step tells."""
    match outcome:
        case Accepted():
            return None
        case Refused(answer=answer) if signup.doubt is None:
            return Settle(state="refused", reason=answer.message or answer.code or f"status {answer.status}")
        case Refused(answer=answer) if step == Step.CREATE:
            return _held(signup, reason=UNDER_DOUBT.format(f"a later one was refused: {answer.message}"))
        case Refused(answer=answer):
            return Later(state=_waiting(signup), in_s=timing.read_back_s, reason=answer.message)
        case Unavailable() | Unknown():
            if signup.state != "held" and (why := _why_held(signup, now=now, timing=timing)) is not None:
                return _held(signup, reason=why)
            return _again(signup, outcome, timing=timing)
        case _ as never:
            assert_never(never)


def proof_from(signup: Signup, *, timing: Timing) -> datetime:
    """From when on a list without it proves something: every call under the present key has ended, and shows."""
    assert signup.doubt is not None, "what is in no doubt needs no proof"
    unheard = timedelta(seconds=timing.absence_wait_s)
    calls = [call for call in signup.creations if call.outcome != "unavailable"]
    ends = [_end(call, calls) or call.started_at + unheard for call in calls]
    lag = timedelta(seconds=timing.listing_lag_s)
    return max((end + lag for end in ends), default=signup.doubt + unheard)


def _end(call: Call, calls: Sequence[Call]) -> datetime | None:
    """When nothing of this call was under way any more; None: nobody knows.

    What a key replays was its first call's end, and is that of the others while Stripe remembers it: of those for
    certain that began within the first hour, however long they are on their way.
    """
    if call.is_answered:
        return call.ended_at
    first = min(one.started_at for one in calls)
    replays = [one.ended_at for one in calls if one.is_replayed and one.is_answered and one.ended_at is not None]
    if replays and call.started_at <= min(replays[-1], first + KEY_MARGIN):
        return replays[-1]
    return None


def _serving(signup: Signup, *, now: datetime, timing: Timing) -> Listing | None:
    """The newest list, if it is young, and from after the last creation that was made and the last word of a person."""
    since = [now - timedelta(seconds=timing.listing_serves_s)]
    since += [c.ended_at or c.started_at for c in signup.calls if c.step == Step.CREATE and c.outcome != "unavailable"]
    since += [signup.asked_at] if signup.asked_at else []
    newest = signup.listings[-1] if signup.listings else None
    return newest if newest is not None and newest.read_at >= max(since) else None


def _told(listing: Listing) -> Settle | None:
    match listing.verdict:
        case "ours":
            return Settle(state="created", subscription=listing.subscriptions[0])
        case "several":
            return Settle(state="conflict", reason=WANTED_BY_SEVERAL.format(", ".join(listing.subscriptions)))
        case _:
            return None


def _why_held(signup: Signup, *, now: datetime, timing: Timing) -> str | None:
    """None: it is in no doubt, or its key can be sent again."""
    if signup.doubt is None:
        return None
    if any(call.is_stored_error for call in signup.creations):
        return UNDER_DOUBT.format("its key only repeats an error of Stripe's")
    if now >= signup.doubt + window(timing):
        return UNDER_DOUBT.format("Stripe may have forgotten its key")
    return None


def _stopped(signup: Signup, way: Blocked | Waits, *, now: datetime, timing: Timing) -> Decision:
    """What waits for another comes due with it; not much later than now, as a word of it may come sooner."""
    match way:
        case Waits():
            until_s = (way.until - now).total_seconds() if way.until else 0
            wait_s = min(max(until_s, timing.lane_backoff_max_s), timing.signup_waits_max_s)
            return Later(state=_waiting(signup), in_s=wait_s, reason=way.reason)
        case Blocked() if signup.doubt is not None:
            return _held(signup, reason=UNDER_DOUBT.format(way.reason))
        case Blocked():
            return Settle(state="blocked", reason=way.reason)
        case _ as never:
            assert_never(never)


def _passed(signup: Signup, *, now: datetime) -> str | None:
    """What must be ahead and is not; under a doubt the same key tells more."""
    if signup.doubt is not None:
        return None
    told = (f"{field}: {at.isoformat()} has passed" for field, at in signup.ahead if at <= now)
    return next((f"{passed}; tell the row again with one that is ahead" for passed in told), None)


def _read_back(signup: Signup, *, now: datetime, timing: Timing) -> Decision:
    """Two lists without it prove that nothing was made; sooner ones may show it, and are the rarer the longer."""
    start = proof_from(signup, timing=timing)
    proofs = [one.read_at for one in signup.listings if one.key_number == signup.key_number and one.read_at >= start]
    again = timedelta(seconds=timing.listing_again_s)
    if proofs and proofs[-1] - proofs[0] >= again:
        return NextKey()
    look_at = proofs[0] + again if proofs else min(start, _early_look(signup, timing=timing))
    if _is_asked(signup):
        look_at = now
    return Take(step=Step.LIST) if look_at <= now else Later(state="held", in_s=(look_at - now).total_seconds())


def _is_asked(signup: Signup) -> bool:
    """Whether a person asked for a look, and none has been taken since."""
    asked_at = signup.asked_at
    return asked_at is not None and all(c.started_at < asked_at for c in signup.calls if c.step == Step.LIST)


def _early_look(signup: Signup, *, timing: Timing) -> datetime:
    called_at = max((call.ended_at or call.started_at for call in signup.creations), default=signup.doubt)
    assert signup.doubt is not None, "what is in no doubt is not held"
    assert called_at is not None, "it is in doubt since something was called for"
    lag = timedelta(seconds=timing.listing_lag_s)
    looks = [one.read_at for one in signup.listings if one.read_at >= called_at]
    looks += [call.ended_at for call in signup.calls if call.step == Step.LIST and call.ended_at is not None]
    last = max(looks, default=None)
    if last is None or last < called_at:
        return called_at + lag
    return last + min(max((last - signup.doubt) / 2, lag), timedelta(seconds=timing.read_back_s))


def _missing(signup: Signup, listing: Listing | None, *, now: datetime, timing: Timing) -> Take | Settle | None:
    """The first step before the creation that is not done; none is taken for what Stripe would refuse all the same."""
    if listing is None:
        return Take(step=Step.LIST)
    if (reason := _passed(signup, now=now)) is not None:
        return Settle(state="refused", reason=reason)
    for tax_id in signup.tax_ids:
        if (Step.TAX_ID, tax_id) not in signup.done:
            return _look_or_make(signup, Step.TAX_ID, about=tax_id, now=now, timing=timing)
    if signup.payment_method is not None and (Step.PAYMENT_METHOD, "") not in signup.done:
        return _look_or_make(signup, Step.PAYMENT_METHOD, about="attach", now=now, timing=timing)
    if signup.product is not None and (Step.PRODUCT, "") not in signup.done:
        return Take(step=Step.PRODUCT, key=_key_of(signup, Step.PRODUCT, ""))
    return None


def _look_or_make(signup: Signup, step: Step, *, about: str, now: datetime, timing: Timing) -> Take:
    """What a young look did not show is made; after any call that may have made it, look first."""
    looks = [c.started_at for c in signup.calls if c.step == step and c.key is None and c.outcome == "accepted"]
    made = [c for c in signup.calls if c.step == step and c.about == about and c.key and c.outcome != "unavailable"]
    makes = [call.ended_at or call.started_at for call in made]
    young = now - timedelta(seconds=timing.listing_serves_s)
    if looks and looks[-1] >= max([young, *makes]):
        return Take(step=step, about=about, key=_key_of(signup, step, about))
    return Take(step=step)


def _key_of(signup: Signup, step: Step, about: str) -> str:
    """Another one where the last would only replay an error or a refusal: what is made twice so does no harm."""
    made = [call for call in signup.calls if call.step == step and call.about == about]
    errors = sum(call.is_stored_error or call.outcome == "refused" for call in made)
    return ".".join([signup.identifier, *filter(None, (step, about)), *([str(errors)] if errors else [])])


def _held(signup: Signup, *, reason: str) -> Later:
    """When to look for it then, the next step says."""
    return Later(state="held", in_s=0, reason=None if signup.state == "held" else reason)


def _again(signup: Signup, outcome: Unavailable | Unknown, *, timing: Timing) -> Later:
    """What the limiter refused is asked for in the same turn: the limiter paces it, and what was listed stays young."""
    tries = 0
    for call in reversed(signup.calls):
        if call.outcome == "accepted":
            break
        tries += 1
    is_paced = outcome.scope is Scope.LIMITER and tries <= LIMITED_MAX
    wait_s = 0 if is_paced else min(timing.backoff_max_s, timing.backoff_base_s * 2 ** min(tries, DOUBLINGS_MAX))
    answer = outcome.answer
    reason = ": ".join(filter(None, (str(answer.status or ""), answer.message or answer.code))) or "no answer"
    kept = None if signup.state == "held" else reason
    return Later(state=_waiting(signup), in_s=wait_s, is_spread=True, reason=kept)


def _waiting(signup: Signup) -> str:
    if signup.state == "held":
        return "held"
    return "due" if signup.doubt is None else "unknown"
