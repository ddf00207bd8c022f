"""What all reading of Stripe's books has in common: a claim is worked one by one, and what cannot be read waits."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from service.gateway import KeyRefused, StripeUnavailable

Claimed = TypeVar("Claimed")


def read_each(
    claimed: Sequence[Claimed], read: Callable[[Claimed], int], *, put_off: Callable[[Claimed, str], None]
) -> int:
    """Returns what the readings did in all. What cannot be read now is put off, with the reason.

    Raises StripeUnavailable when that is every one of them, and KeyRefused at once: another lane's key is the same.
    """
    found, unread = 0, list[StripeUnavailable]()
    for one in claimed:
        try:
            found += read(one)
        except KeyRefused:
            raise
        except StripeUnavailable as away:
            put_off(one, str(away))
            unread.append(away)
    if unread and len(unread) == len(claimed):
        raise unread[-1]
    return found
