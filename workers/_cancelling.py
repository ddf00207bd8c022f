"""Step 6 for a copy too many: Stripe is asked to cancel it, and its books are read for what it did.

A cancellation changes Stripe's books, so it is made as a meter event is sent: under the lane's lease, written down
(committed) before the call and closed after it. A crash here leaves at most one open cancellation a lane; the next
holder closes it as `lost` and asks again under the same key, which Stripe answers as it did before. What an answer
means is decided in `service/cancelling.py`, not here.
"""

import random
import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from service.cancelling import Cancel, GiveUp, Later, Step, classify_cancellation, next_step
from service.crash_points import crash_point
from service.decide import may_call
from service.gateway import Gateway
from service.ledger import Ledger, Transaction, cancelling, lanes
from service.ledger.cancelling import CopyToCancel
from service.ledger.lanes import Lease
from service.limiter import Pace, Throttled
from service.logs import say
from service.outcomes import LOST, NOT_MADE, Outcome, is_limited
from service.timing import Timing
from workers.submit import CLOCK

CALLS = "calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A cancellation that is written down and about to be made."""

    cancellation_id: int
    copy: CopyToCancel
    idempotency_key: str
    leased_at_s: float  # on our own clock, before the lease was renewed


class Canceller:
    """Cancels copies too many, one call a lane and pass."""

    def __init__(self, ledger: Ledger, gateway: Gateway, limiter: Pace, *, account: str, timing: Timing) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._limiter = limiter
        self._account = account
        self._timing = timing
        self._chance = random.Random()  # noqa: S311 — jitter, not a secret

    def cancel_due(self) -> int:
        """Make the calls that are due. Returns how many were made."""
        with self._ledger.transaction() as tx:
            leases = cancelling.lease_lanes_to_cancel(tx, self._account, timing=self._timing)
            crash_point("cancel.before_lease_commit")
        crash_point("cancel.after_lease_commit")
        return sum(self.turn(lease) for lease in leases)

    def turn(self, lease: Lease) -> int:
        """One lane: what an earlier holder left open first, then one call that is due."""
        self._close_dead(lease)
        try:
            self._limiter.take(CALLS, wait_s_max=self._timing.token_wait_max_s)  # with nothing open yet
        except (Throttled, RedisError):
            self._release(lease)
            raise
        call = self._open(lease)
        if call is not None:
            outcome = self._make(call)
            self._close(call, outcome, lease=lease)
            self._pace(outcome)
        self._release(lease)
        return int(call is not None)

    def _close_dead(self, lease: Lease) -> None:
        with self._ledger.transaction() as tx:
            lanes.lock_lane(tx, lease.lane_id)
            for dead in cancelling.dead_cancellations(tx, lease):
                if not cancelling.close_cancellation(tx, dead.cancellation_id, LOST):
                    continue  # its holder came back just now and said more than we could
                copy = cancelling.copy_called_for(tx, lease.lane_id, dead.meter_event_id)
                if copy is not None and copy.due_at is not None:
                    self._decide(tx, copy, LOST)
                say("cancellation.lost", cancellation_id=dead.cancellation_id, meter_event_id=dead.meter_event_id)
            crash_point("cancel.before_lost_commit")

    def _open(self, lease: Lease) -> Call | None:
        """Write down the lane's next call. What may no longer be called for comes to its end on the way."""
        leased_at_s = time.clock_gettime(CLOCK)
        with self._ledger.transaction() as tx:
            if not lanes.renew_lease(tx, lease, timing=self._timing):
                return None
            while (copy := cancelling.due_copy(tx, lease)) is not None:
                step = self._decide(tx, copy, None)
                if isinstance(step, Cancel):
                    cancellation_id = cancelling.open_cancellation(tx, copy, lease=lease, call=step)
                    crash_point("cancel.before_open_commit")
                    break
        crash_point("cancel.after_open_commit")
        if copy is None or not isinstance(step, Cancel):
            return None
        key = step.idempotency_key
        return Call(cancellation_id=cancellation_id, copy=copy, idempotency_key=key, leased_at_s=leased_at_s)

    def _make(self, call: Call) -> Outcome:
        """Call Stripe, unless this process was stopped for so long that the lane may be another's before it answers."""
        if not may_call(time.clock_gettime(CLOCK) - call.leased_at_s, timing=self._timing):
            return NOT_MADE
        crash_point("cancel.before_call")
        answer = self._gateway.cancel_meter_event(
            call.copy.meter,
            identifier=call.copy.identifier,
            idempotency_key=call.idempotency_key,
            call_id=f"cancellation-{call.cancellation_id}",
        )
        crash_point("cancel.after_call")
        return classify_cancellation(answer)

    def _close(self, call: Call, outcome: Outcome, *, lease: Lease) -> None:
        """Write down the answer, and act on it where the lane is still ours: else the next holder asks again."""
        step: Step | None = None
        with self._ledger.transaction() as tx:
            is_ours = lanes.renew_lease(tx, lease, timing=self._timing)
            cancelling.close_cancellation(tx, call.cancellation_id, outcome)
            copy = cancelling.copy_called_for(tx, call.copy.lane_id, call.copy.meter_event_id)
            if is_ours and copy is not None:
                step = self._decide(tx, copy, outcome)
            crash_point("cancel.before_close_commit")
        crash_point("cancel.after_close_commit")
        self._tell(call, outcome, step)

    def _pace(self, outcome: Outcome) -> None:
        if is_limited(outcome.answer):
            self._limiter.slow_down(CALLS)
        elif outcome.answer.status is not None:
            self._limiter.passed(CALLS)

    def _decide(self, tx: Transaction, copy: CopyToCancel, outcome: Outcome | None) -> Step:
        calls = cancelling.calls_to_cancel(tx, copy.meter_event_id)
        step = next_step(
            copy.identifier, calls, outcome, now=copy.now, cancel_until=copy.cancel_until, timing=self._timing
        )
        if not isinstance(step, Cancel):
            wait_s = self._chance.uniform(0, step.wait_s_max) if isinstance(step, Later) else 0.0
            cancelling.act(tx, copy, step, wait_s=wait_s, timing=self._timing)
        return step

    def _release(self, lease: Lease) -> None:
        with self._ledger.transaction() as tx:
            lanes.release_lane(tx, lease, rest_s=0.0)
            crash_point("cancel.before_release_commit")

    def _tell(self, call: Call, outcome: Outcome, step: Step | None) -> None:
        about = {"meter_event_id": call.copy.meter_event_id, "identifier": call.copy.identifier}
        say(
            "cancellation.ended",
            **about,
            cancellation_id=call.cancellation_id,
            outcome=lanes.outcome_name(outcome),
            status=outcome.answer.status,
            reason=outcome.answer.message or None,
            request_id=outcome.answer.request_id,
        )
        if isinstance(step, GiveUp) and call.copy.correction_id is not None:
            say("cancellation.replaced", **about, reason=step.said)
        elif isinstance(step, GiveUp):
            say("surplus.contradicted", **about, reason=step.reason)
