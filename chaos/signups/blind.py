"""A worker as many are written: what it does not hear of it asks for again, under a new key, and it believes no list.

The storm must find subscriptions that are there twice where this one works, or it is blind.
"""

from service.signup_facts import Signup, Step
from service.signup_guard import Verdict
from workers import _signup_calls, subscribe

NEW_KEY, BELIEVED = "key", "verdict_of"


def another_key(signup: Signup) -> str:
    unheard = sum(call.is_doubtful for call in signup.calls if call.step == Step.CREATE)
    return f"{signup.identifier}.{unheard}" if unheard else signup.identifier


def all_is_clear(*_: object, **__: object) -> Verdict:
    return Verdict(verdict="clear")


def main() -> None:
    setattr(Signup, NEW_KEY, property(another_key))
    setattr(_signup_calls, BELIEVED, all_is_clear)
    subscribe.main()
