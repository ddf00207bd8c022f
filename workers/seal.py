"""Step 3: entries → meter events.

What Stripe must be asked is asked first, outside of any transaction: the meter's formula and payload keys, and, for a
customer of whom no event has told us, the billing periods; of a new customer, and of a meter that nobody has heard of,
with the first row, long before a bucket is due, so that whether somebody bills them is known within a minute. Then one
transaction seals the due buckets of many lanes. A crash before its commit leaves the entries unsealed, to be found
again; after it there is nothing left to do.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.crash_points import crash_point
from service.epoch import UNGUARDED, Guards
from service.gateway import Gateway, KeyRefused, NotFound, StripeRefused, StripeUnavailable
from service.ledger import Ledger, mirrors, sealing, stretches
from service.ledger.overview import ledger_time
from service.ledger.sealing import KeptBack, LaneToSeal, Sealed, UnknownMeters, UnreadCustomer
from service.logs import say
from service.mirrors import Mirror, Unreadable, listed
from service.timing import Timing
from service.unbilled import Unbilled
from workers._loop import repeat
from workers._setup import set_up_with_stripe

CUSTOMERS_A_PASS_MAX = 50  # whose subscriptions are read; at 25 calls a second, two seconds of them
NEW_CUSTOMERS_A_PASS_MAX = 10  # of these, at most: sealing must not wait for many of whom nothing may be due yet
assert NEW_CUSTOMERS_A_PASS_MAX < CUSTOMERS_A_PASS_MAX, "some of those who are due are read in every pass"
NOTHING_SEALED = (Sealed(0, 0), KeptBack())


class Sealer:
    def __init__(
        self,
        ledger: Ledger,
        gateway: Gateway,
        account: str,
        *,
        timing: Timing,
        guard: Guards = UNGUARDED,
        unbilled: Unbilled = Unbilled.WARN,
    ) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._account = account
        self._timing = timing
        self._guard = guard
        self._unbilled = unbilled

    def seal_due(self) -> int:
        """Seal the due buckets of the longest waiting lanes. Returns how many meter events that made."""
        new, rung, due = self._new_customers(), self._unknown_meters(), self._due()
        if self._learn_meters(due, rung) + self._learn_periods(due, new) > 0:
            due = self._due()
        self._put_off_blocked([lane for lane in due if lane.is_meter_known and not lane.is_sealable])
        ready = [lane.lane_id for lane in due if lane.is_sealable and lane.is_customer_known]
        return self._seal(ready)

    def _new_customers(self) -> list[UnreadCustomer]:
        with self._ledger.transaction() as tx:
            return sealing.unread_customers(tx, self._account, customers_max=NEW_CUSTOMERS_A_PASS_MAX)

    def _unknown_meters(self) -> UnknownMeters:
        with self._ledger.transaction() as tx:
            return sealing.unknown_meters(tx, self._account)

    def _due(self) -> list[LaneToSeal]:
        with self._ledger.transaction() as tx:
            return sealing.lanes_to_seal(tx, timing=self._timing)

    def _learn_meters(self, due: Sequence[LaneToSeal], rung: UnknownMeters) -> int:
        unknown = [lane for lane in due if not lane.is_meter_known]
        if not unknown and rung.meters == 0:
            return 0
        try:
            meters = self._gateway.list_meters()
        except KeyRefused:
            raise  # nothing else would be told either
        except (StripeUnavailable, StripeRefused) as untold:
            say("meter.unread", reason=str(untold), wait_s=self._timing.unread_wait_s)
            with self._ledger.transaction() as tx:
                sealing.put_off_unknown(tx, self._account, asked_at=rung.asked_at, wait_s=self._timing.unread_wait_s)
            self._put_off(unknown, wait_s=self._timing.unread_wait_s)
            return len(unknown)
        crash_point("seal.after_meters_read")
        with self._ledger.transaction() as tx:
            sealing.put_meters(tx, self._account, meters)
            stretches.learn_edges(tx, self._account)
            sealing.put_off_unknown(tx, self._account, asked_at=rung.asked_at, wait_s=self._timing.meter_reread_s)
            crash_point("seal.before_meters_commit")
        crash_point("seal.after_meters_commit")
        still = [lane for lane in unknown if lane.meter not in {meter.event_name for meter in meters}]
        self._put_off_blocked(still)
        return len(unknown)

    def _learn_periods(self, due: Sequence[LaneToSeal], new: Sequence[UnreadCustomer]) -> int:
        waiting = [lane.customer for lane in due if not lane.is_customer_known]
        unknown = list(dict.fromkeys([*(one.customer for one in new), *waiting]))
        for customer in unknown[:CUSTOMERS_A_PASS_MAX]:
            try:
                self._learn_customer(customer)
            except KeyRefused:
                raise  # nobody else's list would be told either
            except (StripeUnavailable, StripeRefused) as untold:
                # One customer whose list Stripe cannot tell must not hold up those that are known.
                say("customer.unread", customer=customer, reason=str(untold), wait_s=self._timing.unread_wait_s)
                self._put_off_customer(customer, [lane for lane in due if lane.customer == customer])
                break
        return len(unknown)

    def _learn_customer(self, customer: str) -> None:
        with self._ledger.transaction() as tx:
            read_at = ledger_time(tx)
        subscriptions = self._subscriptions(customer, read_at=read_at)
        crash_point("seal.after_periods_read")
        with self._ledger.transaction() as tx:
            mirrors.put_mirrors(tx, self._account, subscriptions)
            sealing.put_customer_read(tx, self._account, customer)
            crash_point("seal.before_periods_commit")
        crash_point("seal.after_periods_commit")

    def _subscriptions(self, customer: str, *, read_at: datetime) -> list[Mirror]:
        """None for a customer that Stripe does not know: sending will be refused with Stripe's own words."""
        try:
            told = self._gateway.list_subscriptions(customer)
        except NotFound as unknown:
            say("customer.unknown", customer=customer, reason=str(unknown))
            return []
        read = [listed(subscription, kind="subscription", read_at=read_at) for subscription in told]
        for unreadable in (mirror for mirror in read if isinstance(mirror, Unreadable)):
            say("subscription.unreadable", customer=customer, reason=unreadable.reason)
        return [mirror for mirror in read if isinstance(mirror, Mirror)]

    def _put_off_blocked(self, lanes: Sequence[LaneToSeal]) -> None:
        self._put_off(lanes, wait_s=self._timing.meter_reread_s)
        for meter in sorted({lane.meter for lane in lanes}):
            say("meter.blocked", meter=meter, lanes=sum(lane.meter == meter for lane in lanes))

    def _put_off_customer(self, customer: str, lanes: Sequence[LaneToSeal]) -> None:
        """What is due of them, and the reading of their list, which is asked for before anything is due."""
        with self._ledger.transaction() as tx:
            sealing.put_off_reading(tx, self._account, customer, timing=self._timing)
            crash_point("seal.before_put_off_reading_commit")
        crash_point("seal.after_put_off_reading_commit")
        self._put_off(lanes, wait_s=self._timing.unread_wait_s)

    def _put_off(self, lanes: Sequence[LaneToSeal], *, wait_s: int) -> None:
        if lanes:
            with self._ledger.transaction() as tx:
                sealing.put_off_sealing(tx, [lane.lane_id for lane in lanes], wait=timedelta(seconds=wait_s))
                crash_point("seal.before_put_off_commit")
            crash_point("seal.after_put_off_commit")

    def _seal(self, lane_ids: Sequence[int]) -> int:
        if not lane_ids:
            return 0
        with self._ledger.transaction() as tx:
            is_known = self._guard.may_seal(tx)
            sealed, kept_back = NOTHING_SEALED
            if is_known:
                sealed, kept_back = sealing.seal(tx, lane_ids, timing=self._timing, unbilled=self._unbilled)
            crash_point("seal.before_commit")
        crash_point("seal.after_commit")
        if sealed.meter_events:
            say("meter_event.sealed", meter_events=sealed.meter_events)
        if sealed.unbilled and self._unbilled is not Unbilled.SEND:
            say("entry.unbilled", meter_events=sealed.unbilled)
        if kept_back.rows:
            say("entry.kept_back", rows=kept_back.rows, wait_s=self._timing.subscriptions_reread_s)
        if kept_back.let_go:
            say("entry.let_go", rows=kept_back.let_go)
        return sealed.meter_events


def main() -> None:
    with set_up_with_stripe("seal") as setup:
        account, timing = setup.settings.account, setup.timing
        unbilled = setup.settings.unbilled
        sealer = Sealer(setup.ledger, setup.gateway, account, timing=timing, guard=setup.guard, unbilled=unbilled)
        repeat("seal", sealer.seal_due, poll_s=timing.poll_s)


if __name__ == "__main__":
    main()
