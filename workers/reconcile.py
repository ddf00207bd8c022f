"""Step 6: accepted → confirmed.

Accepted is what Stripe said about one call; confirmed is what its books say. Per lane and hour, Stripe's summary is
compared with the sum of what we reported; where they differ, each meter event that owns its minute is looked at by
itself. A crash here leaves everything as it was; the claim of the lane comes back by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from service.gateway import Gateway, StripeRefused, Summary
from service.ledger import Ledger, confirming
from service.ledger.confirming import HourOfLane, LaneToConfirm, MinuteOfLane
from service.logs import say
from service.timing import Timing
from workers._loop import repeat, stop_on_signals
from workers._setup import set_up_with_stripe

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MINUTES_A_PASS_MAX = 30  # reads of single minutes; a lane whose sums differ must not eat the whole read budget
FLOAT_DIGITS = 15  # Stripe's summary is a float; more than it can hold exactly is not compared
NOTHING = Decimal(0)
MISSING = "accepted by Stripe, but missing from its summary"
DIFFERING = "accepted by Stripe, but the sum of its hour differs and it owns no minute to be told apart by"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one look at a lane told: what Stripe counted, what it should have and did not, and what cannot be told."""

    confirmed: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    undecided: list[int] = field(default_factory=list)


class Reconciler:
    def __init__(self, ledger: Ledger, gateway: Gateway, account: str, *, timing: Timing) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._account = account
        self._timing = timing

    def confirm_due(self) -> int:
        """Confirm what can be of the lanes that have waited longest. Returns how many meter events that confirmed."""
        with self._ledger.transaction() as tx:
            lanes = confirming.claim_lanes_to_confirm(tx, self._account, timing=self._timing)
        return sum(self._confirm(lane) for lane in lanes)

    def _confirm(self, lane: LaneToConfirm) -> int:
        with self._ledger.transaction() as tx:
            hours = confirming.hours_to_confirm(tx, lane, timing=self._timing)
        try:
            findings = self._compare(lane, hours)
        except StripeRefused as refused:
            say("lane.unreadable", lane_id=lane.lane_id, customer=lane.customer, meter=lane.meter, reason=str(refused))
            findings = Findings()
        with self._ledger.transaction() as tx:
            confirmed = confirming.confirm_meter_events(tx, findings.confirmed)
            missing = confirming.hold_missing(tx, findings.missing, reason=MISSING)
            missing += confirming.hold_missing(tx, findings.undecided, reason=DIFFERING)
            confirming.release_confirmed_lane(tx, lane, wait=self._wait(confirmed))
        self._tell(lane, confirmed=confirmed, missing=missing)
        return confirmed

    def _compare(self, lane: LaneToConfirm, hours: Sequence[HourOfLane]) -> Findings:
        if not hours:
            return Findings()
        read = self._gateway.read_summaries(
            lane.stripe_id, customer=lane.customer, start=hours[0].hour, end=hours[-1].hour + HOUR, window="hour"
        )
        agreed, differing = compare_hours(hours, read)
        findings = Findings(confirmed=agreed, undecided=undecided(differing))
        for minute in self._minutes(lane, differing):
            counted = self._read_minute(lane, minute)
            if is_equal(counted, minute.value):
                findings.confirmed.append(minute.meter_event_id)
            elif counted == NOTHING and minute.is_overdue:
                findings.missing.append(minute.meter_event_id)
        return findings

    def _minutes(self, lane: LaneToConfirm, hours: Sequence[HourOfLane]) -> list[MinuteOfLane]:
        """What owns its minute within these hours, for a closer look; the rest waits for the sums to agree."""
        with self._ledger.transaction() as tx:
            minutes = [
                minute
                for hour in hours
                for minute in confirming.minutes_to_confirm(tx, lane, hour.hour, timing=self._timing)
            ]
        return minutes[:MINUTES_A_PASS_MAX]

    def _read_minute(self, lane: LaneToConfirm, minute: MinuteOfLane) -> Decimal:
        read = self._gateway.read_summaries(
            lane.stripe_id, customer=lane.customer, start=minute.minute, end=minute.minute + MINUTE, window=None
        )
        return sum((summary.value for summary in read), NOTHING)

    def _wait(self, confirmed: int) -> timedelta:
        """Until the next look at what is left: soon where Stripe's summaries move, later where they do not."""
        return timedelta(seconds=max(self._timing.poll_s, self._timing.confirm_after_s * (1 if confirmed else 4)))

    def _tell(self, lane: LaneToConfirm, *, confirmed: int, missing: int) -> None:
        where = {"lane_id": lane.lane_id, "customer": lane.customer, "meter": lane.meter}
        if confirmed:
            say("meter_event.confirmed", **where, meter_events=confirmed)
        if missing:
            say("meter_event.missing", **where, meter_events=missing)


def compare_hours(hours: Sequence[HourOfLane], read: Sequence[Summary]) -> tuple[list[int], list[HourOfLane]]:
    """The meter events of hours in which Stripe's books agree with ours, and the hours in which they do not.

    An hour in which something may still be sent is looked at later; its sum would be right by accident.
    """
    counted: dict[datetime, Decimal] = {summary.start: summary.value for summary in read}
    agreed: list[int] = []
    differing: list[HourOfLane] = []
    for hour in hours:
        if hour.is_moving:
            continue
        if not hour.is_held and is_equal(counted.get(hour.hour, NOTHING), hour.value):
            agreed += hour.accepted_ids
        else:
            differing.append(hour)
    return agreed, differing


def undecided(differing: Sequence[HourOfLane]) -> list[int]:
    """What no lag can explain any more and no minute can tell apart. Beside a held one it waits: that may be why."""
    return [
        meter_event_id
        for hour in differing
        if hour.is_overdue and not hour.is_held
        for meter_event_id in hour.minuteless_ids
    ]


def is_equal(counted: Decimal, reported: Decimal) -> bool:
    """Equal as far as a float can tell: Stripe's summaries are floats of 15 digits."""
    return _rounded(counted) == _rounded(reported)


def _rounded(value: Decimal) -> Decimal:
    return +value.normalize() if len(value.as_tuple().digits) <= FLOAT_DIGITS else Decimal(f"{value:.{FLOAT_DIGITS}g}")


def main() -> None:
    stopping = stop_on_signals()
    with set_up_with_stripe("reconcile") as setup:
        reconciler = Reconciler(setup.ledger, setup.gateway, setup.settings.account, timing=setup.timing)
        repeat("reconcile", reconciler.confirm_due, poll_s=setup.timing.poll_s, stopping=stopping)


if __name__ == "__main__":
    main()
