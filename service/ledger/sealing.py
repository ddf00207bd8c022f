"""Entries into meter events, by the meter's formula, and what must be known of Stripe before.

Membership is the claim: an entry whose `meter_event_id` is null is unsealed, however late its transaction
committed. An id watermark would pass over late commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.ledger.externals import draft_externals, hold_externals
from service.meters import Meter
from service.timing import Timing
from service.unbilled import LET_GO_AGE, Unbilled

LANES_MAX = 256  # lanes looked at in one pass
BUCKETS_MAX = 2_000  # sealed in one transaction; more would hold the lanes' locks for seconds
ENTRIES_MAX = 50_000  # likewise, whatever the buckets hold
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LaneToSeal:
    lane_id: int
    account: str
    customer: str
    meter: str
    is_meter_known: bool
    is_sealable: bool  # known, active and adding up: only such a meter says how rows become meter events
    is_customer_known: bool


@dataclass(frozen=True, slots=True)
class UnreadCustomer:
    customer: str


@dataclass(frozen=True, slots=True)
class UnknownMeters:
    """How many that rows name nobody has heard of, and Stripe is to be asked for, as of that time."""

    meters: int
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Sealed:
    meter_events: int
    unbilled: int  # of these, how many no stretch bills

    def __add__(self, other: "Sealed") -> "Sealed":
        return Sealed(self.meter_events + other.meter_events, self.unbilled + other.unbilled)


@dataclass(frozen=True, slots=True)
class KeptBack:
    """Rows that nobody bills: those that stay unsealed, and those that are sealed because they grow too old."""

    rows: int = 0
    let_go: int = 0


@dataclass(frozen=True, slots=True)
class _Lane:
    lane_id: int


def lanes_to_seal(tx: Transaction, *, timing: Timing) -> list[LaneToSeal]:
    """Lanes with a bucket that is due, the longest waiting first."""
    return fetch(
        tx,
        LaneToSeal,
        "lanes_to_seal",
        lanes_max=LANES_MAX,
        meter_reread=timedelta(seconds=timing.meter_reread_s),
        subscriptions_reread=timedelta(seconds=timing.subscriptions_reread_s),
    )


def put_off_sealing(tx: Transaction, lane_ids: Sequence[int], *, wait: timedelta) -> None:
    execute(tx, "put_off_sealing", lane_ids=list(lane_ids), wait=wait)


def put_meters(tx: Transaction, account: str, meters: Sequence[Meter]) -> None:
    """Remember Stripe's meters as just read."""
    execute(
        tx,
        "put_meters",
        account=account,
        meters=[meter.event_name for meter in meters],
        stripe_ids=[meter.stripe_id for meter in meters],
        formulas=[meter.formula for meter in meters],
        customer_keys=[meter.customer_key for meter in meters],
        value_keys=[meter.value_key for meter in meters],
        event_time_windows=[meter.event_time_window for meter in meters],
        are_active=[meter.is_active for meter in meters],
    )


def unknown_meters(tx: Transaction, account: str) -> UnknownMeters:
    found = fetch_one(tx, UnknownMeters, "unknown_meters", account=account)
    assert found is not None, "a count always answers"
    return found


def put_off_unknown(tx: Transaction, account: str, *, asked_at: datetime, wait_s: int) -> None:
    """After Stripe's list was read, or could not be: what was asked for before is known now, or is asked for later."""
    execute(tx, "put_off_unknown", account=account, asked_at=asked_at, wait=timedelta(seconds=wait_s))


def unread_customers(tx: Transaction, account: str, *, customers_max: int) -> list[UnreadCustomer]:
    """Those with usage whose subscriptions were never listed, the longest waiting first."""
    return fetch(tx, UnreadCustomer, "unread_customers", account=account, customers_max=customers_max)


def put_off_reading(tx: Transaction, account: str, customer: str, *, timing: Timing) -> None:
    wait = timedelta(seconds=timing.unread_wait_s)
    execute(tx, "put_off_reading", account=account, customer=customer, wait=wait)


def put_customer_read(tx: Transaction, account: str, customer: str) -> None:
    """Remember that a customer's subscriptions were read just now."""
    execute(tx, "put_customer_read", account=account, customer=customer)


def seal(
    tx: Transaction, lane_ids: Sequence[int], *, timing: Timing, unbilled: Unbilled = Unbilled.WARN
) -> tuple[Sealed, KeptBack]:
    """Make meter events of the due buckets of these lanes; lanes that another process seals now are left to it."""
    locked = [lane.lane_id for lane in fetch(tx, _Lane, "lock_lanes", lane_ids=list(lane_ids))]
    if not locked:
        return Sealed(0, 0), KeptBack()
    execute(tx, "make_due")
    execute(tx, "make_drafts")
    execute(tx, "make_kept_back")
    execute(tx, "take_due", lane_ids=locked, buckets_max=BUCKETS_MAX, entries_max=ENTRIES_MAX)
    sealed = _settle_externals(tx, timing=timing)
    kept_back = _keep_back(tx) if unbilled is Unbilled.HOLD else KeptBack()
    execute(tx, "draft_sums", bucket=timing.bucket, reach=timing.bucket, may_share=False)
    sealed += _seal_drafts(tx)
    execute(tx, "draft_sums", bucket=timing.bucket, reach=HOUR, may_share=True)
    execute(tx, "draft_counts", entries_max=ENTRIES_MAX)
    execute(tx, "draft_lasts", bucket=timing.bucket)
    sealed += _seal_drafts(tx)
    execute(tx, "clear_unsealed", lane_ids=locked)
    if kept_back.rows:
        execute(tx, "put_off_kept_back", wait=timedelta(seconds=timing.subscriptions_reread_s))
    return sealed, kept_back


def _keep_back(tx: Transaction) -> KeptBack:
    kept_back = fetch_one(tx, KeptBack, "keep_back_unbilled", let_go_age=LET_GO_AGE)
    assert kept_back is not None, "a count always answers"
    return kept_back


def _settle_externals(tx: Transaction, *, timing: Timing) -> Sealed:
    """What Stripe counted before the ledger was restored, and whose rows came again, is not sent; the rest waits."""
    sealed = Sealed(0, 0)
    for reach in (timing.bucket, HOUR):
        draft_externals(tx, reach=reach)
        sealed += _seal_drafts(tx)
    hold_externals(tx, timing=timing)
    return sealed


def _seal_drafts(tx: Transaction) -> Sealed:
    execute(tx, "refuse_late")
    sealed = fetch_one(tx, Sealed, "seal_drafts")
    assert sealed is not None, "a count always answers"
    return sealed
