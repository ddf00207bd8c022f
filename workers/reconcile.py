"""Step 6: accepted → confirmed, and held → whatever Stripe's books say (`_reading_back.py`).

What is confirmed is read again (`_second_readings.py`), and a copy too many is cancelled (`_cancelling.py`). Then
Stripe's own lists of events are read on (`_catching_up.py`). Beside all that, in threads of their own, is asked what is
wrong with money (`_watching.py`), and told (`_posting.py`).

Accepted is what Stripe said about one call; confirmed is what its books say. Per lane and hour, Stripe's summary is
compared with the sum of what we reported; where they differ, each minute is looked at by itself, which mostly belongs
to one meter event alone. A crash here leaves everything as it was; the claim of the lane comes back by itself.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.crash_points import crash_point
from service.figures import NOTHING, is_equal, shown
from service.gateway import Gateway, StripeRefused, StripeUnavailable, Summary
from service.ledger import Ledger, Transaction, confirming, lanes
from service.ledger.confirming import HOUR, MINUTE, LaneToConfirm, Span
from service.ledger.second_readings import schedule_second_readings
from service.logs import say
from service.timing import Timing
from workers._alarming import alarm_steps
from workers._beside import beside
from workers._cancelling import Canceller
from workers._catching_up import CatchUp
from workers._holding import DraftKeeper
from workers._loop import repeat_until, stop_on_signals
from workers._reading import read_each
from workers._reading_back import Reader
from workers._second_readings import SecondReader
from workers._setup import set_up_with_stripe

MINUTES_A_PASS_MAX = 30  # reads of single minutes; a lane whose sums differ must not eat the whole read budget
UNTOLD = "accepted by Stripe, which refuses to tell its summary"
MISSING = "accepted by Stripe, but missing from its summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What Stripe counted in one span of a lane."""

    span: Span
    counted: Decimal | None  # None: Stripe refuses to tell

    @property
    def is_agreed(self) -> bool:
        return self.counted is not None and is_equal(self.counted, self.span.value)

    @property
    def is_unseen(self) -> bool:
        """Nothing of it shows yet, as a lag may explain: then no minute of it does."""
        return self.counted == NOTHING and not self.is_agreed and not self.is_awaited_no_more

    @property
    def is_surplus(self) -> bool:
        """More than part of what we reported: no lag explains it. Of a `last` meter a figure is no amount."""
        low, high = sorted((NOTHING, self.span.value))
        is_beyond = self.counted is not None and not low <= self.counted <= high
        return is_beyond and not self.is_agreed and self.span.formula != "last"

    @property
    def is_contradiction(self) -> bool:
        return self.is_surplus or (self.is_awaited_no_more and not self.is_agreed)

    @property
    def is_awaited_no_more(self) -> bool:
        """Whether what is missing is taken as missing, and not as late. What cannot be read may be either."""
        return self.span.suspicion is not None or (self.span.is_overdue and self.counted is not None)

    @property
    def drift(self) -> str:
        """The state of what Stripe's books contradict: waiting while a lag may explain it, then a person's."""
        if self.is_surplus:
            return "conflict" if self.span.is_overdue else "accepted"
        return "held" if self.is_awaited_no_more else "accepted"

    @property
    def reason(self) -> str:
        return "; ".join(filter(None, (self._figures, self.span.suspicion)))

    @property
    def _figures(self) -> str:
        if self.counted is None:
            return UNTOLD
        if self.counted == NOTHING:
            return MISSING
        return f"Stripe counts {shown(self.counted)}, we reported {shown(self.span.value)}"


