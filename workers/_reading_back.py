"""Step 6 for what is held: Stripe's books are read until they tell what became of it.

What is not known when the window closes is never guessed. The minute's summary is read, and what follows is decided in
`service/read_back.py`. What was read counts only if our own books did not change meanwhile: they are locked and
compared. A crash here leaves everything as it was; the claim comes back by itself.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from service.crash_points import crash_point
from service.figures import NOTHING, shown
from service.gateway import Gateway, StripeRefused
from service.ledger import Ledger, Transaction, lanes, reading_back
from service.ledger.generations import lateness, next_generation
from service.ledger.reading_back import Look, MinuteToRead
from service.logs import say
from service.read_back import (
    Absent,
    Contradicted,
    Part,
    Present,
    Unseen,
    Verdict,
    judge,
    wait,
    why_unread,
    why_unsendable,
)
from service.timing import Timing
from workers._reading import read_each


class Reader:
    """Reads held meter events back."""

    def __init__(
        self, ledger: Ledger, gateway: Gateway, account: str, *, timing: Timing, is_only_writer: bool = True
    ) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._account = account
        self._timing = timing
        self._is_only_writer = is_only_writer

    def read_back_due(self) -> int:
        """Read the minutes that have waited longest. Returns how many meter events are held no more.

        A minute that cannot be read now comes later. Raises StripeUnavailable when that is every one of them.
        """
        with self._ledger.transaction() as tx:
            claimed = self._claim(tx)
            crash_point("read_back.before_claim_commit")
        crash_point("read_back.after_claim_commit")
        return read_each(claimed, self._read_back, put_off=self._put_off)

    def _read_back(self, minute: MinuteToRead) -> int:
        with self._ledger.transaction() as tx:
            seen = self._look(tx, minute)
        if seen is None:
            return 0
        if seen.is_moving:
            return self._keep(minute, seen)
        if (why := why_unread(seen, is_only_writer=self._is_only_writer)) is not None:
            return self._leave(minute, seen, why=why)
        if (counted := self._counted(minute)) is None:
            return self._leave(minute, seen, why="Stripe refuses to tell its minute's summary")
        return self._conclude(minute, seen, counted=counted)

    def _claim(self, tx: Transaction) -> list[MinuteToRead]:
        return reading_back.claim_held_minutes(tx, self._account, timing=self._timing)

    def _look(self, tx: Transaction, minute: MinuteToRead) -> Look | None:
        return reading_back.look(tx, minute, timing=self._timing)

    def _counted(self, minute: MinuteToRead) -> Decimal | None:
        """What Stripe counts in the minute; None: it refuses to tell."""
        try:
            read = self._gateway.read_summaries(
                minute.meter_stripe_id, customer=minute.customer, start=minute.start, end=minute.end, window=None
            )
        except StripeRefused as refused:
            say("lane.unreadable", **_where(minute), meter_stripe_id=minute.meter_stripe_id, reason=str(refused))
            return None
        return sum((summary.value for summary in read), NOTHING)

    def _conclude(self, minute: MinuteToRead, seen: Look, *, counted: Decimal) -> int:
        crash_point("read_back.after_summary")
        verdict = judge(seen, counted, read_at=seen.now, timing=self._timing)
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, minute.lane_id)
            if self._look(tx, minute) != seen:
                return 0  # the claim comes back, and with it another reading
            reading_back.note_readings(tx, minute, seen, counted=counted, verdict=verdict)
            resolved = self._act(tx, seen, verdict)
            crash_point("read_back.before_commit")
        crash_point("read_back.after_commit")
        self._tell(minute, seen, verdict=verdict, counted=counted)
        return resolved

    def _act(self, tx: Transaction, seen: Look, verdict: Verdict) -> int:
        """What follows from a reading. Returns how many are held no more."""
        match verdict:
            case Present():
                reading_back.accept_held(tx, seen.held_ids, timing=self._timing)
            case Contradicted(reason=reason):
                reading_back.contradict_meter_events(tx, [*seen.held_ids, *seen.accepted_ids], reason=reason)
            case Absent(proof=str(proof)):
                self._send_anew(tx, seen, proof=proof)
            case Unseen() | Absent() | Part():
                reading_back.read_back_later(tx, seen.held_ids, wait=self._wait(seen))
                return 0
        return len(seen.held_ids)

    def _send_anew(self, tx: Transaction, seen: Look, *, proof: str) -> None:
        if (why := why_unsendable(seen, now=seen.now)) is not None:
            return reading_back.refuse_absent(tx, seen.held_ids, reason=f"{why}; {proof}")
        for meter_event_id in seen.held_ids:
            if (late := lateness(tx, meter_event_id)) is not None:
                reading_back.refuse_absent(tx, [meter_event_id], reason=f"{late}; {proof}")
                continue
            made = next_generation(tx, meter_event_id, reason=proof)
            crash_point("read_back.after_next_generation")
            assert made is not None, "its proof was written in this transaction, under our lock of the lane"
        return None

    def _keep(self, minute: MinuteToRead, seen: Look) -> int:
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, minute.lane_id)
            reading_back.read_back_later(tx, seen.held_ids, wait=self._wait(seen))
            crash_point("read_back.before_keep_commit")
        crash_point("read_back.after_keep_commit")
        return 0

    def _leave(self, minute: MinuteToRead, seen: Look, *, why: str) -> int:
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, minute.lane_id)
            news = reading_back.leave_to_person(tx, seen.held_ids, why=why)
            reading_back.read_back_later(tx, seen.held_ids, wait=self._wait(seen))
            crash_point("read_back.before_leave_commit")
        crash_point("read_back.after_leave_commit")
        if news:
            say("meter_event.undecidable", **_where(minute), **_about(seen.held_ids), reason=why)
        return 0

    def _put_off(self, minute: MinuteToRead, reason: str) -> None:
        wait_s = self._timing.unread_wait_s
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, minute.lane_id)
            seen = self._look(tx, minute)
            reading_back.read_back_later(tx, seen.held_ids if seen else [], wait=timedelta(seconds=wait_s))
            crash_point("read_back.before_put_off_commit")
        crash_point("read_back.after_put_off_commit")
        say("lane.unread", **_where(minute), reason=reason, wait_s=wait_s)

    def _wait(self, seen: Look) -> timedelta:
        return wait(seen, now=seen.now, timing=self._timing)

    def _tell(self, minute: MinuteToRead, seen: Look, *, verdict: Verdict, counted: Decimal) -> None:
        name = f"meter_event.{reading_back.verdict_name(verdict)}"
        said = {"counted": shown(counted), "held": shown(seen.held), "settled": shown(seen.settled)}
        say(name, **_where(minute), **_about(seen.held_ids), **said)


def _where(minute: MinuteToRead) -> dict[str, object]:
    told = {"lane_id": minute.lane_id, "customer": minute.customer, "meter": minute.meter}
    return {**told, "start": minute.start.isoformat()}


def _about(meter_event_ids: Sequence[int]) -> dict[str, object]:
    return {"meter_event_id": meter_event_ids[0], "meter_events": len(meter_event_ids)}
