"""Step 6, what is wrong with money: the ledger's facts → alarms.

Every kind is a question (`service/alarms.py`), asked every few seconds. One transaction a kind takes the question's
turn, asks it, raises what is new, renews what changed, clears what is gone, says what it is worth, and writes down what
is to be posted. A crash anywhere leaves the alarms as they were, and the next asking finds the same difference; of two
who watch, one waits and finds that it was asked. A question that fails stops no other: it is said and counted, and its
open alarms stay. Prices that the ledger lacks are read from Stripe outside of any transaction, and kept as mirrors;
until then their alarms stand without money.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg
from redis.exceptions import RedisError

from service.alarm_posts import figures_of
from service.alarms import KINDS, Kind
from service.crash_points import crash_point
from service.gateway import StripeRefused, StripeUnavailable
from service.ledger import Ledger, Transaction, alarm_posts, alarms, mirrors
from service.ledger.alarms import Alarm, Difference, Unrated, Worth
from service.ledger.overview import ledger_time
from service.limiter import Throttled
from service.logs import say
from service.mirrors import Mirror, listed
from service.money import Card, no_card, unread_prices, worth
from service.timing import Timing
from workers._effects import ReadsStripe

PRICES_A_PASS_MAX = 10  # reads of prices; what is wrong must not wait for Stripe
LINES_MAX = 20  # of one kind and asking; meterpost alarms list has all
UNREAD = (StripeUnavailable, StripeRefused, Throttled, RedisError)


@dataclass(slots=True, kw_only=True)
class _Found:
    """What one asking came to; told when it is committed."""

    difference: Difference | None = None
    told: dict[int, Alarm] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    unrateable: str | None = None  # why they were left without money


class Watcher:
    """Asks what is wrong. `kinds` are its questions; `is_posting` False: nobody is told but by the screens."""

    def __init__(
        self,
        ledger: Ledger,
        stripe: ReadsStripe,
        account: str,
        *,
        timing: Timing,
        kinds: Sequence[Kind] = KINDS,
        card: Card = no_card,
        is_posting: bool = False,
        open_max: int = alarms.OPEN_MAX,
    ) -> None:
        self._ledger = ledger
        self._stripe = stripe
        self._account = account
        self._timing = timing
        self._kinds = {kind.name: kind for kind in kinds}
        self._card = card
        self._is_posting = is_posting
        self._open_max = open_max
        self._unread = {name: set[str]() for name in self._kinds}  # prices, by the kinds that want them
        self._read_again_at: dict[str, float] = {}

    def watch_due(self) -> int:
        """Both, one after the other. Returns how many alarms were raised, cleared or renewed."""
        changed = self.ask_due()
        self.read_prices_due()
        return changed

    def ask_due(self) -> int:
        """Ask what was not asked for a while. Returns how many kinds' alarms were raised, cleared or renewed."""
        with self._ledger.transaction() as tx:
            due = alarms.questions_due(tx, self._account, self._kinds.values(), timing=self._timing)
        found = {name: self._watch(self._kinds[name]) for name in due}
        self._unread.update({name: one.unread for name, one in found.items()})
        return sum(one.difference is not None and not one.difference.is_nothing for one in found.values())

    def _watch(self, kind: Kind) -> _Found:
        found = _Found()
        with self._ledger.transaction() as tx:
            if not alarms.claim_question(tx, self._account, kind, timing=self._timing):
                return found
            failure = self._tried(tx, lambda: self._ask(tx, kind, found))
            if failure is not None:
                failures = alarms.note_unanswered(tx, self._account, kind, reason=failure)
            crash_point("watch.before_commit")
        crash_point("watch.after_commit")
        if failure is not None:
            say("alarm_question.failed", kind=kind.name, failures=failures, reason=failure)
            return _Found()
        _tell(kind, found)
        return found

    def _ask(self, tx: Transaction, kind: Kind, found: _Found) -> None:
        """All that is one transaction: what is told of an alarm is told with it, or not at all."""
        difference = alarms.raise_alarms(tx, self._account, kind, timing=self._timing, open_max=self._open_max)
        if difference.subjects:
            found.unrateable = self._tried(tx, lambda: self._rate(tx, kind, found))
        if self._is_posting and kind.is_posted and (difference.subjects or difference.cleared):
            alarm_posts.write_posts(tx, self._account, kind.name, cleared=difference.cleared)
        changed = [*difference.raised, *difference.escalated, *difference.cleared]
        told = alarms.alarms(tx, self._account, alarm_ids=changed) if changed else []
        found.difference, found.told = difference, {one.alarm_id: one for one in told}

    def _rate(self, tx: Transaction, kind: Kind, found: _Found) -> None:
        unrated = alarms.alarms_to_rate(tx, self._account, kind, timing=self._timing)
        if unrated:
            alarms.rate_alarms(tx, {one.alarm_id: self._worth(one) for one in unrated})
        found.unread = unread_prices(unrated)

    def _worth(self, unrated: Unrated) -> Worth | None:
        try:
            return worth(unrated, card=self._card)
        except ArithmeticError:
            return None  # more digits than any amount has: not known, rather than rounded

    @staticmethod
    def _tried(tx: Transaction, act: Callable[[], None]) -> str | None:
        """Why `act` failed; then nothing of it is left in the transaction."""
        try:
            with tx.transaction():
                act()
        except psycopg.Error as failed:
            return (str(failed).splitlines() or [type(failed).__name__])[0]
        return None

    def read_prices_due(self) -> int:
        """Those that alarms want, and that were not asked for just now. What Stripe does not tell stays without money.

        A step of its own: Stripe may take its time, and what is wrong is asked meanwhile. Returns how many were read.
        """
        now = time.monotonic()
        unread = sorted(set[str]().union(*self._unread.values()))
        wanted = [price for price in unread if self._read_again_at.get(price, 0) <= now]
        read = 0
        for price in wanted[:PRICES_A_PASS_MAX]:
            self._read_again_at[price] = now + self._timing.unread_wait_s
            try:
                read += self._keep(price, self._stripe.objects.retrieve("price", price))
            except StripeRefused as refused:
                say("price.unread", price=price, reason=str(refused))
            except UNREAD as away:
                say("price.unread", price=price, reason=str(away))
                break
        return read

    def _keep(self, price: str, told: object) -> bool:
        with self._ledger.transaction() as tx:
            read = listed(told, kind="price", read_at=ledger_time(tx))
            if isinstance(read, Mirror) and read.facts.is_whole:
                mirrors.put_mirrors(tx, self._account, [read])
                alarms.rate_anew(tx, self._account, [price])
                return True
        say("price.unread", price=price, reason=getattr(read, "reason", "it has tiers, and Stripe does not tell them"))
        return False


def _tell(kind: Kind, found: _Found) -> None:
    """After the commit."""
    difference = found.difference
    if difference is None:
        return
    for event, ids in (
        ("alarm.raised" if kind.is_posted else "alarm.noted", difference.raised),
        ("alarm.escalated", difference.escalated),
        ("alarm.cleared", difference.cleared),
    ):
        for alarm_id in ids[:LINES_MAX]:
            say(event, **figures_of(found.told[alarm_id]))
        if len(ids) > LINES_MAX:
            say(event, kind=kind.name, more=len(ids) - LINES_MAX)
    if found.unrateable is not None:
        say("alarm.unrated", kind=kind.name, reason=found.unrateable)
    if difference.left_out and not difference.left_out_before:
        say("alarm.left_out", kind=kind.name, subjects=difference.subjects, left_out=difference.left_out)
    if difference.failures_before:
        say("alarm_question.mended", kind=kind.name, failures=difference.failures_before)
