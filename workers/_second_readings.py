"""Step 6 for what is confirmed: Stripe's books are read again, by the hour, until they can hardly change any more.

Hours that agree cost one call for a hundred of them. Of an hour that does not, each minute is read by itself, and what
follows is decided in `service/second_reading.py`, under the lane's lock and by our books of that moment: what was read
counts only if they did not change meanwhile. A crash here leaves everything as it was; the claim comes back by itself.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from service.crash_points import crash_point
from service.figures import NOTHING, is_equal, shown
from service.gateway import Gateway, StripeRefused
from service.ledger import Ledger, Transaction, cancelling, lanes, second_readings
from service.ledger.confirming import HOUR
from service.ledger.reading_back import contradict_meter_events
from service.ledger.second_readings import HoursToRead, Look, SecondReading
from service.logs import say
from service.second_reading import Agreed, Contradicted, Differs, Pending, Surplus, judge, wait
from service.timing import Timing
from workers._reading import read_each

PAGE_HOURS = 100  # of one call
PAGES_A_LANE_MAX = 8  # calls for hours of a lane in a pass: a month
MINUTES_A_LANE_MAX = 60  # reads of single minutes of a lane in a pass: an hour's, so that one is always read whole

Counted = tuple[Look, Decimal]


class SecondReader:
    """Reads confirmed hours again."""

    def __init__(
        self, ledger: Ledger, gateway: Gateway, account: str, *, timing: Timing, is_only_writer: bool = True
    ) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._account = account
        self._timing = timing
        self._is_only_writer = is_only_writer

    def read_again_due(self) -> int:
        """Read the hours that have waited longest. Returns how many were read.

        Where others report to our meters, figures that differ say nothing of ours, and nothing is read. Raises
        StripeUnavailable when no lane can be read now.
        """
        if not self._is_only_writer:
            return 0
        with self._ledger.transaction() as tx:
            second_readings.ask_before_finalization(tx, self._account, timing=self._timing)
            claimed = second_readings.claim_hours_to_read_again(tx, self._account, timing=self._timing)
            crash_point("second_reading.before_claim_commit")
        crash_point("second_reading.after_claim_commit")
        return read_each(claimed, self._read_again, put_off=self._put_off)

    def _read_again(self, of: HoursToRead) -> int:
        """What is left over of a lane that differs all over comes back with the claim."""
        read, minutes_left = 0, MINUTES_A_LANE_MAX
        for hours in list(_pages(of.hours))[:PAGES_A_LANE_MAX]:
            differing, agreed = self._read_page(of, hours)
            read += agreed
            for hour, counted in differing:
                minutes = self._minutes(of, hour)
                if len(minutes) > minutes_left:
                    return read
                minutes_left -= len(minutes)
                read += self._read_hour(of, (hour, counted), minutes)
        return read

    def _read_page(self, of: HoursToRead, hours: Sequence[datetime]) -> tuple[list[Counted], int]:
        """The hours that differ, or that hold more than what is confirmed; and how many agree, which is kept."""
        with self._ledger.transaction() as tx:
            seen = second_readings.confirmed_hours(tx, of, hours)
        read = self._read(of, start=hours[0], end=hours[-1] + HOUR, window="hour") if seen else {}
        if read is None:
            self._leave_unread(of, hours)
            return [], 0
        found = [(look, read.get(look.start, NOTHING)) for look in seen]
        agreed = [one for one in found if one[0].is_plain and is_equal(one[1], one[0].expected)]
        empty = sorted(set(hours) - {look.start for look in seen})
        self._keep_agreed(of, agreed, others=empty)
        return [one for one in found if one not in agreed], len(agreed)

    def _minutes(self, of: HoursToRead, hour: Look) -> list[Look]:
        with self._ledger.transaction() as tx:
            found = second_readings.confirmed_minutes(tx, of, [hour.start])
        return [minute for minute in found if not minute.is_unsettled]

    def _read_hour(self, of: HoursToRead, hour: Counted, minutes: Sequence[Look]) -> int:
        """An hour of which the minutes must tell. Returns 0 where one does not or our books changed, else 1."""
        found = list[Counted]()
        for minute in minutes:
            read = self._read(of, start=minute.start, end=minute.end, window=None)
            if read is None:
                self._leave_unread(of, [hour[0].start])
                return 0
            found.append((minute, sum(read.values(), NOTHING)))
        crash_point("second_reading.after_minutes")
        return self._conclude(of, hour, found)

    def _read(
        self, of: HoursToRead, *, start: datetime, end: datetime, window: str | None
    ) -> dict[datetime, Decimal] | None:
        """None: Stripe refuses to tell."""
        try:
            read = self._gateway.read_summaries(
                of.meter_stripe_id, customer=of.customer, start=start, end=end, window=window
            )
        except StripeRefused as refused:
            say("lane.unreadable", **_where(of), meter_stripe_id=of.meter_stripe_id, reason=str(refused))
            return None
        return {summary.start: summary.value for summary in read}

    def _leave_unread(self, of: HoursToRead, hours: Sequence[datetime]) -> None:
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, of.lane_id)
            second_readings.leave_hours_unread(tx, of, hours, timing=self._timing)

    def _keep_agreed(self, of: HoursToRead, agreed: Sequence[Counted], *, others: Sequence[datetime]) -> None:
        """Hours that agree, and others of which there is nothing to ask, wait for their next turn."""
        starts = [look.start for look, _ in agreed]
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, of.lane_id)
            present = second_readings.confirmed_hours(tx, of, starts) if starts else []
            sound = [
                SecondReading(look=look, counted=counted, verdict=Agreed())
                for look, counted in agreed
                if look in present
            ]
            read_at = agreed[0][0].now if agreed else None
            if read_at is not None:
                second_readings.note_second_readings(tx, of, sound, read_at=read_at)
            self._read_later(tx, of, [*(one.look.start for one in sound), *others], read_at=read_at)
            crash_point("second_reading.before_agreed_commit")
        crash_point("second_reading.after_agreed_commit")
        if sound:
            say("hour.read_again", **_where(of), hours=len(sound))

    def _conclude(self, of: HoursToRead, hour: Counted, found: Sequence[Counted]) -> int:
        read_at = hour[0].now
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, of.lane_id)
            present = second_readings.confirmed_minutes(tx, of, [hour[0].start])
            readings = [self._judged(tx, of, one) for one in found if one[0] in present]
            if hour[0].is_plain and all(isinstance(reading.verdict, Agreed) for reading in readings):
                readings.append(SecondReading(look=hour[0], counted=hour[1], verdict=None))
            second_readings.note_second_readings(tx, of, readings, read_at=read_at)
            for reading in readings:
                self._act(tx, reading)
            is_sound = all(look in present for look, _ in found)
            if is_sound:
                self._read_later(tx, of, [hour[0].start], read_at=read_at, wait=self._soonest(readings))
            crash_point("second_reading.before_commit")
        crash_point("second_reading.after_commit")
        for reading in readings:
            self._tell(of, reading)
        return int(is_sound)

    def _judged(self, tx: Transaction, of: HoursToRead, found: Counted) -> SecondReading:
        look, counted = found
        copies = [] if is_equal(counted, look.expected) else second_readings.copies_in_minute(tx, of, look)
        verdict = judge(look, counted, copies, read_at=look.now, timing=self._timing)
        return SecondReading(look=look, counted=counted, verdict=verdict)

    def _act(self, tx: Transaction, reading: SecondReading) -> None:
        look = reading.look
        match reading.verdict:
            case Agreed():
                cancelling.end_surplus(tx, look.cancelling_ids, ending="cancelled")
                second_readings.confirm_taken_late(tx, look.taken_late_ids)
            case Surplus() as found:
                cancelling.begin_surplus(tx, found)
            case Contradicted(reason=reason):
                cancelling.end_surplus(tx, look.cancelling_ids, ending="contradicted")
                contradict_meter_events(tx, look.confirmed_ids, reason=reason)
            case Differs() | Pending() | None:
                return

    def _soonest(self, readings: Sequence[SecondReading]) -> timedelta | None:
        """When the hour is read on account of one of its minutes."""
        waits = [
            wait(reading.look, reading.verdict, now=reading.look.now, timing=self._timing)
            for reading in readings
            if reading.verdict is not None
        ]
        return min((one for one in waits if one is not None), default=None)

    def _read_later(
        self,
        tx: Transaction,
        of: HoursToRead,
        hours: Sequence[datetime],
        *,
        read_at: datetime | None,
        wait: timedelta | None = None,
    ) -> None:
        second_readings.read_hours_later(tx, of, hours, read_at=read_at, wait=wait, timing=self._timing)

    def _put_off(self, of: HoursToRead, reason: str) -> None:
        """Its claim comes back by itself."""
        say("lane.unread", **_where(of), reason=reason, wait_s=self._timing.drain_s)

    def _tell(self, of: HoursToRead, reading: SecondReading) -> None:
        look = reading.look
        said = {**_where(of), "start": look.start.isoformat(), "counted": shown(reading.counted)}
        match reading.verdict:
            case Agreed():
                for meter_event_id in look.cancelling_ids:
                    name = "meter_event.cancelled" if meter_event_id in look.taken_back_ids else "surplus.cancelled"
                    say(name, **said, meter_event_id=meter_event_id)
            case Surplus(meter_event_id=meter_event_id):
                say("surplus.found", **said, expected=shown(look.expected), meter_event_id=meter_event_id)
            case Differs():
                say("minute.differed", **said, expected=shown(look.expected))
            case Contradicted(reason=reason):
                say("minute.contradicted", **said, reason=reason, meter_events=len(look.confirmed_ids))
            case None:
                say("hour.differed", **said, expected=shown(look.expected))
            case Pending():
                return


def _pages(hours: Sequence[datetime]) -> Iterator[list[datetime]]:
    """In order, as many together as one call shows."""
    page: list[datetime] = []
    for hour in sorted(hours):
        if page and hour >= page[0] + PAGE_HOURS * HOUR:
            yield page
            page = []
        page.append(hour)
    if page:
        yield page


def _where(of: HoursToRead) -> dict[str, object]:
    return {"lane_id": of.lane_id, "customer": of.customer, "meter": of.meter}
