"""Every lease, deadline and interval in one place, because what matters is how they relate.

A profile is chosen by METERPOST_TIMING. `fast` keeps the relations and shortens the times: the demo and tests of real
processes use it. The relations are asserted, so a profile that could send twice does not load.
"""

from dataclasses import dataclass
from datetime import timedelta

STRIPE_FORGETS_S = 24 * 3600  # identifiers and idempotency keys; Stripe promises "at least"
CANCELLABLE_S = 24 * 3600  # after Stripe received a meter event; it cancels no older one
RETRY_WINDOW_S = 23 * 3600  # from the first doubt; an hour before Stripe may forget
FINALIZATION_GRACE_S = 3600  # Stripe waits so long after a period's end, unless its account is set to more
TIMESTAMP_AGE_MAX_S = 35 * 86400  # Stripe refuses older meter events
ALARM_S_MAX = 60  # from its cause to an alarm
QUESTION_S_MAX = 5  # a question of what is wrong that takes longer is ended, so that the others are asked
SENDABLE_AGE_MAX_S = TIMESTAMP_AGE_MAX_S - 86400  # a generation is not begun later: its window must close before


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    bucket_s: int = 300  # entries of so long a stretch become one meter event
    seal_linger_s: int = 10  # after the last row of a bucket is due, so that late ones still join it
    meter_reread_s: int = 300  # how old our knowledge of a meter may be
    unread_wait_s: int = 60  # before a customer's subscriptions are asked for again, when Stripe could not tell them
    subscriptions_reread_s: int = 3600  # how old an empty list of a customer's subscriptions may be
    connect_timeout_s: int = 5
    call_deadline_s: int = 20  # the whole call, first byte to last
    token_wait_max_s: int = 5  # for the limiter; a call's own wait is part of its lease
    lease_s: int = 40  # a lane's, renewed before every call
    drain_s: int = 60  # how long one wake-up of submit goes on taking lanes
    job_timeout_s: int = 150  # RQ's own; must never end a drain that is in order
    visibility_timeout_s: int = 60  # an unacked message comes back after this; over ten times the longest commit
    backoff_base_s: int = 1
    backoff_max_s: int = 900
    lane_backoff_max_s: int = 5  # a lane's next meter events do not wait for one that fails
    signup_waits_max_s: int = 60  # for another of its customer that backs off; an event may settle that one sooner
    breaker_s: int = 60  # after a 401 or 403: no call of the account before
    unreachable_s: int = 5  # after Stripe failed, or no way to it was found: no call of the account before
    unreachable_max_s: int = 300  # the same, after many trials that failed; an outage that ends is noticed within it
    confirm_after_s: int = 120  # Stripe's summaries lag; ask no sooner
    restore_settle_s: int = 3600  # after a restore was noticed; by then the last forgotten calls show at Stripe
    confirm_missing_s: int = 25 * 3600  # not in the summary after this: missing, not late
    suspect_after_s: int = 600  # the same where an error report of its window names others: held then, and read back
    absence_wait_s: int = 25 * 3600  # after the last attempt; a reading before it proves no absence
    absence_again_s: int = 1800  # between two readings that prove an absence together
    read_back_s: int = 3600  # before a held meter event is read again; longer, the longer it is held
    price_reread_s: int = 300  # how old another signup's reading of the same price may be
    listing_serves_s: int = 60  # how old the list of a customer's subscriptions may be when one is created
    listing_lag_s: int = 60  # after a creation was answered; a list before it proves no absence
    listing_again_s: int = 1800  # between two lists that prove an absence together
    # Of what is confirmed, after its acceptance. After 46 hours again, as one answer may come from an old copy. The
    # last is too late to cancel but not to tell: by then a copy shows even in an answer that is days old, so that
    # whoever was away, and read once for several turns, does not depend on that one answer.
    second_readings_s: tuple[int, ...] = (3600, 20 * 3600, 45 * 3600, 46 * 3600, 96 * 3600)
    before_finalization_s: int = 1800  # what an invoice is about to bill is read so long before
    cancel_margin_s: int = 3600  # no cancellation is begun in the last hour in which Stripe would take it
    cancel_settle_s: int = 600  # after a cancellation, before Stripe's books are asked what it did
    confirm_open_hours: bool = False  # True: read the hour that is not over yet as well
    apply_backoff_max_s: int = 600
    catch_up_s: int = 600  # between two readings of Stripe's own lists of events
    missed_after_s: int = 600  # an event found there that was not pushed so long after its creation is an alarm
    watch_s: float = 10  # between two askings of what is wrong: an alarm stands within a minute of its cause
    urgent_within_s: int = 1800  # before its deadline, what is not mended calls a person at once
    rate_again_s: int = 3600  # what an alarm is worth moves with the rest of its stretch, where prices have tiers
    post_deadline_s: int = 10  # of one call that posts an alarm, first byte to last
    post_wait_s: int = 5  # before an alarm that was not taken is posted again; twice as long each time
    post_wait_max_s: int = 900
    post_for_s: int = 3 * 86400  # a receiver that is away for longer is given up, and that is said
    poll_s: float = 1.0  # how often a step asks what is due

    def __post_init__(self) -> None:
        assert self.connect_timeout_s < self.call_deadline_s, "connecting is part of the call"
        assert self.token_wait_max_s + self.call_deadline_s < self.lease_s, "a call must end within its lease"
        assert self.lease_s < self.drain_s < self.job_timeout_s - self.call_deadline_s, "RQ must not end a drain"
        assert RETRY_WINDOW_S + self.lease_s < STRIPE_FORGETS_S, "no resend after Stripe may have forgotten"
        assert self.suspect_after_s <= self.confirm_missing_s, "a suspect is asked about sooner"
        assert self.absence_wait_s > STRIPE_FORGETS_S, "an absence says nothing while Stripe remembers"
        assert self.token_wait_max_s + self.call_deadline_s < self.listing_serves_s, "a list serves the next call"
        assert self.listing_lag_s <= self.listing_again_s, "what lags behind the first list shows in the second"
        assert self.listing_again_s <= self.absence_again_s, "a list is sooner right than a summary"
        assert self.lane_backoff_max_s <= self.backoff_max_s, "a lane waits no longer than its meter event"
        assert self.lane_backoff_max_s <= self.signup_waits_max_s, "what waits for another looks no oftener than that"
        assert self.restore_settle_s >= self.confirm_after_s, "a forgotten call shows no sooner than a known one"
        assert list(self.second_readings_s) == sorted(set(self.second_readings_s)), "readings follow one another"
        found_after_s = self.second_readings_s[-2] - STRIPE_FORGETS_S + self.absence_again_s
        assert found_after_s < CANCELLABLE_S - self.cancel_margin_s, "what is found can still be cancelled"
        assert self.before_finalization_s < FINALIZATION_GRACE_S, "after the period's end, or late usage is not in it"
        assert self.watch_s + QUESTION_S_MAX < ALARM_S_MAX, "an alarm stands in time, although a question was slow"
        assert self.post_wait_s <= self.post_wait_max_s < self.post_for_s, "a post is tried again before it is given up"
        assert 3600 % self.bucket_s == 0, "buckets must not straddle hours: summaries are read by the hour"

    @property
    def bucket(self) -> timedelta:
        return timedelta(seconds=self.bucket_s)

    @property
    def seal_linger(self) -> timedelta:
        return timedelta(seconds=self.seal_linger_s)

    @property
    def second_readings(self) -> list[timedelta]:
        return [timedelta(seconds=seconds) for seconds in self.second_readings_s]

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_s)


