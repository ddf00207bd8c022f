"""What a person may do about a signup that stands on the desk.

A refused one goes on under the next key, behind the steps that are done: nothing was made under the last one. A blocked
one is looked at again, or is let through by a person's word. A held one is never made by a person's word: a list of the
customer's subscriptions decides.
"""

from dataclasses import dataclass

from service.corrections import Correction
from service.ledger import signup_lanes
from service.ledger.answers import Answer, Ordered
from service.ledger.connection import execute, fetch_one

ALLOWED = Correction(set_to={"allow_duplicate": "true"})
LAST_WORDS = {
    "refused": "nothing of it was made, and nothing more of it is asked for",
    "blocked": "nothing of it was made, and nothing more of it is asked for",
    "held": "its subscription may have been made, and nothing more of it is asked for",
    "conflict": "what Stripe has of it stays as it is",
}


@dataclass(frozen=True, slots=True)
class DeadSignup:
    signup_lane_id: int
    state: str
    subscription: str | None
    is_called: bool  # a call for it has not ended
    is_correction: bool  # of a row that was not to be replaced


def retry_signup(ordered: Ordered, *, correction: Correction) -> Answer:
    """`correction` may be ALLOWED alone: that another subscription on the meter is meant."""
    found = _lock(ordered)
    if found is None:
        return ordered.unknown()
    if closed := ordered.closed():
        return closed
    if correction and (correction != ALLOWED or found.state not in {"blocked", "refused"}):
        return ordered.declined(
            "a recorded row never changes: of a blocked one --set allow_duplicate=true says that another subscription"
            " is meant; else tell the row again, corrected, under an id of its own that replaces this one"
        )
    if found.state == "blocked" and found.is_correction and not correction:
        return ordered.declined(
            "it corrects a row that could not be replaced, as its reason says: discard it, or tell it again under an id"
            " of its own; --set allow_duplicate=true has it made beside that one"
        )
    return _retry(ordered, found, is_allowed=bool(correction))


def discard_signup(ordered: Ordered) -> Answer:
    found = _lock(ordered)
    if found is None:
        return ordered.unknown()
    if closed := ordered.closed():
        return closed
    if found.state not in LAST_WORDS:
        return ordered.unneeded(f"it is {found.state} and needs nobody")
    return ordered.discarded(before=found.state, text=LAST_WORDS[found.state])


def _retry(ordered: Ordered, found: DeadSignup, *, is_allowed: bool) -> Answer:
    match found.state:
        case "refused" | "blocked" if found.is_called:
            return ordered.declined("a call for it has not ended: ask again in a minute")
        case "refused":
            execute(ordered.tx, "next_signup_key", signup_id=ordered.letter.number)
            text = "it goes on behind the steps that are done, under the next key; nothing was made under the last one"
            return _asked(ordered, found, after="due", text=text, is_allowed=is_allowed)
        case "blocked":
            text = (
                "another subscription on its meter is meant"
                if is_allowed
                else "what bills its meter is looked at again"
            )
            return _asked(ordered, found, after="due", text=text, is_allowed=is_allowed)
        case "held":
            text = "the customer's subscriptions are listed next; it is made only if they prove that it was not"
            return _asked(ordered, found, after="held", text=text, is_allowed=False)
        case "conflict":
            return ordered.declined(
                f"another call could make one more: compare them at Stripe (meterpost dead show {ordered.letter}), end"
                " all but one there, then discard it"
            )
        case _:
            return ordered.unneeded(f"it is {found.state} and needs nobody")


def _asked(ordered: Ordered, found: DeadSignup, *, after: str, text: str, is_allowed: bool) -> Answer:
    execute(ordered.tx, "ask_signup", signup_id=ordered.letter.number, is_allowed=is_allowed)
    execute(ordered.tx, "look_at_signup_lane", signup_lane_id=found.signup_lane_id)
    return ordered.retried(before=found.state, after=after, text=text)


def _lock(ordered: Ordered) -> DeadSignup | None:
    """As it stands under its customer's lock: a worker may just be deciding about it."""
    known = _find(ordered)
    if known is None:
        return None
    signup_lanes.lock_lane(ordered.tx, known.signup_lane_id)
    return _find(ordered)


def _find(ordered: Ordered) -> DeadSignup | None:
    return fetch_one(ordered.tx, DeadSignup, "dead_signup", signup_id=ordered.letter.number)
