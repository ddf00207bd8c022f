"""The breaker of an account: while Stripe fails or refuses the key, one call at a time tries whether it still does.

It stands in the ledger, so it is one for all processes and needs none of them to be closed again. Whether Stripe fails
is asked of the attempts themselves: nothing is counted beside them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.decide import DOUBLINGS_MAX
from service.ledger.connection import Transaction, execute, fetch_one
from service.ledger.lanes import Lease

ANSWERS_MAX = 30  # how many of the last answers are asked; two thirds of them would be chance no more
ANSWERS_WITHIN_S = 60  # longer than a call may take, short enough for what is said of now
ATTEMPTS_MAX = 1_000  # among which they are looked for: more than eight processes can have open
LANES_MIN = 3  # which must have failed: one or two may be in trouble of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long an open breaker lets nothing be called: at first, and at most."""

    min_s: int
    max_s: int


@dataclass(frozen=True, slots=True)
class Opened:
    openings: int  # in a row; 1: it was closed until now
    paused_until: datetime


def open_breaker(
    tx: Transaction, account: str, lease: Lease, *, reason: str, waits: Waits, chance: float
) -> Opened | None:
    """On what one call is enough to show. `chance`, in [0, 1), is the jitter. None: it is open; this was no trial."""
    return fetch_one(
        tx,
        Opened,
        "open_breaker",
        account=account,
        trial_lane=lease.lane_id if lease.is_trial else None,
        reason=reason,
        wait_min=timedelta(seconds=waits.min_s),
        wait_max=timedelta(seconds=waits.max_s),
        doublings_max=DOUBLINGS_MAX,
        chance=chance,
    )


def trip_breaker(tx: Transaction, account: str, *, reason: str, waits: Waits) -> Opened | None:
    """After a failure, if most lanes fail. None: they do not, or it is open already."""
    return fetch_one(
        tx,
        Opened,
        "trip_breaker",
        account=account,
        reason=reason,
        wait_min=timedelta(seconds=waits.min_s),
        within=timedelta(seconds=ANSWERS_WITHIN_S),
        attempts_max=ATTEMPTS_MAX,
        answers_max=ANSWERS_MAX,
        lanes_min=LANES_MIN,
    )


def close_breaker(tx: Transaction, account: str, lease: Lease) -> bool:
    """After a trial that was answered. False: it was not open, or the trial is another's by now."""
    return execute(tx, "close_breaker", account=account, lane_id=lease.lane_id) == 1
