"""The leases of customers whose subscriptions are made here, and the calls made under them.

As with meter events: the lease keeps two calls of one customer apart, the fence tells an old holder's word from the
present one's, and the unique index on open attempts is the backstop.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta

from service.ledger.connection import Transaction, execute, fetch, fetch_one
from service.ledger.lanes import DueLanes, told_by
from service.outcomes import Outcome
from service.signups import Take
from service.timing import Timing


@dataclass(frozen=True, slots=True)
class SignupLease:
    """One customer, ours until `lease_until` unless renewed; the fence proves it."""

    signup_lane_id: int
    fence: int


@dataclass(frozen=True, slots=True)
class DeadCall:
    signup_attempt_id: int
    signup_id: int
    step: str


@dataclass(frozen=True, slots=True)
class _Opened:
    signup_attempt_id: int


def due_signup_lanes(tx: Transaction) -> list[DueLanes]:
    """How many customers of each account have a signup that is due, and are free."""
    return fetch(tx, DueLanes, "due_signup_lanes")


def lease_signup_lanes(tx: Transaction, account: str, *, lanes_max: int, timing: Timing) -> list[SignupLease]:
    return fetch(tx, SignupLease, "lease_signup_lanes", account=account, lanes_max=lanes_max, lease=timing.lease)


def renew_lease(tx: Transaction, lease: SignupLease, *, timing: Timing) -> bool:
    """Lock the customer and keep him. False: he is no longer ours; make no call."""
    return execute(tx, "renew_signup_lease", **asdict(lease), lease=timing.lease) == 1


def release_lane(tx: Transaction, lease: SignupLease, *, rest_s: float) -> None:
    """Give the customer back, due again when his next signup is, and not before `rest_s` seconds."""
    lock_lane(tx, lease.signup_lane_id)
    execute(tx, "release_signup_lane", **asdict(lease), rest=timedelta(seconds=rest_s))


def lock_lane(tx: Transaction, signup_lane_id: int) -> None:
    execute(tx, "lock_signup_lane", signup_lane_id=signup_lane_id)


def dead_calls(tx: Transaction, lease: SignupLease) -> list[DeadCall]:
    """What an earlier holder left open."""
    return fetch(tx, DeadCall, "dead_signup_attempts", **asdict(lease))


def open_call(tx: Transaction, signup_id: int, *, lease: SignupLease, take: Take) -> int:
    """Write down a call before it is made. Returns the attempt's id."""
    told = {"step": take.step, "about": take.about, "key": take.key, "fence": lease.fence}
    opened = fetch_one(tx, _Opened, "open_signup_attempt", signup_id=signup_id, **told)
    assert opened is not None, "it was due in this transaction, under our lock of the customer"
    return opened.signup_attempt_id


def close_call(tx: Transaction, signup_attempt_id: int, outcome: Outcome) -> bool:
    """Write down what Stripe answered. False: it was closed before."""
    return (
        execute(
            tx,
            "close_signup_attempt",
            signup_attempt_id=signup_attempt_id,
            **told_by(outcome),
        )
        == 1
    )
