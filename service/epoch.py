"""The restore guard: nothing is sent from a ledger that has forgotten a call.

Identifiers are random, so Stripe could not tell a row that is recorded and sealed a second time from a new one. Whoever
seals or sends therefore asks whether the ledger still knows the last call that was made: at its start, on every new
connection (a restored server can only come with one), and before every sealing and every drain (a proxy hides new
connections). A ledger that does not is in a new *epoch*: recording goes on, nothing is sealed or sent, and what was
sealed is in doubt, until `meterpost reconcile --epoch` has compared it with Stripe's books and a person has confirmed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from redis.exceptions import RedisError

from service.crash_points import crash_point
from service.ledger import Ledger, Transaction
from service.ledger.epochs import ask_epoch, begin_epoch, first_epoch, lock_epochs
from service.logs import say
from service.witness import Keeps, Witness

REMEDY = "meterpost reconcile --epoch"


class Guards(Protocol):
    """What submit and seal want of a guard."""

    def may_send(self) -> bool: ...

    def may_seal(self, tx: Transaction) -> bool: ...

    def witness(self, attempt_id: int, *, idempotency_key: str, at: datetime) -> bool: ...

    def settle(self) -> None: ...


class Guard:
    """Asks the ledger on behalf of one process, and remembers its calls. Thread-safe."""

    def __init__(self, ledger: Ledger, places: Sequence[Keeps]) -> None:
        self._ledger = ledger
        self._places = places

    def watch(self) -> None:
        """Ask now, and from now on every new connection before anybody may use it."""
        self.may_send()
        self._ledger.on_connect(lambda tx: look(tx, self._places))

    def may_send(self) -> bool:
        """Whether this is the ledger that made the last call, or a person has confirmed that it may go on."""
        with self._ledger.transaction() as tx:
            is_known = look(tx, self._places)
            crash_point("epoch.before_commit")
        crash_point("epoch.after_commit")
        return is_known

    def may_seal(self, tx: Transaction) -> bool:
        """The same of the ledger that this transaction is on: what it seals gets an identifier that nothing doubts."""
        return look(tx, self._places)

    def witness(self, attempt_id: int, *, idempotency_key: str, at: datetime) -> bool:
        """Keep an attempt, directly before its call. False: nobody could; do not make the call."""
        try:
            for place in self._places:
                place.keep(Witness(attempt_id=attempt_id, idempotency_key=idempotency_key, at=at.isoformat()))
        except (RedisError, OSError) as away:
            say("witness.away", reason=str(away))
            return False
        return True

    def settle(self) -> None:
        """At the end of a drain: what is kept only now and then is kept now."""
        for place in self._places:
            place.settle()


class Unguarded:
    """For steps that are walked one at a time on a ledger that nobody restores."""

    def may_send(self) -> bool:
        return True

    def may_seal(self, tx: Transaction) -> bool:
        del tx
        return True

    def witness(self, attempt_id: int, *, idempotency_key: str, at: datetime) -> bool:
        del attempt_id, idempotency_key, at
        return True

    def settle(self) -> None:
        """Nothing was kept."""


UNGUARDED = Unguarded()


def look(tx: Transaction, places: Sequence[Keeps]) -> bool:
    """Whether this is the ledger that made the last call, or a person confirmed it; another is held from now on.

    The witnesses are asked first: what they know was committed before they knew it.
    """
    witnesses = [known for place in places if (known := place.read()) is not None]
    asked = ask_epoch(tx, witnesses)
    if asked.is_open:
        return False
    if asked.is_begun and asked.cause is None:
        return True
    lock_epochs(tx)
    asked = ask_epoch(tx, witnesses)
    if asked.is_open or asked.cause is None:
        first_epoch(tx)
        return not asked.is_open
    epoch_id = begin_epoch(tx, asked, cause=asked.cause)
    say("ledger.restored", epoch_id=epoch_id, reason=asked.cause, remedy=REMEDY)
    return False