class Reconciler:
    def __init__(self, ledger: Ledger, gateway: Gateway, account: str, *, timing: Timing) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._account = account
        self._timing = timing

    def confirm_due(self) -> int:
        """Confirm what can be of the lanes that have waited longest. Returns how many meter events that confirmed.

        A lane that cannot be read now comes later. Raises StripeUnavailable when that is every one of them.
        """
        with self._ledger.transaction() as tx:
            claimed = confirming.claim_lanes_to_confirm(tx, self._account, timing=self._timing)
            crash_point("reconcile.before_claim_commit")
        crash_point("reconcile.after_claim_commit")
        return read_each(claimed, self._confirm, put_off=self._put_off)

    def _confirm(self, lane: LaneToConfirm) -> int:
        findings: list[Finding] = []
        try:
            for found in self._look(lane):
                findings += found
        except StripeUnavailable:
            self._close(lane, findings)  # what was read before counts, or a lane of many minutes would never get on
            raise
        return self._close(lane, findings)

    def _look(self, lane: LaneToConfirm) -> Iterator[list[Finding]]:
        """What Stripe's books say: hours that agree, then single minutes of the others."""
        with self._ledger.transaction() as tx:
            hours = confirming.spans_to_confirm(tx, lane, length=HOUR, timing=self._timing)
        differing: list[Span] = []
        # An hour in which something may still be sent, or is held, would be right by accident.
        for of_meter in by_meter(hour for hour in hours if not hour.is_moving):
            found = self._read_hours(lane, of_meter)
            crash_point("reconcile.after_hours_read")
            yield [finding for finding in found if finding.is_agreed and not finding.span.is_held]
            others = [finding for finding in found if not finding.is_agreed or finding.span.is_held]
            differing += [finding.span for finding in others if not finding.is_unseen]
        differing += [hour for hour in hours if hour.is_moving and hour.suspicion]
        for minute in self._minutes(lane, differing):
            yield self._read_minute(lane, minute)
            crash_point("reconcile.after_minute_read")

    def _minutes(self, lane: LaneToConfirm, hours: Sequence[Span]) -> list[Span]:
        """What can be told apart within these hours, as far as a pass may read."""
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, lane.lane_id)
            minutes = confirming.spans_to_confirm(tx, lane, length=MINUTE, within=hours, timing=self._timing)
            quiet = [minute for minute in minutes if not minute.is_moving and not minute.is_held][:MINUTES_A_PASS_MAX]
            confirming.note_checked(tx, ids_of(quiet))
            crash_point("reconcile.before_checked_commit")
        crash_point("reconcile.after_checked_commit")
        return quiet

    def _read_hours(self, lane: LaneToConfirm, hours: Sequence[Span]) -> list[Finding]:
        """One reading for all hours of a meter."""
        start, end = min(hour.start for hour in hours), max(hour.end for hour in hours)
        read = self._read(lane, hours[0].meter_stripe_id, start=start, end=end, window="hour")
        counted = {summary.start: summary.value for summary in read or ()}
        if read is None:
            return [Finding(span=hour, counted=None) for hour in hours if hour.suspicion]
        return [Finding(span=hour, counted=counted.get(hour.start, NOTHING)) for hour in hours]

    def _read_minute(self, lane: LaneToConfirm, minute: Span) -> list[Finding]:
        read = self._read(lane, minute.meter_stripe_id, start=minute.start, end=minute.end, window=None)
        if read is None:
            return [Finding(span=minute, counted=None)] if minute.suspicion else []
        return [Finding(span=minute, counted=sum((summary.value for summary in read), NOTHING))]

    def _read(
        self, lane: LaneToConfirm, meter_stripe_id: str, *, start: datetime, end: datetime, window: str | None
    ) -> list[Summary] | None:
        """None: Stripe refuses; another meter of the lane may still be told."""
        try:
            return self._gateway.read_summaries(
                meter_stripe_id, customer=lane.customer, start=start, end=end, window=window
            )
        except StripeRefused as refused:
            say("lane.unreadable", **where(lane), meter_stripe_id=meter_stripe_id, reason=str(refused))
            return None

    def _close(self, lane: LaneToConfirm, findings: Sequence[Finding]) -> int:
        """What was read says nothing of books that changed meanwhile: they are locked and compared before it counts."""
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, lane.lane_id)
            present = self._present(tx, lane, findings)
            sound = [finding for finding in findings if finding.span == present.get(finding.span.key)]
            agreed = [finding.span for finding in sound if finding.is_agreed]
            confirmed = confirming.confirm_meter_events(tx, ids_of(agreed))
            schedule_second_readings(tx, ids_of(agreed), timing=self._timing)
            drifted = [finding for finding in sound if finding.is_contradiction and is_news(tx, finding)]
            too_many = [finding.span for finding in drifted if finding.is_surplus and finding.span.length == MINUTE]
            schedule_second_readings(tx, ids_of(too_many), wait=timedelta(0), timing=self._timing)
            confirming.release_confirmed_lane(tx, lane, wait=self._wait(confirmed))
            crash_point("reconcile.before_commit")
        crash_point("reconcile.after_commit")
        self._tell(lane, confirmed=confirmed, drifted=drifted)
        return confirmed

    def _present(self, tx: Transaction, lane: LaneToConfirm, findings: Sequence[Finding]) -> dict[object, Span]:
        """The same spans as they are now."""
        looked_at = [finding.span for finding in findings]
        return {
            span.key: span
            for length in (HOUR, MINUTE)
            for within in [[span for span in looked_at if span.length == length]]
            for span in confirming.spans_to_confirm(tx, lane, length=length, within=within, timing=self._timing)
        }

    def _wait(self, confirmed: int) -> timedelta:
        """Until the next look at what is left: soon where Stripe's summaries move, later where they do not."""
        return timedelta(seconds=max(self._timing.poll_s, self._timing.confirm_after_s * (1 if confirmed else 4)))

    def _put_off(self, lane: LaneToConfirm, reason: str) -> None:
        wait_s = self._timing.unread_wait_s
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, lane.lane_id)
            confirming.release_confirmed_lane(tx, lane, wait=timedelta(seconds=wait_s))
            crash_point("reconcile.before_put_off_commit")
        crash_point("reconcile.after_put_off_commit")
        say("lane.unread", **where(lane), reason=reason, wait_s=wait_s)

    def _tell(self, lane: LaneToConfirm, *, confirmed: int, drifted: Sequence[Finding]) -> None:
        if confirmed:
            say("meter_event.confirmed", **where(lane), meter_events=confirmed)
        for finding in drifted:
            told = {"start": finding.span.start.isoformat(), "meter_events": len(finding.span.accepted_ids)}
            if finding.counted == NOTHING:
                say("meter_event.missing", **where(lane), **told, reason=finding.reason)
            else:
                say("meter_event.drifted", **where(lane), **told, reason=finding.reason)


