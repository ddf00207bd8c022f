"""The next generation of a meter event: the same value at the same time, under a new identifier.

`next_generation(tx, meter_event_id, *, reason)` is the only way to one. Stripe would count the new identifier beside
the old, so the statement itself asks for the proof: refused, or read as absent for good.
"""

from dataclasses import dataclass
from datetime import timedelta

from service.ledger.connection import Transaction, fetch_one
from service.timing import SENDABLE_AGE_MAX_S


@dataclass(frozen=True, slots=True)
class NextGeneration:
    generation: int
    identifier: str


@dataclass(frozen=True, slots=True)
class _Late:
    lateness: str | None


def lateness(tx: Transaction, meter_event_id: int) -> str | None:
    """Which invoice is final that would have billed it, as a sentence; None: it can still be billed."""
    found = fetch_one(tx, _Late, "lateness", meter_event_id=meter_event_id)
    return None if found is None else found.lateness


def next_generation(tx: Transaction, meter_event_id: int, *, reason: str) -> NextGeneration | None:
    """Seal a refused or proven-absent meter event anew, due at once. After `lanes.lock_lane`, in the same transaction.

    `reason` is kept with the generation. None, and nothing changes: it is neither refused nor proven absent (any more),
    or its time, which never changes, is so old that Stripe would refuse it before the window could close, or its
    invoice is final without it.
    """
    return fetch_one(
        tx,
        NextGeneration,
        "next_generation",
        meter_event_id=meter_event_id,
        reason=reason,
        age_max=timedelta(seconds=SENDABLE_AGE_MAX_S),
    )