STANDARD = Timing()
FAST = Timing(
    seal_linger_s=1,
    meter_reread_s=5,
    unread_wait_s=2,
    subscriptions_reread_s=60,
    connect_timeout_s=1,
    call_deadline_s=3,
    token_wait_max_s=1,
    lease_s=5,
    drain_s=8,
    job_timeout_s=30,
    visibility_timeout_s=5,
    backoff_max_s=5,
    lane_backoff_max_s=1,
    signup_waits_max_s=2,
    breaker_s=3,
    unreachable_s=1,
    unreachable_max_s=5,
    confirm_after_s=1,
    restore_settle_s=1,
    suspect_after_s=1,
    read_back_s=5,
    price_reread_s=5,
    listing_serves_s=5,
    listing_lag_s=1,
    listing_again_s=2,
    second_readings_s=(5, 15, 30, 35, 70),
    before_finalization_s=10,
    cancel_settle_s=2,
    confirm_open_hours=True,
    apply_backoff_max_s=5,
    catch_up_s=5,
    missed_after_s=30,
    watch_s=0.5,
    urgent_within_s=10,
    rate_again_s=5,
    post_deadline_s=2,
    post_wait_s=1,
    post_wait_max_s=5,
    poll_s=0.1,
)
PROFILES = {"standard": STANDARD, "fast": FAST}
