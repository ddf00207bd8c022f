"""Step 2: message → entries, or signups.

Claim many messages, parse them, write everything in one transaction (subscription rows in one of their own), commit,
and only then acknowledge. A crash before the commit leaves the messages with the broker; one after it brings them
again, and the unique key finds every row told. A row that cannot be read goes to quarantine in the same transaction,
with its bytes, and never back to the queue.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from meterpost.rows import NO_UNITS, SUBSCRIPTION_SCHEMA, BadRow, SubscriptionRow, Units, UsageRow, parse_message
from service.crash_points import crash_point
from service.ledger import Ledger, intake
from service.ledger.intake import Intake
from service.logs import say
from service.queues import Claimed, RowQueue
from service.ratecard.chosen import units_of
from service.timing import Timing
from workers._loop import repeat
from workers._setup import set_up

MESSAGES_MAX = 50  # a claim and a transaction: 50,000 rows at most, which takes about a second
SIGNUPS_MAX = 5_000  # of a transaction, or a message more: their customers' lanes are locked meanwhile


@dataclass(slots=True, kw_only=True)
class Heard:
    """What messages said: rows of usage, or subscription rows, and what is neither."""

    messages: int = 0
    rows: list[UsageRow] = field(default_factory=list)
    signups: list[SubscriptionRow] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


class Recorder:
    def __init__(self, ledger: Ledger, queue: RowQueue, *, timing: Timing, units: Units = NO_UNITS) -> None:
        self._ledger = ledger
        self._queue = queue
        self._timing = timing
        self._units = units

    def record_some(self) -> int:
        """Record what waits in the queue, one transaction of it. Returns how many messages that were."""
        claimed = self._queue.claim(messages_max=MESSAGES_MAX, wait_s=self._timing.poll_s)
        if claimed:
            crash_point("record.after_claim")
            self._record(claimed)
        return len(claimed)

    def _record(self, claimed: Sequence[Claimed]) -> None:
        heard = read(claimed, now=datetime.now(UTC), units=self._units)
        recorded = [self._write(one) for one in heard]
        crash_point("record.before_ack")
        self._queue.ack(claimed)
        crash_point("record.after_ack")
        for written, one in zip(recorded, heard, strict=True):
            _tell(written, one)
        if garbled := sum(message.is_garbled for message in claimed):
            say("queue.garbled", intake_id=recorded[0].intake_id, items=garbled)

    def _write(self, heard: Heard) -> Intake:
        with self._ledger.transaction() as tx:
            if heard.signups:
                recorded = intake.record_signups(tx, heard.signups, heard.bad, messages=heard.messages)
            else:
                recorded = intake.record(tx, heard.rows, heard.bad, messages=heard.messages, timing=self._timing)
            crash_point("record.before_commit")
        return recorded


def read(claimed: Sequence[Claimed], *, now: datetime, units: Units = NO_UNITS) -> list[Heard]:
    """What these messages say, in their order, a transaction each: of usage first, then of subscriptions.

    Total: whatever stands in a message.
    """
    usage, subscriptions = Heard(), [Heard()]
    for message in claimed:
        if not message.is_json:
            reason = f"not JSON but {message.content_type[:100]}; it was not decoded"
            usage.messages += 1
            usage.bad.append(BadRow(raw=message.body, row_id=None, field="message", reason=reason, sent_at=None))
            continue
        parsed = parse_message(message.body, now=now, units=units)
        if len(subscriptions[-1].signups) >= SIGNUPS_MAX:
            subscriptions.append(Heard())
        heard = subscriptions[-1] if parsed.schema == SUBSCRIPTION_SCHEMA else usage
        heard.messages += 1
        heard.rows += parsed.rows
        heard.signups += parsed.signups
        heard.bad += parsed.bad
    return [heard for heard in (usage, *subscriptions) if heard.messages]


def _tell(recorded: Intake, heard: Heard) -> None:
    say(
        "intake.committed",
        intake_id=recorded.intake_id,
        messages=recorded.messages,
        rows=recorded.rows,
        recorded=recorded.recorded,
        duplicates=recorded.duplicates,
        conflicts=recorded.conflicts,
        quarantined=recorded.quarantined,
    )
    if heard.signups:
        say("signup.recorded", intake_id=recorded.intake_id, signups=recorded.recorded, blocked=recorded.blocked)
    if bad := heard.bad:
        say("row.quarantined", intake_id=recorded.intake_id, rows=len(bad), first_reason=bad[0].reason)
    if recorded.conflicts:
        say("row.conflicted", intake_id=recorded.intake_id, rows=recorded.conflicts)


def main() -> None:
    with set_up("record") as setup:
        units = units_of(setup.settings)
        queue = RowQueue(
            setup.settings.broker_url,
            visibility_timeout_s=setup.timing.visibility_timeout_s,
            prefetch_messages=MESSAGES_MAX,
        )
        recorder = Recorder(setup.ledger, queue, timing=setup.timing, units=units)
        try:
            repeat("record", recorder.record_some, poll_s=setup.timing.poll_s)
        finally:
            queue.close()


if __name__ == "__main__":
    main()