def is_news(tx: Transaction, finding: Finding) -> bool:
    """Keep what contradicts our books with the meter events it is about. False: it was known."""
    ids = finding.span.accepted_ids
    return confirming.note_drift(tx, ids, state=finding.drift, reason=finding.reason) > 0


def by_meter(spans: Iterable[Span]) -> Collection[list[Span]]:
    """A lane's spans by the meter that they were sealed for; mostly there is one."""
    found: dict[str, list[Span]] = {}
    for span in spans:
        found.setdefault(span.meter_stripe_id, []).append(span)
    return found.values()


def ids_of(spans: Iterable[Span]) -> list[int]:
    return [meter_event_id for span in spans for meter_event_id in span.accepted_ids]


def where(lane: LaneToConfirm) -> dict[str, object]:
    return {"lane_id": lane.lane_id, "customer": lane.customer, "meter": lane.meter}


def main() -> None:
    with set_up_with_stripe("reconcile") as setup:
        ledger, gateway, account, timing = setup.ledger, setup.gateway, setup.settings.account, setup.timing
        is_only_writer = setup.settings.is_only_writer
        reconciler = Reconciler(ledger, gateway, account, timing=timing)
        reader = Reader(ledger, gateway, account, timing=timing, is_only_writer=is_only_writer)
        second_reader = SecondReader(ledger, gateway, account, timing=timing, is_only_writer=is_only_writer)
        canceller = Canceller(ledger, gateway, setup.limiter, account=account, timing=timing)
        catch_up = CatchUp(ledger, gateway, account, timing=timing)
        keeper = DraftKeeper(ledger, gateway, account, timing=timing, hold_s=setup.settings.hold_drafts_s)

        def step() -> int:
            """First what is to be confirmed or cancelled; what is read again can wait."""
            found = reconciler.confirm_due() + reader.read_back_due() + canceller.cancel_due()
            return found + second_reader.read_again_due() + catch_up.catch_up_due()

        stopping = stop_on_signals()
        steps = alarm_steps(setup) | {"hold": keeper.keep_due}
        with beside(steps, poll_s=timing.poll_s, stopping=stopping):
            repeat_until(stopping, "reconcile", step, poll_s=timing.poll_s)


if __name__ == "__main__":
    main()
