"""Looking for a restore, as whoever sends does: perhaps nobody has met the restored ledger yet.

Before a person's order makes anything due, and in its transaction: what a restored ledger takes for refused may have
been sent again and counted in the time that it has forgotten.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from redis.exceptions import RedisError

from cli.exits import Failed
from service import wakeups
from service.epoch import look
from service.ledger.accounts import pinned_account
from service.ledger.connection import Transaction
from service.redaction import scrub
from service.settings import Settings
from service.witness import Keeps, witnesses


@contextmanager
def looking(tx: Transaction, chosen: Settings) -> Iterator[Callable[[], None]]:
    """What each transaction on `tx` calls before it orders anything. It raises Failed where no witness can be asked."""
    pinned = pinned_account(tx, chosen.account)
    if pinned is None:
        yield lambda: None  # nothing was ever called for
        return
    chosen.require("REDIS_URL")
    with wakeups.connect(chosen.redis_url) as redis:
        places = witnesses(redis, chosen.witness_file, account=pinned.stripe_account, is_live=pinned.is_live)
        yield lambda: _look(tx, places)


def _look(tx: Transaction, places: Sequence[Keeps]) -> None:
    try:
        look(tx, places)
    except RedisError as away:
        raise Failed(
            "whether the ledger was put back to an earlier time cannot be told, so nothing was changed: its witness in"
            f" Redis (REDIS_URL) cannot be asked: {scrub(str(away))}"
        ) from away
